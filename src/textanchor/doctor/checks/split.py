"""By what split everything is judged."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """Its name and its remarks; a warning where it shares groups on purpose."""
    split = examined.ready.split
    text = "; ".join((split.name, *split.notes))
    yield Finding(level="warning" if split.shares_groups else "note", topic="split", text=text)
