"""The one figure by which hyperparameters and aligners are chosen, always on validation pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from torch import nn

from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.projectors import project
from textanchor.records import PairedLatents, View
from textanchor.views import as_item, as_text

T = TypeVar("T")


def score(projector: nn.Module, view: View | None, val: PairedLatents) -> float:
    """Mean of item->text reciprocal rank and text->item mAP@10, in [0, 1].

    Both directions count, and neither saturates where recall@1 does: ten class names make only ten text queries.
    """
    items = as_item(view, project(projector, val.items.vectors))
    texts = as_text(view, val.anchors)
    there = retrieval(items, texts, rows_of(val.relevant))
    back = retrieval(texts, items, rows_of(val.relevant.T.tocsr()))
    return ((there.reciprocal_rank or 0.0) + (back.mean_average_precision or 0.0)) / 2


def best(candidates: Iterable[T], rate: Callable[[T], float]) -> tuple[T, float]:
    """The candidate of the highest rate; the earlier one of equals, so order candidates from simple to complex."""
    rated = [(rate(candidate), candidate) for candidate in candidates]
    top = max(rated, key=lambda entry: entry[0])
    return top[1], top[0]
