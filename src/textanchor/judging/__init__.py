"""Fitting, projecting and judging, once for the bench, the doctor and every evaluation."""

from textanchor.judging.differences import Difference, difference, paired, verdict
from textanchor.judging.figures import Figures, Ranking, Shape
from textanchor.judging.jobs import Job, at_a_time, attempted, finished
from textanchor.judging.judge import judge, naming_hits
from textanchor.judging.trial import Outcome, trial

__all__ = [
    "Difference",
    "Figures",
    "Job",
    "Outcome",
    "Ranking",
    "Shape",
    "at_a_time",
    "attempted",
    "difference",
    "finished",
    "judge",
    "naming_hits",
    "paired",
    "trial",
    "verdict",
]
