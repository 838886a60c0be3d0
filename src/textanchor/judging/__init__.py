"""Fitting, projecting and judging, once for the bench, the doctor and every evaluation."""

from textanchor.judging.differences import Difference, difference, paired, verdict
from textanchor.judging.figures import Figures, Ranking, Shape
from textanchor.judging.judge import judge, naming_hits
from textanchor.judging.trial import Outcome, trial

__all__ = [
    "Difference",
    "Figures",
    "Outcome",
    "Ranking",
    "Shape",
    "difference",
    "judge",
    "naming_hits",
    "paired",
    "trial",
    "verdict",
]
