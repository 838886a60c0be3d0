"""Whether the table's own split can be used."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """Why it leaks, where it does."""
    if examined.refused:
        yield Finding(level="leak", topic="split", text=examined.refused)
