"""Whether latents and texts can be aligned at all."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.alignability import NOTHING
from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """The verdict on each modality; a warning where shuffled partners do as well."""
    for modality, seen in examined.alignability.items():
        level = "warning" if seen.verdict == NOTHING else "note"
        yield Finding(level=level, topic="alignable", text=seen.text, modality=modality)
