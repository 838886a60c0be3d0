"""A map that is judged before it serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textanchor.collections.moving.mapping import AUTO, VectorMap, fit_map
from textanchor.collections.moving.recall import Kept, recall_kept, refuse_below
from textanchor.errors import InputError
from textanchor.records import Vectors
from textanchor.space import Comparison

PARTS, LEAST = 4, 70  # parts of which each is mapped by what the others teach; items in both spaces


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A map fitted on all items, and what was kept of each item's place by a map that had not seen it."""

    map: VectorMap
    kept: Kept


@dataclass(frozen=True, kw_only=True)
class Demand:
    """How much of the ten best is to be kept, in [0, 1], in a collection of `total` items."""

    least: float = 0.0
    total: int = 0


def judged_map(
    old: Vectors,
    new: Vectors,
    queries: Vectors,
    comparison: Comparison,
    *,
    demand: Demand | None = None,
    kind: str = AUTO,
    seed: int = 0,
) -> Moved:
    """A map between raw vectors of the same items in two spaces, refused where it keeps less than is demanded.

    `queries` are raw vectors of the new space's modality `comparison.asking`, `comparison` is the new space's. Four maps, each
    fitted on three quarters, map the quarter they have not seen, so that all items are the gallery on which is judged.
    Raises `InputError` if too little is kept, or for fewer than 70 items.
    """
    if len(old) < LEAST:
        raise InputError(f"{len(old)} items are encoded in both spaces; a map and its judgement need {LEAST} or more")
    order, mapped = np.random.default_rng(seed).permutation(len(old)), np.empty_like(new)
    for part in range(PARTS):
        apart, rest = order[part::PARTS], np.delete(order, np.s_[part::PARTS])
        mapped[apart] = fit_map(old[rest], new[rest], kind=kind, compared=comparison.gallery_unit, seed=seed)(old[apart])
    kept = recall_kept(comparison.gallery(mapped)[order], comparison.gallery(new)[order], comparison.query(queries))
    demand = demand or Demand()
    refuse_below(kept, demand.least, total=demand.total)
    return Moved(map=fit_map(old, new, kind=kind, compared=comparison.gallery_unit, seed=seed), kept=kept)
