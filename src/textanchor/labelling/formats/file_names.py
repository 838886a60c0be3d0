"""Names of files and folders from names of any kind, such as classes that people typed."""

from __future__ import annotations

import hashlib
import re

from textanchor.escaping import writable

LONGEST = 120  # bytes of a name; the systems' limit is 255
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]')
_TAKEN = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_name(name: str) -> str:
    """One part of a path that is legal everywhere, leads nowhere else, and differs for names that differ.

    What is unsafe is written as %XX, as in URLs; a long name is cut and ends in a hash.
    """
    told = _UNSAFE.sub(lambda found: _escaped(found[0]), writable(name))
    if told[:1] in (".", " ", "-", "~"):
        told = _escaped(told[0]) + told[1:]
    if told[-1:] in (".", " "):
        told = told[:-1] + _escaped(told[-1])
    if not told or _TAKEN.fullmatch(told):
        told = f"%{told}"
    if len(told.encode()) <= LONGEST:
        return told
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    stem, dot, ending = told.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) <= 8 and ending.isascii() else ""
    short = told.encode()[: LONGEST - len(mark) - 1 - len(ending)].decode(errors="ignore")
    return f"{short}~{mark}{ending}"


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
