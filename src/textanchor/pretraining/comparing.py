"""One's own encoder beside others, on the same items and labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textanchor.encoders import Encoder, make_single
from textanchor.latents.engine import encode
from textanchor.pretraining.pretraining import PLAIN, Recipe, encoder_of, trained
from textanchor.pretraining.ready import Ready
from textanchor.pretraining.sources import Side
from textanchor.pretraining.verdict import SHARES, Encoded, Judged, Truth, judged
from textanchor.records import Pooled
from textanchor.runtime import Runtime
from textanchor.space.preparing import default_encoder

COMPONENTS = "pca(dim=64)"


def usual(modality: str) -> list[str]:
    """What an encoder of one's own must beat: what would be taken without it, features without weights, and components."""
    return list(dict.fromkeys([default_encoder(modality), "signal", COMPONENTS]))


def compared(
    encoder: Encoder, rivals: Sequence[str], given: Ready, *, seed: int, runtime: Runtime, shares: Sequence[float] = SHARES
) -> list[Judged]:
    """Linear probes on the test side, of an encoder and its rivals by name; `pca(...)` is fitted to the training side.

    Items that an encoder cannot read count for none.
    """
    both = {str(encoder.name): encoder, **{name: _rival(name, given, runtime) for name in rivals}}  # type: ignore[attr-defined]
    train, test = given.source.train, given.source.test
    found = {name: tuple(_latents(one, side, runtime) for side in (train, test)) for name, one in both.items()}
    kept = [
        [row for row in side.told if all(side.items[row].id in sides[place] for sides in found.values())]
        for place, side in enumerate((train, test))
    ]
    encoded = {
        name: Encoded(
            train=np.stack([sides[0][train.items[row].id] for row in kept[0]]),
            test=np.stack([sides[1][test.items[row].id] for row in kept[1]]),
        )
        for name, sides in found.items()
    }
    truth = Truth(train=train.labels[kept[0]], test=test.labels[kept[1]], groups=tuple(test.groups[row] for row in kept[1]))
    return judged(encoded, truth, shares=shares, seed=seed)


def _rival(name: str, given: Ready, runtime: Runtime) -> Encoder:
    if name.partition("(")[0] != PLAIN:
        return make_single(name, given.source.modality, runtime)
    return encoder_of(trained(given, Recipe(task=name)), given, name)


def _latents(encoder: Encoder, side: Side, runtime: Runtime) -> dict[str, np.ndarray]:
    """By item."""
    encoded = encode([side.items[row] for row in side.told], encoder, runtime)
    assert isinstance(encoded.latents, Pooled)
    return dict(zip(encoded.latents.ids, encoded.latents.vectors, strict=True))
