"""What a request is said to have used."""

from __future__ import annotations

from collections.abc import Sequence

from textanchor.records import Item
from textanchor.space import TEXT, Space

UNBOUNDED = 1 << 20


def tokens(space: Space, modality: str, items: Sequence[Item]) -> list[int]:
    """For each text the anchor's tokens, as far as its model reads them; of an anchor without known tokens, its words.

    A file of another modality counts as one. The anchor's tokenizer is busy while it encodes, so ask from the same thread.
    """
    if modality != TEXT:
        return [1] * len(items)
    encoder = space.encoder(TEXT)
    texts = [str(item.value) for item in items]
    if not hasattr(encoder, "pieces"):
        return [len(text.split()) for text in texts]
    longest = int(getattr(encoder, "longest", UNBOUNDED))
    return [min(len(row), longest) for row in encoder.pieces(texts)]
