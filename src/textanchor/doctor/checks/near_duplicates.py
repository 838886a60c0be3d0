"""Items that are nearly the same without being copies."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding, some
from textanchor.doctor.hyperplanes import RECALL
from textanchor.doctor.near import ALIKE, NEAR, Near


def check(examined: Examined) -> Iterator[Finding]:
    """How many of each modality, in all and between sides, with an example."""
    for modality, near in examined.near.items():
        yield near_duplicates(near, modality)


def near_duplicates(near: Near, modality: str) -> Finding:
    """One modality's."""
    what = f"cosine of centred latents at least {NEAR}; items of one group left out"
    if not near.exact:
        what += (
            f"; sought among {len(near.labels)} items by random hyperplanes, which find at least {RECALL:.0%} of such pairs "
            "that stand apart from others"
        )
    if not near.pairs:
        return Finding(level="good", topic="near-duplicates", text=f"none ({what})", modality=modality)
    text = f"{near.pairs} pairs, {near.across} of them between sides of the split, such as {some(near.example)} ({what})"
    if near.across:
        text += "; give such items one group (--merged FILE writes the table so)"
    if near.alike:
        text += f"; {near.alike} of those between sides are one up to a small loss (cosine at least {ALIKE})"
    return Finding(level="leak" if near.alike else "warning", topic="near-duplicates", text=text, modality=modality)
