"""A map that is judged before it serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textanchor.collections.moving.mapping import AUTO, FEWEST, VectorMap, fit_map
from textanchor.collections.moving.recall import Kept, recall_kept, refuse_below
from textanchor.errors import InputError
from textanchor.records import Vectors
from textanchor.space import Comparison

HELD, SHARE = 50, 4  # items held out: at least so many, and a quarter of all


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A map fitted on all items, and what one fitted on the others kept of the held-out ones: a careful estimate."""

    map: VectorMap
    kept: Kept


def judged_map(
    old: Vectors, new: Vectors, queries: Vectors, comparison: Comparison, *, least: float = 0.0, kind: str = AUTO, seed: int = 0
) -> Moved:
    """A map between raw vectors of the same items in two spaces, refused where it keeps less than `least` of the ten best.

    `queries` are raw vectors of the new space's modality `comparison.asking`, `comparison` is the new space's. A quarter of the
    items, at least 50, is held out. Raises `InputError` if too little is kept, or for too few items.
    """
    held = max(HELD, len(old) // SHARE)
    if len(old) < held + FEWEST:
        raise InputError(f"{len(old)} items are encoded in both spaces; a map and its judgement need {HELD + FEWEST} or more")
    order = np.random.default_rng(seed).permutation(len(old))
    apart, rest = order[:held], order[held:]
    trial = fit_map(old[rest], new[rest], kind=kind, compared=comparison.gallery_unit, seed=seed)
    mapped, true = comparison.gallery(trial(old[apart])), comparison.gallery(new[apart])
    kept = recall_kept(mapped, true, comparison.query(queries))
    refuse_below(kept, least)
    return Moved(map=fit_map(old, new, kind=kind, compared=comparison.gallery_unit, seed=seed), kept=kept)
