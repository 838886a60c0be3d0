"""Whether items name their source."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """A reminder where no row has a group."""
    if not any(pair.group for pair in examined.ready.given.rows):
        text = "no `group` column: where several items come from one source (a speaker, a recording), name it, or splits leak"
        yield Finding(level="note", topic="groups", text=text)
