"""What has no partner."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding
from textanchor.space.fitting import counts

USE = {
    "train": "given to the aligner as unpaired data",
    "val": "left out, they judge nothing",
    "test": "left out, they judge nothing",
}


def check(examined: Examined) -> Iterator[Finding]:
    """Items without a text and texts without an item, by modality and side, and what becomes of them."""
    if not examined.ready.pairs.singles:
        return
    for modality in examined.sides:
        shown = [
            f"{side} {counted.lone_items} items without a text and {counted.lone_texts} texts without an item ({USE[side]})"
            for side, counted in counts(examined.ready, modality).items()
            if counted.lone_items or counted.lone_texts
        ]
        if shown:
            yield Finding(level="note", topic="singles", text="; ".join(shown), modality=modality)
