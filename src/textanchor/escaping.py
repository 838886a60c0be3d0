"""Names and texts of any bytes: what can be written as UTF-8, and what may be shown on a screen.

File names are bytes; those that are no UTF-8 reach Python as lone surrogates, which no table, hash or tokenizer takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\x([89a-f][0-9a-f])")
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def writable(name: str) -> str:
    r"""The name as UTF-8 can hold it: a byte that is none becomes its escape, such as `caf\xe9`."""
    return name if _is_utf8(name) else _SURROGATE.sub(_escape, name)


def written_back(name: str) -> str:
    r"""The name whose `writable` form this is: `caf\xe9` is again the byte."""
    return _ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), name)


def legible(text: str) -> str:
    """The text as UTF-8 can hold it: bytes that are none are read as Latin-1, other lone surrogates become U+FFFD."""
    return text if _is_utf8(text) else _SURROGATE.sub(lambda found: _byte(found[0]) or "\ufffd", text)


def shown(text: object) -> str:
    r"""The text on one line of a screen: control characters, turns of direction and lone surrogates escaped as `\x1b`."""
    told = str(text)
    return told if told.isprintable() else UNSEEN.sub(_escape, told)


def in_json(text: str) -> str:
    """JSON text with the same characters as JSON's own escapes; line breaks between values stay."""
    kept = "\n"
    return UNSEEN.sub(lambda found: found[0] if found[0] in kept else f"\\u{ord(found[0]):04x}", text)


@contextmanager
def openable(path: Path) -> Iterator[str]:
    """A name of the file for libraries that take only UTF-8: its own, or that of its descriptor."""
    if _is_utf8(str(path)):
        yield str(path)
        return
    with path.open("rb") as stream:
        yield f"/dev/fd/{stream.fileno()}"


def _is_utf8(text: str) -> bool:
    return text.isascii() or _SURROGATE.search(text) is None


def _escape(found: re.Match[str]) -> str:
    if byte := _byte(found[0]):
        return f"\\x{ord(byte):02x}"
    return found[0].encode("unicode_escape").decode()


def _byte(surrogate: str) -> str:
    """The Latin-1 character of the byte that a surrogate stands for; "" if for none."""
    code = ord(surrogate) - 0xDC00
    return chr(code) if 0x80 <= code <= 0xFF else ""
