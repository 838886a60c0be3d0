"""Whether there are enough pairs to say anything, and of how many figures are."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding
from textanchor.doctor.sampling import enough
from textanchor.space.remarks import FEW


def check(examined: Examined) -> Iterator[Finding]:
    """Too few pairs to fit and judge, few that judge, or so many that fits were tried on a part of them."""
    for modality, fitted in examined.fitted.items():
        train, val = len(fitted.train.items), len(fitted.val.items)
        if not enough(fitted):
            text = f"{train} training and {val} validation items: too few to fit and judge anything"
            yield Finding(level="warning", topic="size", text=text, modality=modality)
        elif val < FEW:
            text = f"{val} validation items: every figure here is coarse"
            yield Finding(level="warning", topic="size", text=text, modality=modality)
        sides = examined.sides[modality]
        of = len(sides.train.items), len(sides.val.items)
        if (train, val) != of:
            text = f"fits and the curve are of a random {train} of {of[0]} training and {val} of {of[1]} validation items"
            yield Finding(level="note", topic="size", text=text, modality=modality)
