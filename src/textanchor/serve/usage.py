"""What a request is said to have used."""

from __future__ import annotations

from collections.abc import Sequence

from textanchor.space import TEXT, Space


def tokens(space: Space, given: Sequence[str], modality: str) -> int:
    """The anchor's tokens of all texts, as far as its model reads them; of an anchor without known tokens, its words.

    A file of another modality counts as one.
    """
    if modality != TEXT:
        return len(given)
    encoder = space.encoder(TEXT)
    pieces = getattr(encoder, "pieces", None)
    if pieces is None:
        return sum(len(text.split()) for text in given)
    longest = int(getattr(encoder, "longest", 1 << 20))
    return sum(min(len(row), longest) for row in pieces(list(given)))
