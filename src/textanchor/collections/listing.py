"""Rankings of several modalities as one list: ordered, cut by the line, collapsed and paged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from textanchor.collections.asking.conditions import COLUMNS
from textanchor.collections.asking.duplicates import Candidate, collapse
from textanchor.collections.asking.filters import Filter
from textanchor.collections.backends.protocol import Rows
from textanchor.collections.index import Index
from textanchor.collections.queries import Asked
from textanchor.collections.ranking import Ranking, rankings
from textanchor.collections.terms import Terms
from textanchor.errors import InputError
from textanchor.metrics.chance import above_line
from textanchor.records import Hit, Hits, Vectors

DEEP, DEEP_APPROXIMATE = 1000, 100  # hits that are looked at for the line, where the best are always found and where not
WIDER = 4  # times as many hits are looked at where some may be collapsed

Entry = tuple[Ranking, int]  # a hit: its ranking, and where it stands there


def found(index: Index, queries: Sequence[Asked], terms: Terms) -> list[Hits]:
    """Hits of each query."""
    galleries = (terms.modality,) if terms.modality else index.modalities
    places = {name: among(index, name, terms) for name in galleries}
    total = sum(index.holding.count(name) if rows is None else len(rows) for name, rows in places.items())
    if terms.filter is not None and not total:
        _refuse_unknown(index, terms.filter)
    depth = _depth(index, terms)
    ranked = [rankings(index, queries, name, depth, places[name]) for name in galleries]
    return [_hits(index, [own[row] for own in ranked], total, terms) for row in range(len(queries))]


def _refuse_unknown(index: Index, where: Filter) -> None:
    """Raises `InputError` if nothing passes a filter that asks for a field which no item has: it is a slip of the pen."""
    fields = index.holding.fields
    if unknown := sorted(where.names - fields - set(COLUMNS)):
        known = ", ".join((*COLUMNS, *sorted(fields)))
        raise InputError(f"no item has a field '{unknown[0]}', and none passes the filter; known are: {known}")


def among(index: Index, modality: str, terms: Terms) -> Rows | None:
    """Where items stand among which is searched; None for all."""
    rows = None if terms.allowed is None else index.holding.among(modality, np.asarray(terms.allowed, dtype=np.int64))
    if terms.filter is None:
        return rows
    passing = index.holding.places(modality, terms.filter)
    return passing if rows is None else np.intersect1d(passing, rows)


def _depth(index: Index, terms: Terms) -> int:
    wanted = (terms.offset + terms.k) * (1 if terms.collapse is None else WIDER)
    return max(wanted, DEEP if index.exact else DEEP_APPROXIMATE)


def _hits(index: Index, own: Sequence[Ranking], total: int, terms: Terms) -> Hits:
    entries = [(ranking, place) for ranking in own for place in range(len(ranking.places))]
    known = bool(own) and all(ranking.p is not None for ranking in own)
    entries.sort(key=_order(own, terms, known=known))
    worst = _worst_above(own, total, terms.level) if known else None
    line = None if worst is None else sum(int((ranking.p <= worst).sum()) for ranking in own if ranking.p is not None)
    seen = len(entries)
    if terms.threshold is not None:
        entries = [(ranking, place) for ranking, place in entries if ranking.scores[place] >= terms.threshold]
    groups = [[entry] for entry in entries] if terms.collapse is None else _collapsed(index, entries, terms.collapse)
    shown = list(enumerate(groups, start=1))[terms.offset : terms.offset + terms.k]
    hits = [_hit(index, rank, group, worst) for rank, group in shown]
    ends = [ranking.p[-1] <= worst for ranking in own if ranking.p is not None and worst is not None and len(ranking.p)]
    return Hits(tuple(hits), total=total, line=line, level=terms.level, at_least=any(ends) and seen < total)


def _order(own: Sequence[Ranking], terms: Terms, *, known: bool) -> Callable[[Entry], tuple[float, ...]]:
    """Scores of one modality need no bringing to one scale; of several the p-values are, else standard scores."""
    standard = all(ranking.standard is not None for ranking in own)

    def key(entry: Entry) -> tuple[float, ...]:
        ranking, place = entry
        score = -float(ranking.scores[place])
        if len(own) == 1 or terms.order == "score":
            return (score,)
        far = -float(ranking.standard[place]) if standard and ranking.standard is not None else score
        return (float(ranking.order[place]), far) if known and ranking.order is not None else (far,)

    return key


def _worst_above(own: Sequence[Ranking], total: int, level: float) -> float:
    """The largest p-value that stands above the line; below 0 where none does."""
    p = np.sort(np.concatenate([ranking.p for ranking in own if ranking.p is not None]))
    line = above_line(p, total, level)
    return float(p[line - 1]) if line else -1.0


def _collapsed(index: Index, entries: Sequence[Entry], least: float) -> list[list[Entry]]:
    """Entries that show the same in one group: of one content, or alike among items of their modality."""
    told = [
        Candidate(
            modality=ranking.modality,
            content=index.holding.content(ranking.modality, int(ranking.places[place])) or None,
            latent=index.holding.raw(ranking.modality)[ranking.places[place]] - _mean(index, ranking.modality),
        )
        for ranking, place in entries
    ]
    return [[entries[row] for row in (kept.row, *kept.duplicates)] for kept in collapse(told, least=least)]


def _mean(index: Index, modality: str) -> Vectors | float:
    """What all items of a modality share, by its view, and what would make any two alike."""
    view = index.geometry.view(modality)
    return 0.0 if view is None else view.item.mean


def _hit(index: Index, rank: int, group: Sequence[Entry], worst: float | None) -> Hit:
    ranking, place = group[0]
    item, *others = (index.holding.items(one.modality, [int(one.places[at])])[0] for one, at in group)
    p = None if ranking.p is None else float(ranking.p[place])
    return Hit(
        rank=rank,
        id=item.id,
        modality=item.modality,
        score=float(ranking.scores[place]),
        path=item.path,
        p=p,
        percentile=None if ranking.percentiles is None else float(ranking.percentiles[place]),
        above=None if worst is None or p is None else p <= worst,
        fields=item.fields,
        duplicates=tuple(other.id for other in others),
        item=item,
        place=int(ranking.places[place]),
        parts=() if ranking.parts is None else tuple(ranking.parts[:, place].tolist()),
    )
