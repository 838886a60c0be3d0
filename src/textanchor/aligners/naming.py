"""How often a fit names validation items rightly: what a reader understands, beside the score by which aligners choose."""

from __future__ import annotations

import numpy as np

from textanchor import views
from textanchor.metrics.balance import macro
from textanchor.metrics.interval import of_share, wilson
from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.records import Naming, PairedLatents, Vectors, View


def naming(raw: Vectors, view: View | None, val: PairedLatents) -> Naming | None:
    """Of raw vectors of the validation items; None where all of them have the one text that there is."""
    if len(val.texts) < 2 or not len(val.items):
        return None
    found = retrieval(*views.naming(view, raw, val.anchors), rows_of(val.relevant))
    hits, wrong = found.rank < 1, len(val.texts) - np.bincount(val.edges[:, 0], minlength=len(val.items))[found.rows]
    recall = float(hits.mean())
    low, high = of_share(hits, val.groups) or wilson(recall, len(hits))
    one_each = len(val.edges) == len(val.items) > len(val.texts)
    return Naming(
        items=len(hits),
        recall=recall,
        low=low,
        high=high,
        largest_class=found.constant,
        passed_over=float((found.rank / np.maximum(wrong, 1)).mean()),
        macro=macro(hits, val.first_text) if one_each else None,
    )
