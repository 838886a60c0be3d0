"""The figures of a geometry on pairs of one side of a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np
from jaxtyping import Bool, Int
from scipy.sparse import csr_array

from textanchor.judging.figures import Figures, Ranking, Shape
from textanchor.metrics.cosine import positive_cosine
from textanchor.metrics.geometry import alignment, modality_gap, uniformity
from textanchor.metrics.hubness import occurrence_skew
from textanchor.metrics.retrieval import Relevant, retrieval, rows_of
from textanchor.records import PairedLatents, Vectors
from textanchor.space.geometry import Geometry
from textanchor.space.items import TEXT


def judge(geometry: Geometry, pairs: Mapping[str, PairedLatents], *, shapes: bool = False) -> Figures:
    """Every modality against texts both ways, and modalities that share a text against each other.

    With `shapes`, also how evenly galleries are hit and where items and texts lie.
    """
    raw = {modality: geometry.project(modality, own.inputs) for modality, own in pairs.items()}
    facing = {modality: _facing_texts(geometry, own, raw[modality]) for modality, own in pairs.items()}
    return Figures(
        alignment=tuple(ranking for both in facing.values() for ranking in both),
        emergent=tuple(_never_paired(geometry, pairs, raw)),
        scores={modality: _score(*both) for modality, both in facing.items()},
        shapes={modality: _shape(geometry, own, raw[modality]) for modality, own in pairs.items()} if shapes else {},
    )


def naming_hits(geometry: Geometry, pairs: PairedLatents) -> Bool[np.ndarray, " n"]:
    """Whether each item's best text is one of its own."""
    to_texts = geometry.between(pairs.modality, TEXT)
    queries = to_texts.query(geometry.project(pairs.modality, pairs.inputs))
    ranked = retrieval(queries, to_texts.gallery(pairs.anchors), rows_of(pairs.relevant))
    return np.asarray(ranked.rank < 1)


def _facing_texts(geometry: Geometry, pairs: PairedLatents, raw: Vectors) -> tuple[Ranking, Ranking]:
    """Items that ask for texts, with the positive cosine beside its floor and AUC, and texts that ask for items."""
    modality, owners = pairs.modality, pairs.relevant.T.tocsr()
    to_texts, to_items = geometry.between(modality, TEXT), geometry.between(TEXT, modality)
    items, texts = to_texts.query_unit(raw), to_texts.gallery_unit(pairs.anchors)
    there = retrieval(to_texts.query(raw), to_texts.gallery(pairs.anchors), rows_of(pairs.relevant))
    back = retrieval(to_items.query(pairs.anchors), to_items.gallery(raw), rows_of(owners))
    asking_items = Ranking(
        query=modality,
        gallery=TEXT,
        retrieval=there,
        groups=tuple(pairs.groups[row] for row in there.rows),
        cosine=positive_cosine(items, texts, pairs.edges, pairs.relevant),
        items=len(items),
        classes=_classes(pairs, there.rows),
    )
    groups = tuple(_text_group(pairs, owners, int(row)) for row in back.rows)
    return asking_items, Ranking(query=TEXT, gallery=modality, retrieval=back, groups=groups)


def _score(there: Ranking, back: Ranking) -> float:
    """Both directions count, and neither saturates where recall@1 does; the figure that aligners choose by."""
    return ((there.retrieval.reciprocal_rank or 0.0) + (back.retrieval.mean_average_precision or 0.0)) / 2


def _never_paired(geometry: Geometry, pairs: Mapping[str, PairedLatents], raw: Mapping[str, Vectors]) -> Iterator[Ranking]:
    """Modalities against each other; relevant means that they share a text, and where none do there is no ranking."""
    for asking, asked in permutations(pairs, 2):
        comparison = geometry.between(asking, asked)
        relevant = _same_text(pairs[asking], pairs[asked])
        ranked = retrieval(comparison.query(raw[asking]), comparison.gallery(raw[asked]), relevant)
        groups = tuple(pairs[asking].groups[row] for row in ranked.rows)
        if groups:
            classes = _classes(pairs[asking], ranked.rows)
            yield Ranking(query=asking, gallery=asked, retrieval=ranked, groups=groups, classes=classes)


def _classes(pairs: PairedLatents, rows: Int[np.ndarray, " q"]) -> Int[np.ndarray, " q"] | None:
    """Where items have one text each, and a text has several items, the text is a class."""
    one_each = len(pairs.edges) == len(pairs.items) > len(pairs.texts)
    return pairs.first_text[rows] if one_each else None


def _shape(geometry: Geometry, pairs: PairedLatents, raw: Vectors) -> Shape:
    to_texts, to_items = geometry.between(pairs.modality, TEXT), geometry.between(TEXT, pairs.modality)
    items, texts = to_texts.query_unit(raw), to_texts.gallery_unit(pairs.anchors)
    return Shape(
        text_hubness=occurrence_skew(to_texts.query(raw), to_texts.gallery(pairs.anchors)),
        item_hubness=occurrence_skew(to_items.query(pairs.anchors), to_items.gallery(raw)),
        gap=modality_gap(items, texts),
        alignment=alignment(items, texts, pairs.edges),
        uniformity=uniformity(items),
    )


def _same_text(asking: PairedLatents, asked: PairedLatents) -> Relevant:
    """Relevance of every item of the one to every item of the other: sharing a text."""
    place = {text: row for row, text in enumerate(dict.fromkeys((*asking.texts, *asked.texts)))}
    owned, sought = _texts_of(asked, place), _texts_of(asking, place)
    return lambda rows: (sought[rows] @ owned.T).toarray() > 0


def _texts_of(pairs: PairedLatents, place: Mapping[str, int]) -> csr_array:
    """Which of the texts each item has. *Shape:* [items, len(place)]."""
    columns = [place[pairs.texts[text]] for text in pairs.edges[:, 1]]
    ones = np.ones(len(pairs.edges), np.float32)
    return csr_array((ones, (pairs.edges[:, 0], columns)), shape=(len(pairs.items), len(place)))


def _text_group(pairs: PairedLatents, owners: csr_array, text: int) -> str:
    """Captions of one photo are no independent queries; a class name belongs to many groups and stands for itself."""
    groups = {pairs.groups[item] for item in owners[[text]].indices}
    return groups.pop() if len(groups) == 1 else f"text {text}"
