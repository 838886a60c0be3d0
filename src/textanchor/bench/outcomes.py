"""One run measured: fitted on train, judged on validation; or, for a final look, fitted on both and judged on test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from textanchor.bench.plan import Run
from textanchor.bench.worlds import World
from textanchor.errors import InputError
from textanchor.judging import judge, trial
from textanchor.records import Choice


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run's figures on one side of the split, what was chosen on the way, and the hits at 1 of every query."""

    run: Run
    side: str
    figures: Mapping[str, float]
    chosen: Mapping[str, Choice]
    seconds: float
    hits: Mapping[str, np.ndarray]
    groups: Mapping[str, Sequence[str]]

    @property
    def score(self) -> float:
        """What methods are ordered by."""
        return self.figures["score"]


def measured(run: Run, world: World, side: str) -> Outcome:
    """Fit and judge. For `val` the fit has seen train alone; for `test` train and validation, values chosen on validation.

    Raises what the aligner raises, and `InputError` for figures that are no numbers.
    """
    tried = trial(run.aligner, world.tasks(seed=run.seed, refit=side != "val"))
    figures = judge(tried.geometry, world.side(side), shapes=True)
    plain = figures.plain()
    if wrong := [name for name, figure in plain.items() if not math.isfinite(figure)]:
        raise InputError(f"{wrong[0]} is {plain[wrong[0]]}: the vectors are no numbers any more; try a smaller rate")
    return Outcome(
        run=run,
        side=side,
        figures=plain,
        chosen={modality: replace(fit.choice, unseen=None) for modality, fit in tried.fits.items()},
        seconds=tried.seconds,
        hits={ranking.name: ranking.hits for ranking in figures.rankings},
        groups={ranking.name: ranking.groups for ranking in figures.rankings},
    )
