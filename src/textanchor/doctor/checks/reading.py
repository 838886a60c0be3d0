"""What cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """How many rows and items are left out, and why the first of them is."""
    skipped = examined.ready.skipped
    if skipped:
        text = f"{len(skipped)} rows or items cannot be used, the first: {skipped[0].item}: {skipped[0].reason}"
        yield Finding(level="warning", topic="reading", text=text)
