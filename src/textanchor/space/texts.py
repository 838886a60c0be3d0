"""Anchor vectors of texts, in whatever words a modality's texts are put."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textanchor.data.wording import Wording
from textanchor.records import Item, Vectors
from textanchor.runtime import Runtime
from textanchor.space.items import TEXT
from textanchor.space.space import Space
from textanchor.views import unit


def embed_texts(
    space: Space,
    texts: Sequence[str],
    *,
    modality: str = TEXT,
    wording: Wording | None = None,
    runtime: Runtime | None = None,
) -> Vectors:
    """The anchor's vectors of distinct texts, through the cache. *Shape:* [len(texts), d].

    With a wording, the unit mean of the unit vectors of a text's phrasings.
    """
    phrasings = [wording.phrasings(text, modality) if wording else (text,) for text in texts]
    distinct = tuple(dict.fromkeys(phrase for phrases in phrasings for phrase in phrases))
    if not distinct:
        return np.empty((0, space.dim), dtype=np.float32)
    items = [Item(id=phrase, modality=TEXT, value=phrase) for phrase in distinct]
    vectors = space.encoded(items, TEXT, runtime=runtime).vectors
    if all(len(phrases) == 1 for phrases in phrasings):
        place = {phrase: row for row, phrase in enumerate(distinct)}
        return vectors[[place[phrases[0]] for phrases in phrasings]]
    rows = dict(zip(distinct, unit(vectors), strict=True))
    return unit(np.stack([np.mean([rows[phrase] for phrase in phrases], axis=0) for phrases in phrasings]))
