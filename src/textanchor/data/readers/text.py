"""Texts: as sentences for the anchor, and as documents, which are items that other texts describe."""

from __future__ import annotations

from typing import Any, BinaryIO

from textanchor.config import DEFAULT_ANCHOR
from textanchor.runtime import Limits

LIMIT = 1 << 20


class TextReader:
    """Sentences, which the anchor embeds and no projector maps; or, as `document`, items that are texts themselves."""

    default_encoder = DEFAULT_ANCHOR

    def __init__(self, modality: str = "text", extensions: tuple[str, ...] = (".txt", ".md")) -> None:
        self.modality, self.extensions = modality, extensions

    def read(self, stream: BinaryIO, limits: Limits) -> str:
        """Stripped UTF-8, at most 1 MiB."""
        raw = stream.read(LIMIT + 1)
        if len(raw) > LIMIT:
            raise ValueError(f"text file larger than {LIMIT >> 20} MiB")
        try:
            return self.accept(raw.decode("utf-8-sig"))
        except UnicodeDecodeError as why:
            raise ValueError(f"not UTF-8 text (byte {why.start})") from None

    def accept(self, value: Any) -> str:
        """A str that is more than white space."""
        if not isinstance(value, str):
            raise ValueError(f"a text is a str, not {type(value).__name__}")
        if not value.strip():
            raise ValueError("empty text")
        return value.strip()

    def content(self, value: str) -> bytes:
        """UTF-8 bytes."""
        return value.encode()


def document_reader() -> TextReader:
    """Items that are texts themselves (`item_text`), described by other texts; they do get a projector."""
    return TextReader(modality="document", extensions=())
