"""From which cosine two hits are nearly the same: `python benchmarks/copies.py DATA MODELS`.

DATA holds flickr8k/, esc50_part/, mnist/, fsdd/ and splits/; MODELS mobilenet_v1_0.75_224 and audioset_mn04. Default fits; the
items of test are compared with each other, by latents and by vectors as the space compares them, and photos with altered
copies of their own. Prints Markdown.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from losses import ALL, esc50, flickr8k, opened, read
from PIL import Image, ImageEnhance

import textanchor
from textanchor.encoders import make_single
from textanchor.judging import trial
from textanchor.runtime import Runtime
from textanchor.space import Geometry
from textanchor.space.fitting import tasks
from textanchor.space.preparing import Prepared
from textanchor.views import unit

LEVELS, COPIED = (0.9, 0.95, 0.98, 0.99, 0.999), 200


def main() -> None:
    """Both tables."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    asked = told.parse_args()
    mobile, audio = f"hub:{asked.models / 'mobilenet_v1_0.75_224'}@size=96,pool=mean", f"onnx:{asked.models / 'audioset_mn04'}"
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        digits = textanchor.write_sample("mnist-fsdd", place / "digits", root=asked.data)
        print(f"| items of test | pairs | compared by | {' | '.join(f'{level} or more' for level in LEVELS)} |\n|" + "---|" * 8)
        different(read(next(iter(esc50(asked.data, place))), encoders={"audio": audio}), "ESC-50")
        different(read(digits, encoders={"image": mobile, "audio": audio}), "digits")
        photos = read(flickr8k(asked.data, place))
        geometry = different(photos, "Flickr8k")
        print(
            f"\n| {COPIED} photos, altered | compared by | {' | '.join(f'{level} or more' for level in LEVELS)} |\n|"
            + "---|" * 7
        )
        altered(photos, geometry)


def different(ready: Prepared, name: str) -> Geometry:
    """How many pairs of different items are so near."""
    _, sides = opened(ready)
    geometry = trial("auto", tasks(sides, device=ready.device, seed=0)).geometry
    for modality, own in sides.items():
        latents = own.pairs["test"].pooled
        for way, units in compared(geometry, modality, latents).items():
            cosines = (units @ units.T)[np.triu_indices(len(units), 1)]
            cells = " | ".join(f"{int((cosines >= level).sum())}" for level in LEVELS)
            print(f"| {name}, {modality} | {len(cosines)} | {way} | {cells} |", flush=True)
    return geometry


def compared(geometry: Geometry, modality: str, latents: np.ndarray) -> dict[str, np.ndarray]:
    """Unit vectors by what is compared."""
    raw = geometry.project(modality, latents)
    return {"latents": unit(latents), "vectors": geometry.between(modality, modality).gallery_unit(raw)}


def altered(ready: Prepared, geometry: Geometry) -> None:
    """The share of copies that is so near to its photo."""
    sides = ready.sides("image", ALL)
    assert sides is not None
    photos = sides.pairs["test"].items.take(range(COPIED))
    encoder = make_single(ready.encoders["image"], "image", Runtime())
    where = {one.item.id: one.item.path for one in ready.pairs.rows}
    copies: dict[str, list[np.ndarray]] = {}
    for name in photos.ids:
        for change, picture in changes(Image.open(str(where[name])).convert("RGB")):
            copies.setdefault(change, []).append(np.asarray(encoder.encode([picture]))[0])
    own = compared(geometry, "image", photos.vectors)
    for change, found in copies.items():
        for way, units in compared(geometry, "image", np.stack(found).astype(np.float32)).items():
            cosines = np.einsum("nd,nd->n", units, own[way])
            print(f"| {change} | {way} | {' | '.join(f'{(cosines >= level).mean():.2f}' for level in LEVELS)} |", flush=True)


def changes(picture: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """What happens to pictures on their way."""
    for quality in (80, 40):
        held = io.BytesIO()
        picture.save(held, "JPEG", quality=quality)
        yield f"JPEG of quality {quality}", Image.open(held).convert("RGB")
    wide, high = picture.size
    yield "brighter by a fifth", ImageEnhance.Brightness(picture).enhance(1.2)
    yield "half as wide and high", picture.resize((wide // 2, high // 2))
    yield "a twentieth cut off each side", picture.crop((wide // 20, high // 20, wide - wide // 20, high - high // 20))
    yield "mirrored", picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


if __name__ == "__main__":
    main()
