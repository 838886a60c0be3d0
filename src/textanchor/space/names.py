"""The names that an encoder's classifier knows, as vectors of a space."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.records import Head, Named, Vectors
from textanchor.runtime import Runtime
from textanchor.space.items import TEXT
from textanchor.space.space import Space
from textanchor.space.texts import embed_texts
from textanchor.views import unit

TEMPLATES = {"image": "a photo of a {}", "audio": "the sound of {}"}
POWER = 0.5


def named(space: Space, head: Head, modality: str, runtime: Runtime | None = None) -> Named:
    """Anchor vectors of a head's names: the mean of all synonyms in one sentence and, where there is one, of the description.

    A name that the anchor's tokenizer breaks into many pieces a word counts less, by the root of that number.
    """
    template = TEMPLATES.get(modality, "{}")
    vectors = _vectors(space, [template.format(", ".join(names)) for names in head.names], runtime)
    if head.descriptions:
        described = [f"{names[0]}: {what}" for names, what in zip(head.names, head.descriptions, strict=True)]
        vectors = (vectors + _vectors(space, described, runtime)) / 2
    return Named(head=head, anchors=vectors.astype(np.float32), shares=_shares(space, [names[0] for names in head.names]))


def _vectors(space: Space, texts: list[str], runtime: Runtime | None) -> Vectors:
    distinct = list(dict.fromkeys(texts))
    rows = dict(zip(distinct, unit(embed_texts(space, distinct, runtime=runtime)), strict=True))
    return np.stack([rows[text] for text in texts])


def _shares(space: Space, names: list[str]) -> Float32[np.ndarray, " c"]:
    pieces = getattr(space.encoder(TEXT), "pieces", None)
    if pieces is None:
        return np.ones(len(names), dtype=np.float32)
    words = [max(1, len(name.replace("-", " ").split())) for name in names]
    counts = [max(1, len(row)) for row in pieces(names)]
    return np.asarray([(word / max(word, count)) ** POWER for word, count in zip(words, counts, strict=True)], dtype=np.float32)
