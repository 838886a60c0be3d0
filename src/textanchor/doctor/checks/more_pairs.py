"""What more pairs would bring."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """The learning curve and its extrapolation in words, of each modality that was fitted."""
    for modality, curve in examined.curves.items():
        yield Finding(level="note", topic="more pairs", text=curve.text, modality=modality)
