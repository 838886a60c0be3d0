"""Sample set `digits`: real handwritten digits and synthetic spoken ones, with nothing to download."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image

from textanchor.data.samples.speech import Utterance, speak, voices
from textanchor.data.samples.writing import DIGITS, Row, write_table

SETTINGS = ((35, 130), (50, 160), (65, 190))  # pitch 0 to 99, words a minute
HELD_OUT, VALIDATION = 4, 8  # one voice in four is for the test, one in eight for validation
PIXELS = 32
SOURCES = (
    "images: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI, CC BY 4.0, as in scikit-learn",
    "sounds: synthesised by espeak-ng, which is GPL-3.0-or-later; the sound files contain no part of it",
)


def write(folder: Path, *, seed: int = 0, limit: int | None = None) -> None:
    """Write 1797 images, and every voice in three settings of pitch and pace saying ten digits.

    A voice with all its settings is one group; a quarter of the voices is the test side. No row joins an image with a
    sound. `limit` keeps only the first images and voices, for tests.
    """
    names = voices()[:limit]
    images = _images(folder, seed, limit)
    sounds = _sounds(folder, names, seed)
    about = {
        "name": "digits",
        "description": "handwritten digits as images, spoken digits as sounds, joined only by the digits' names",
        "sources": list(SOURCES),
        "counts": {"images": len(images), "sounds": len(sounds), "voices": len(names)},
        "seed": seed,
    }
    write_table(folder, [*images, *sounds], about)


def _images(folder: Path, seed: int, limit: int | None) -> list[Row]:
    """8 x 8 grey levels enlarged to 32 x 32, to be seen in the report; of each digit 25 % test, 10 % validation."""
    from sklearn.datasets import load_digits

    held = load_digits()
    pixels, labels = held.images[:limit], held.target[:limit]
    (folder / "images").mkdir()
    side = np.empty(len(labels), dtype=object)
    for digit in range(10):
        rows = np.random.default_rng([seed, digit]).permutation(np.flatnonzero(labels == digit))
        test, val = round(len(rows) * 0.25), round(len(rows) * 0.35)
        side[rows[:test]], side[rows[test:val]], side[rows[val:]] = "test", "val", "train"
    table = []
    for row, (grey, digit) in enumerate(zip(pixels, labels, strict=True)):
        path = f"images/{row:04d}.png"
        small = Image.fromarray(np.round(grey * (255 / 16)).astype(np.uint8))
        small.resize((PIXELS, PIXELS), Image.Resampling.BICUBIC).save(folder / path)
        table.append((path, DIGITS[digit], "image", "", str(side[row])))
    return table


def _sounds(folder: Path, names: list[str], seed: int) -> list[Row]:
    order = np.random.default_rng(seed).permutation(len(names))
    test, val = math.ceil(len(names) / HELD_OUT), math.ceil(len(names) / VALIDATION)
    side = {names[row]: "test" if k < test else "val" if k < test + val else "train" for k, row in enumerate(order)}
    table, spoken = [], []
    for name in names:
        for setting, (pitch, pace) in enumerate(SETTINGS):
            for word in DIGITS:
                file = f"sounds/{name.replace(' ', '-')}/{word}-{setting}.wav"
                spoken.append(Utterance(file=file, text=word, voice=f"en-us+{name}", pitch=pitch, pace=pace))
                table.append((file, word, "audio", f"voice {name}", side[name]))
    speak(folder, spoken)
    return table
