"""Sample set `mnist-fsdd`: real MNIST images and the Free Spoken Digit Dataset, from a folder that holds both."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from textanchor.data.samples.writing import DIGITS, Row, write_table
from textanchor.errors import InputError
from textanchor.files import located

TRAIN, TEST = 3000, 1000
OFFICIAL_TEST = 5  # recordings with an index below this are the data set's own test part
SHARED = "official, speakers shared"


def write(folder: Path, *, root: Path | None = None, speaker: str | None = None, train: int = TRAIN, test: int = TEST) -> None:
    """Write MNIST images as PNG; recordings stay where they are and are named by their path.

    `root` holds `mnist/mnist.npz` and `fsdd/recordings/*.wav`. Of MNIST, the first `train` and `test` images of random
    permutations (seed 0) of its two parts are taken. Without `speaker` the recordings' official split is used, which shares
    all speakers and is named so; with it, that speaker is the test side. Raises `InputError` for anything missing.
    """
    if root is None:
        raise InputError("mnist-fsdd needs --root: a folder with mnist/mnist.npz and fsdd/recordings/*.wav")
    sounds = _sounds(located(root), speaker)
    images = _images(folder, located(root), train, test)
    about = {
        "name": "mnist-fsdd",
        "description": "MNIST images and spoken digits, joined only by the digits' names",
        "sources": ["MNIST, LeCun et al. 1998", "Free Spoken Digit Dataset, Jakobovski et al., CC BY-SA 4.0"],
        "counts": {"images": len(images), "sounds": len(sounds)},
        "split_name": None if speaker else SHARED,
    }
    write_table(folder, [*images, *sounds], about)


def _images(folder: Path, root: Path, train: int, test: int) -> list[Row]:
    parts = _mnist(root / "mnist" / "mnist.npz")
    (folder / "images").mkdir()
    draw, table = np.random.default_rng(0), []
    for side, wanted in (("train", train), ("test", test)):
        pixels, labels = parts[side]
        for row in draw.permutation(len(labels))[:wanted]:
            path = f"images/{side}-{row:05d}.png"
            Image.fromarray(pixels[row]).save(folder / path)
            table.append((path, DIGITS[labels[row]], "image", "", side))
    return table


def _mnist(file: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    if not file.is_file():
        raise InputError(f"{file} does not exist; expected MNIST with the arrays x_train, y_train, x_test, y_test")
    try:
        with np.load(file, allow_pickle=False) as held:
            parts = {side: (held[f"x_{side}"], held[f"y_{side}"]) for side in ("train", "test")}
    except (OSError, ValueError, KeyError) as why:
        raise InputError(f"{file} is not MNIST: {why}; expected x_train, y_train, x_test, y_test") from None
    for pixels, labels in parts.values():
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (28, 28) or labels.shape != pixels.shape[:1]:
            raise InputError(f"{file}: images {pixels.dtype} {pixels.shape}, expected uint8 [n, 28, 28] and labels [n]")
    return parts


def _sounds(root: Path, speaker: str | None) -> list[Row]:
    place = root / "fsdd" / "recordings"
    found = [(path, re.fullmatch(r"(\d)_([a-z]+)_(\d+)", path.stem)) for path in sorted(place.glob("*.wav"))]
    named = [(path, match) for path, match in found if match]
    if not named:
        raise InputError(f"{place} holds no recordings; expected files such as 7_george_12.wav")
    speakers = sorted({match[2] for _, match in named})
    if speaker is not None and speaker not in speakers:
        raise InputError(f"no speaker '{speaker}' in {place} (there are: {', '.join(speakers)})")
    table = []
    for path, match in named:
        held_out = match[2] == speaker if speaker else int(match[3]) < OFFICIAL_TEST
        side = "test" if held_out else "train"
        table.append((str(path.resolve()), DIGITS[int(match[1])], "audio", f"speaker {match[2]}", side))
    return table
