"""The figures of one space on one set of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from textanchor.evaluation.held_out import HELD_OUT
from textanchor.metrics.cosine import positive_cosine
from textanchor.metrics.interval import bootstrap
from textanchor.metrics.retrieval import Relevant, Retrieval, retrieval, rows_of
from textanchor.records import PairedLatents
from textanchor.space import Space
from textanchor.space.items import TEXT


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: what was measured, on which split, plain figures, and the hits at 1 of each query.

    `hits` and `groups` are kept so that two spaces can be compared query by query.
    """

    table: str
    space: str
    split: str
    query: str
    gallery: str
    figures: Mapping[str, Any]
    hits: np.ndarray
    groups: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What two spaces' rows must share to be compared."""
        return self.table, self.split, self.query, self.gallery


def alignment_rows(name: str, space: Space, split: str, part: Mapping[str, PairedLatents]) -> Iterator[Row]:
    """Items against texts in both directions, with the positive cosine beside its floor and AUC."""
    for modality, pairs in part.items():
        raw = space.project(modality, pairs.inputs)
        items, texts = space.compared(raw, modality, TEXT), space.compared(pairs.anchors, TEXT, modality)
        cosine = positive_cosine(items, texts, pairs.edges, pairs.relevant)
        owners = pairs.relevant.T.tocsr()
        there = retrieval(
            space.query(raw, modality, TEXT), space.gallery(pairs.anchors, TEXT, modality), rows_of(pairs.relevant)
        )
        back = retrieval(space.query(pairs.anchors, TEXT, modality), space.gallery(raw, modality, TEXT), rows_of(owners))
        given = {"positive cosine": cosine.mean, "floor": cosine.floor, "AUC": cosine.auc}
        groups = tuple(pairs.groups[row] for row in there.rows)
        yield _row("alignment", name, split, modality, TEXT, there, groups, {**given, "items": len(items)})
        labels = tuple(_text_group(pairs, owners, row) for row in back.rows)
        yield _row("alignment", name, split, TEXT, modality, back, labels, {})


def emergent_rows(name: str, space: Space, split: str, part: Mapping[str, PairedLatents]) -> Iterator[Row]:
    """Modalities against each other though never paired, each with its own view; relevant means that they share a text.

    There is no row where no item of the one shares a text with an item of the other.
    """
    for query, gallery in permutations(part, 2):
        asked = space.query(space.project(query, part[query].inputs), query, gallery)
        held = space.gallery(space.project(gallery, part[gallery].inputs), gallery, query)
        found = retrieval(asked, held, _same_text(part[query], part[gallery]))
        groups = tuple(part[query].groups[row] for row in found.rows)
        if groups:
            yield _row("emergent", name, split, query, gallery, found, groups, {})


def _same_text(queries: PairedLatents, gallery: PairedLatents) -> Relevant:
    place = {text: row for row, text in enumerate(dict.fromkeys((*queries.texts, *gallery.texts)))}
    left, right = (
        csr_array(
            (np.ones(len(pairs.edges), np.float32), (pairs.edges[:, 0], [place[pairs.texts[t]] for t in pairs.edges[:, 1]])),
            shape=(len(pairs.items), len(place)),
        )
        for pairs in (queries, gallery)
    )
    return lambda part: (left[part] @ right.T).toarray() > 0


def _text_group(pairs: PairedLatents, owners: csr_array, text: int) -> str:
    """Captions of one photo are no independent queries; a class name belongs to many groups and stands for itself."""
    held = {pairs.groups[item] for item in owners[[text]].indices}
    return held.pop() if len(held) == 1 else f"text {text}"


def differences(rows: list[Row], main: str) -> list[dict[str, Any]]:
    """Paired held-out differences of recall@1 between the main space and each other one, with a 95 % interval over groups."""
    ours = {row.key: row for row in rows if row.space == main}
    out = []
    for row in rows:
        mine = ours.get(row.key)
        if row.space == main or row.split != HELD_OUT or mine is None or len(mine.hits) != len(row.hits) or not len(row.hits):
            continue
        gain = mine.hits.astype(float) - row.hits
        interval = bootstrap(gain, mine.groups)
        out.append(
            {
                "table": row.table,
                "split": row.split,
                "query": row.query,
                "gallery": row.gallery,
                "than": row.space,
                "R@1 difference": float(gain.mean()),
                "95 % interval": interval,
                "verdict": verdict(gain, interval),
            }
        )
    return out


def verdict(gain: np.ndarray, interval: tuple[float, float] | None) -> str:
    """What a paired difference and its interval allow to say; "better" only where the interval excludes 0."""
    if not gain.any():
        return "equal"
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "cannot tell"
    return "better" if gain.mean() > 0 else "worse"


def _row(
    table: str,
    name: str,
    split: str,
    query: str,
    gallery: str,
    found: Retrieval,
    groups: tuple[str, ...],
    more: Mapping[str, Any],
) -> Row:
    hits = found.rank < 1
    figures: dict[str, Any] = dict(found.table())
    if "R@1" in figures:
        figures["R@1 interval"] = bootstrap(hits, groups)
    return Row(
        table=table,
        space=name,
        split=split,
        query=query,
        gallery=gallery,
        figures={**more, **figures},
        hits=hits,
        groups=groups,
    )
