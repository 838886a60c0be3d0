"""What an encoder is made with where nobody says, and at which depth it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from textanchor.data.decoding import decode
from textanchor.encoders.own import OwnNetwork, pooled
from textanchor.encoders.own.network import Pool
from textanchor.errors import InputError, ItemError
from textanchor.grammar import spelled
from textanchor.pretraining.inputs import Arrays
from textanchor.pretraining.probing import Labelled, online
from textanchor.records import Item
from textanchor.runtime import Limits

PEEKED = 50
SIDES, LONGEST, POINTS = (16, 96), 5.0, (16, 256)
FRONTS = {"image": "pixels", "audio": "log-mel", "series": "curves"}
AUGMENTATIONS = {"image": "pictures", "audio": "spectra", "series": "curves"}
POOLS: tuple[Pool, ...] = ("mean", "max")


def front_for(modality: str, items: Sequence[Item], limits: Limits) -> str:
    """From some of the items: pixels as they are up to 96, sounds of up to five seconds, series of up to 256 points.

    Raises `InputError` for a modality that has no front, or if none of them can be read.
    """
    if modality not in FRONTS:
        known = ", ".join(FRONTS)
        raise InputError(f"nothing says how {modality} becomes an array (known: {known}); name a front of your own: --front")
    values = peeked(items, limits)
    if not values:
        raise InputError(f"none of {PEEKED} items could be read, so that nothing says how large they are")
    if modality == "image":
        side = int(np.clip(np.median([min(value.size) for value in values]), *SIDES))
        grey = all(_is_grey(value) for value in values)
        return spelled("pixels", {"side": side, "channels": 1 if grey else 3})
    if modality == "audio":
        seconds = min(LONGEST, round(float(np.quantile([value.seconds for value in values], 0.9)), 2))
        return spelled("log-mel", {"bands": 64, "frames": int(np.clip(64 * seconds, 32, 128)), "seconds": max(0.1, seconds)})
    length = int(np.clip(np.median([len(value.values) for value in values]), *POINTS))
    return spelled("curves", {"channels": int(values[0].values.shape[1]), "length": length})


def peeked(items: Sequence[Item], limits: Limits) -> list[Any]:
    """Some of the items, decoded, from the first to the last; none that cannot be read."""
    values = []
    for place in np.linspace(0, len(items) - 1, min(PEEKED, len(items))).astype(int):
        try:
            values.append(decode(items[place], limits))
        except ItemError:
            continue
    return values


def _is_grey(image: Image.Image) -> bool:
    pixels = np.asarray(image.convert("RGB"))
    return bool((pixels == pixels[..., :1]).all())


def augmentation_for(modality: str) -> str:
    """The usual one of a modality; nothing where there is none."""
    return AUGMENTATIONS.get(modality, "nothing")


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A depth, how its places become one vector, and the accuracy on validation of a linear probe on that."""

    layer: int
    pool: Pool
    accuracy: float


def cuts(network: OwnNetwork, train: Arrays, val: Arrays, *, device: str) -> list[Cut]:
    """All depths and pools, the best first, of equals the deepest."""
    taught, asked = (_of_layers(network, one.values, device) for one in (train, val))
    found = [
        Cut(
            layer=layer,
            pool=pool,
            accuracy=online(
                Labelled(latents=taught[layer, pool], classes=train.labels),
                Labelled(latents=asked[layer, pool], classes=val.labels),
            ),
        )
        for layer, pool in taught
    ]
    return sorted(found, key=lambda cut: (-cut.accuracy, -cut.layer))


def _of_layers(network: OwnNetwork, values: np.ndarray, device: str, batch: int = 256) -> dict[tuple[int, Pool], np.ndarray]:
    found: dict[tuple[int, Pool], list[np.ndarray]] = {}
    with torch.inference_mode():
        for start in range(0, len(values), batch):
            layers = network.layers(torch.from_numpy(np.asarray(values[start : start + batch])).to(device))
            for layer, places in enumerate(layers):
                for pool in POOLS:
                    found.setdefault((layer, pool), []).append(pooled(places, pool).float().cpu().numpy())
    return {key: np.concatenate(parts) for key, parts in found.items()}
