"""A labelling project of made-up points, and people who know the truth. No test itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from textanchor.labelling.features import half_whitened
from textanchor.labelling.project import Project, Settings
from textanchor.labelling.project.filling import Filled
from textanchor.records import Item

COUNT, CLASSES = 60, ("red", "green", "blue")


def made(file: Path, *, count: int = COUNT, seed: int = 0, apart: float = 3.0, **settings: Any) -> Project:
    """Three clouds of points, a third of the items each."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 3
    latents = (rng.normal(size=(3, 8))[truth] * apart + rng.normal(size=(count, 8))).astype(np.float32)
    filled = Filled(
        items=[Item(id=f"item {row}", modality="document", value=f"words {row}") for row in range(count)],
        features=[half_whitened("document", latents)],
    )
    return Project.begin(file, filled, classes=CLASSES, settings=Settings(strategy="random", **settings))


def answered(project: Project, count: int, who: str = "Ada", **how: Any) -> None:
    """Somebody who knows the truth decides on so many items."""
    for ask in project.next(who, count, **how):
        project.decide(ask.entry.id, classes=[CLASSES[int(ask.entry.id.split()[1]) % 3]], who=who)
