"""What the command line prints, whoever prints it: nothing in a name or text reaches the terminal as a command."""

from __future__ import annotations

import codecs
import sys
from typing import Any

from textanchor.escaping import shown

UP = "\x1b[A"  # how a bar of several lines goes back


def guard() -> None:
    """From now on stdout and stderr show control characters as escapes, and escape what their encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Guarded):
            setattr(sys, name, Guarded(stream))


class Guarded:
    """A text stream that escapes all but line breaks and tabs; bars of progress may begin a line anew."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Raises `TypeError` for bytes, as every text stream does."""
        if not isinstance(text, str):
            raise TypeError(f"a text stream takes str, not {type(text).__name__}")
        if text.isprintable() and text.isascii():
            return int(self._stream.write(text))
        start = next((lead for lead in ("\r", UP) if text.startswith(lead)), "")
        rest = text[len(start) :]
        if start == UP:
            rest, start = rest.replace(UP, ""), start + UP * rest.count(UP)
        lines = "\n".join("\t".join(map(shown, line.split("\t"))) for line in rest.split("\n"))
        self._stream.write(start + lines.encode(self._coding, "backslashreplace").decode(self._coding))
        return len(text)

    @property
    def encoding(self) -> str:
        """That of the stream; of ASCII, which click would go around, UTF-8, since `write` takes all of it."""
        return "utf-8" if self._coding == "ascii" else self._coding

    @property
    def _coding(self) -> str:
        return codecs.lookup(getattr(self._stream, "encoding", None) or "utf-8").name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
