"""Text files as they come: packed or not, in UTF-8 or in UTF-16 with its mark."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def kind(path: Path) -> str:
    """The ending that says what is in a file: `.csv` of `pairs.csv.gz`."""
    ending = path.suffix.lower()
    return Path(path.stem).suffix.lower() if ending in PACKED else ending


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """A text file without its byte order mark. Raises `OSError`, `EOFError` or `UnicodeDecodeError`."""
    unpack = PACKED.get(path.suffix.lower())
    try:
        with unpack(path, "rb") if unpack else path.open("rb") as stream:
            encoding = "utf-16" if stream.read(2) in _UTF16 else "utf-8-sig"
            stream.seek(0)
            yield TextIOWrapper(stream, encoding=encoding, newline="")
    except lzma.LZMAError as why:
        raise OSError(str(why)) from None
