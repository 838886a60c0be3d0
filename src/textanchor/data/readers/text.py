"""Texts: as sentences for the anchor, and as documents, which are items that other texts describe."""

from __future__ import annotations

from typing import Any, BinaryIO

from textanchor.config import DEFAULT_ANCHOR

LIMIT = 1 << 20


def _read(stream: BinaryIO) -> str:
    raw = stream.read(LIMIT + 1)
    if len(raw) > LIMIT:
        raise ValueError(f"text file larger than {LIMIT >> 20} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as why:
        raise ValueError(f"not UTF-8 text (byte {why.start})") from None
    return _accept(text)


def _accept(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text is a str, not {type(value).__name__}")
    if not value.strip():
        raise ValueError("empty text")
    return value.strip()


class TextReader:
    """Sentences; the anchor embeds them, no projector does."""

    modality = "text"
    extensions: tuple[str, ...] = (".txt", ".md")
    default_encoder = DEFAULT_ANCHOR

    def read(self, stream: BinaryIO) -> str:
        """Stripped UTF-8."""
        return _read(stream)

    def accept(self, value: Any) -> str:
        """A non-empty str."""
        return _accept(value)

    def content(self, value: str) -> bytes:
        """UTF-8 bytes."""
        return value.encode()


class DocumentReader:
    """Items that are texts themselves (`item_text`), described by other texts; they do get a projector."""

    modality = "document"
    extensions: tuple[str, ...] = ()
    default_encoder = DEFAULT_ANCHOR

    def read(self, stream: BinaryIO) -> str:
        """Stripped UTF-8."""
        return _read(stream)

    def accept(self, value: Any) -> str:
        """A non-empty str."""
        return _accept(value)

    def content(self, value: str) -> bytes:
        """UTF-8 bytes."""
        return value.encode()
