"""The names of ImageNet's 1000 classes (ILSVRC 2012) and what they mean, as WordNet has them."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from jaxtyping import Float32

from textanchor.records import Head


def imagenet(weight: Float32[np.ndarray, "1000 d"], bias: Float32[np.ndarray, " 1000"]) -> Head:
    """The head of a classifier of the 1000 classes in their usual order."""
    lines = (files(__package__) / "imagenet.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split(" | ") for line in lines]
    return Head(
        names=tuple(tuple(synonyms.split(", ")) for synonyms, _ in entries),
        descriptions=tuple(meaning for _, meaning in entries),
        weight=weight,
        bias=bias,
    )
