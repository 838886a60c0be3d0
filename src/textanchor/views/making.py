"""Views made by name from training data.

Each maker is called with the distinct training texts' vectors `anchors` [t, d], the training items' raw projected vectors
`items` [n, d] and their mean texts `targets` [n, d], and uses what it needs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from textanchor import registry
from textanchor.records import Hubness, Vectors, View

BANK, FEW = 5000, 500  # training queries of either side that a view keeps at most, with and without a correction


def view(spec: str, *, anchors: Vectors, items: Vectors, targets: Vectors) -> View:
    """A view by name and settings, such as `whitening(shrinkage=0.3)`. Raises `UnknownNameError` or `InputError`."""
    made: View = registry.part("view", spec, anchors=anchors, items=items, targets=targets)
    return made


def with_hubness(held: View, spec: str, *, items: Vectors, anchors: Vectors, seed: int = 0) -> View:
    """The view with a correction such as `csls(k=10)`, or `none`, and a random bank of training vectors."""
    name, settings = registry.take_apart(spec)
    if name != "none":
        registry.bind("hubness", spec, gallery=None, bank=None)  # a wrong setting is said now, not at the first search
    rng = np.random.default_rng(seed)
    limit = FEW if name == "none" else BANK
    banks = {"items": _some(items, limit, rng), "texts": _some(anchors, limit, rng)}
    numbers = {key: value for key, value in settings.items() if isinstance(value, int | float)}
    return replace(held, hubness=Hubness(method=name, settings=numbers, **banks))


def _some(vectors: Vectors, limit: int, rng: np.random.Generator) -> Vectors:
    return vectors if len(vectors) <= limit else vectors[np.sort(rng.permutation(len(vectors))[:limit])]
