"""What validation says of a fit that is there already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

import numpy as np

from textanchor.aligners.naming import naming
from textanchor.aligners.selection import judges, rated, reciprocal_ranks, softness, unseen
from textanchor.projectors import project
from textanchor.records import Fit, PairedLatents, Task


def judged(fit: Fit, task: Task) -> Fit:
    """The fit with its score, temperature and naming on validation, where the task has it; it must not be fitted on that."""
    if task.val is None:
        return fit
    val, notes = judges(task.val, seed=task.seed)
    raw = project(fit.projector, val.inputs)
    choice = replace(
        fit.choice,
        chosen_on="validation",
        score=rated(raw, fit.view, val),
        centred_score=None,
        temperature=softness(fit.projector, fit.view, val, seed=task.seed),
        naming=naming(raw, fit.view, val),
        unseen=unseen(fit.projector, val, seed=task.seed),
        notes={**fit.choice.notes, **notes},
    )
    return replace(fit, choice=choice)


def preferred(fits: Iterable[Fit], val: PairedLatents) -> Fit:
    """The first, unless a later one is clearly better than what was preferred so far."""
    return reduce(lambda best, fit: fit if clearly_better(fit, best, val) else best, fits)


def clearly_better(mine: Fit, other: Fit, val: PairedLatents) -> bool:
    """Whether reciprocal ranks on validation are better by more than a standard error.

    Of many candidates one wins by chance where few items choose.
    """
    gain = reciprocal_ranks(mine, val) - reciprocal_ranks(other, val)
    return len(gain) > 1 and bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))
