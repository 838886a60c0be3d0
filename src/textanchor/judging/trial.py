"""An aligner tried on tasks: what it fitted, and the geometry that comes of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from textanchor.aligners import Aligner
from textanchor.aligners import aligner as make_aligner
from textanchor.projectors import Kept
from textanchor.records import Fit, Task
from textanchor.space.geometry import Geometry
from textanchor.space.items import TEXT
from textanchor.space.sides import AnchorSide, FittedSide, Side


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Fits by modality, the geometry of all of them together, and the seconds that fitting took."""

    fits: Mapping[str, Fit]
    geometry: Geometry
    seconds: float


def trial(aligner: str | Aligner, tasks: Mapping[str, Task]) -> Outcome:
    """Fit every modality's task by one aligner. Raises what the aligner raises."""
    fitter = make_aligner(aligner) if isinstance(aligner, str) else aligner
    start = time.perf_counter()
    fits = {modality: fitter.fit(task) for modality, task in tasks.items()}
    seconds = time.perf_counter() - start
    sides: dict[str, Side] = {TEXT: AnchorSide()}
    for modality, fit in fits.items():
        sides[modality] = FittedSide(Kept.of(fit.projector), fit.view)
    return Outcome(fits=fits, geometry=Geometry(sides), seconds=seconds)
