"""Training pairs that a space remembers by name, so that it can say what something is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textanchor.projectors import project
from textanchor.records import PairedLatents, Vectors
from textanchor.records.showing import short

if TYPE_CHECKING:
    from torch import nn

KEPT = 1000  # pairs a modality, at most


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Items by id with their raw vectors, and the first text of each with its anchor vector. *Shape:* [n, d] both."""

    __repr__ = short

    names: tuple[str, ...]
    texts: tuple[str, ...]
    items: Vectors
    anchors: Vectors


def examples(projector: nn.Module, train: PairedLatents, *, seed: int) -> Examples | None:
    """A random thousand of the training items; None where none has a text."""
    drawn = np.sort(np.random.default_rng(seed).permutation(len(train.items))[:KEPT])
    kept = train.take(drawn)
    first = kept.first_text
    rows = np.flatnonzero(first >= 0)
    if not len(rows):
        return None
    return Examples(
        names=tuple(kept.items.ids[row] for row in rows),
        texts=tuple(kept.texts[first[row]] for row in rows),
        items=project(projector, kept.inputs)[rows],
        anchors=kept.anchors[first[rows]],
    )
