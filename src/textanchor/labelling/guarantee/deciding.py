"""From labels and scores to what may be labelled without a look, in words for whoever asks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from textanchor import registry
from textanchor.labelling.guarantee.decision import Decision
from textanchor.labelling.guarantee.forecast import needed
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest
from textanchor.labelling.guarantee.protocol import Guarantee
from textanchor.labelling.guarantee.ranking import ranked


def decide(calibration: Calibration, rest: Rest, promise: Promise) -> Decision:
    """Which of the rest may be labelled without a look, by the form that the promise names, and why or why none.

    Raises `UnknownNameError` for a form that nobody registered, and `InputError` for groups that are said on one side only.
    """
    guarantee: Guarantee = registry.part("guarantee", promise.form)
    accepted = guarantee.accepted(calibration, rest, promise)
    resolution = guarantee.resolution(calibration, rest, promise)
    more = None if accepted.any() or not len(rest) else needed(guarantee, calibration, rest, promise)
    by_group = calibration.groups is not None
    return Decision(
        accepted=accepted,
        promised=bool(accepted.any()) and not guarantee.audited,
        reason=_reason(accepted, calibration, promise, resolution, more),
        expected_error=_expected_error(accepted, calibration, rest, promise),
        resolution=resolution,
        more_labels=None if by_group else more,
        more_groups=more if by_group else None,
    )


def _expected_error(accepted: Bool[np.ndarray, " n"], calibration: Calibration, rest: Rest, promise: Promise) -> float:
    """Wrong calibration items among those as sure as the accepted, over what they stand for."""
    if not accepted.any() or not len(calibration):
        return float("nan")
    ranking = ranked(calibration, rest, promise.seed)
    through = ranking.before < np.flatnonzero(accepted[ranking.order])[-1] + 1
    counts = calibration.counts * through
    return float((counts * calibration.wrong).sum() / counts.sum()) if through.any() else float("nan")


def _reason(
    accepted: Bool[np.ndarray, " n"], calibration: Calibration, promise: Promise, resolution: float, more: int | None
) -> str:
    if accepted.any():
        return f"{accepted.sum()} of {len(accepted)} may be labelled without a look ({promise.form}, level {promise.level:g})"
    if not len(accepted):
        return "nothing is left to label"
    what = "labels" if calibration.groups is None else "groups"
    done = "labels drawn at random" if calibration.groups is None else "groups with labels"
    ask = f"label {more} more random items" if calibration.groups is None else f"label items of {more} more groups"
    ahead = f"; {ask} (an estimate)" if more else f"; no number of further {what} is in sight that would do"
    if resolution > 1:
        return f"no promise can be made from {calibration.units} {done}: they are too few whatever they say{ahead}"
    return (
        f"no promise can be made: {calibration.units} {done} could vouch for {resolution:.0%} of the rest at best, and among "
        f"so many the proposals are wrong too often{ahead}"
    )
