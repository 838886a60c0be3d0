"""Why a hit is one, and why another item is none: neighbours by name, ranks, and what kept an item out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from textanchor.collections.asking.conditions import Fields, unmet
from textanchor.collections.asking.filters import Filter
from textanchor.errors import InputError
from textanchor.records import Vectors
from textanchor.records.showing import short
from textanchor.space import Comparison

FILTER, THRESHOLD, DUPLICATE, RANK, PART = "filter", "threshold", "duplicate", "rank", "part"


@dataclass(frozen=True, kw_only=True)
class Named:
    """Things of one modality whose vectors are at hand: texts of a list, or training items; `pairs[i]` is the other half of
    the training pair of `names[i]`, where it is known."""

    names: Sequence[str]
    vectors: Vectors
    pairs: Sequence[str] = ()

    __repr__ = short


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """One of them, best first, and its bare cosine with what is explained; `pair` is what it was paired with in training."""

    name: str
    cosine: float
    pair: str = ""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A search as it was answered: all items' scores, which of them were searched, and what bounds the list.

    `contributions` are the parts' shares of the scores (`Composed.contributions`), `under` says by row under which
    better hit an item is shown as a duplicate.
    """

    scores: Float32[np.ndarray, " n"]
    k: int
    allowed: Bool[np.ndarray, " n"] | None = None
    threshold: float | None = None
    filter: Filter | None = None
    contributions: Float32[np.ndarray, "parts n"] | None = None
    under: tuple[tuple[int, int], ...] = ()

    __repr__ = short


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing that kept an item out: its kind (a constant above) and a sentence."""

    kind: str
    told: str


@dataclass(frozen=True, kw_only=True)
class Absence:
    """An item's rank among the searched items were it one of them (1 is the best), its score, and why it is not shown.

    No reasons mean that it is shown.
    """

    rank: int
    score: float
    reasons: tuple[Reason, ...]


def nearest(vector: Float32[np.ndarray, " d"], comparison: Comparison, known: Named, *, k: int = 3) -> tuple[Neighbour, ...]:
    """Which of the known things are nearest to a raw vector of `comparison.asking`, under the view of the two and without a
    correction of hubness. `comparison.asked` is the known things' modality."""
    if len(known.names) != len(known.vectors) or len(known.pairs) not in (0, len(known.names)):
        raise InputError(
            f"{len(known.names)} names, {len(known.vectors)} vectors and {len(known.pairs)} pairs; expected a row each"
        )
    if not len(known.names):
        return ()
    cosines = comparison.cosine(vector[None], known.vectors)[0]
    best = np.argsort(-cosines, kind="stable")[:k].tolist()
    pairs = known.pairs or [""] * len(known.names)
    return tuple(Neighbour(name=known.names[row], cosine=float(cosines[row]), pair=pairs[row]) for row in best)


def why_not(row: int, listed: Listed, fields: Fields | None = None) -> Absence:
    """Why an item is not in the list; its fields are given where there is a filter. Raises `InputError` for no item's row."""
    if not 0 <= row < len(listed.scores):
        raise InputError(f"there is no item {row}; the collection has {len(listed.scores)}")
    searched = np.ones(len(listed.scores), bool) if listed.allowed is None else listed.allowed.copy()
    searched[row] = True
    better = (listed.scores > listed.scores[row]) | ((listed.scores == listed.scores[row]) & (np.arange(len(searched)) < row))
    hidden = np.isin(np.arange(len(searched)), [one for one, _ in listed.under if one != row])
    rank = int((better & searched & ~hidden).sum()) + 1
    reasons = [*_outside(row, listed, fields), *_collapsed(row, listed), *_too_low(row, listed)]
    if rank > listed.k:
        last = _last(listed, searched & ~hidden)
        reasons += [_ranked(row, rank, listed, last), *_lacking(row, listed, last)]
    return Absence(rank=rank, score=float(listed.scores[row]), reasons=tuple(reasons))


def _outside(row: int, listed: Listed, fields: Fields | None) -> list[Reason]:
    """What of the filter does not hold; items may also be left out otherwise, by rows."""
    if listed.filter is not None and fields is not None and not listed.filter.matches(fields):
        return [Reason(kind=FILTER, told=f"does not hold: {'; '.join(unmet(listed.filter.condition, fields))}")]
    if listed.allowed is not None and not listed.allowed[row]:
        return [Reason(kind=FILTER, told="is not among the items that were searched")]
    return []


def _collapsed(row: int, listed: Listed) -> list[Reason]:
    first = dict(listed.under).get(row)
    return (
        [] if first is None else [Reason(kind=DUPLICATE, told=f"is nearly the same as item {first}, under which it is shown")]
    )


def _too_low(row: int, listed: Listed) -> list[Reason]:
    if listed.threshold is None or listed.scores[row] >= listed.threshold:
        return []
    return [Reason(kind=THRESHOLD, told=f"its score {listed.scores[row]:.3f} is below the threshold {listed.threshold:.3f}")]


def _last(listed: Listed, shown: Bool[np.ndarray, " n"]) -> int:
    """The row of the last hit that is shown."""
    rows = np.flatnonzero(shown)
    return int(rows[np.argsort(-listed.scores[rows], kind="stable")[listed.k - 1]])


def _ranked(row: int, rank: int, listed: Listed, last: int) -> Reason:
    gap = float(listed.scores[last] - listed.scores[row])
    return Reason(kind=RANK, told=f"its rank is {rank} and {listed.k} are shown; {gap:.3f} lower than the last of them")


def _lacking(row: int, listed: Listed, last: int) -> list[Reason]:
    """The part that costs it most against the last hit shown, where there are several."""
    if listed.contributions is None or len(listed.contributions) < 2:
        return []
    behind = listed.contributions[:, last] - listed.contributions[:, row]
    part = int(np.argmax(behind))
    return [Reason(kind=PART, told=f"part {part + 1} of the query gives it {behind[part]:.3f} less than the last hit shown")]
