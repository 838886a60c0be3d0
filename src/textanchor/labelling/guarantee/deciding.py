"""From labels and scores to what may be labelled without a look, in words for whoever asks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from textanchor.labelling.guarantee.decision import Decision
from textanchor.labelling.guarantee.forecast import needed
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest
from textanchor.labelling.guarantee.protocol import form_of
from textanchor.labelling.guarantee.ranking import ranked
from textanchor.labelling.guarantee.wording import reason, refusal


def decide(calibration: Calibration, rest: Rest, promise: Promise) -> Decision:
    """Which of the rest may be labelled without a look, by the form that the promise names, and why or why none.

    Raises `UnknownNameError` for a form that nobody registered, and `InputError` for groups that are said on one side only.
    """
    guarantee = form_of(promise)
    accepted = guarantee.accepted(calibration, rest, promise)
    resolution = guarantee.resolution(calibration, rest, promise)
    refused = len(rest) > 0 and not accepted.any()
    more = needed(guarantee, calibration, rest, promise) if refused else None
    by_group = calibration.groups is not None
    told = reason(int(accepted.sum()), len(rest), promise, audited=guarantee.audited)
    return Decision(
        accepted=accepted,
        promised=bool(accepted.any()) and not guarantee.audited,
        reason=refusal(calibration, resolution, more, left=len(rest)) if refused else told,
        expected_error=_expected_error(accepted, calibration, rest, promise),
        resolution=resolution,
        more_labels=None if by_group else more,
        more_groups=more if by_group else None,
        spent_level=promise.spent_level if guarantee.spends == "level" else promise.level,
        spent_delta=promise.spent_delta if guarantee.spends == "delta" else promise.delta,
    )


def _expected_error(accepted: Bool[np.ndarray, " n"], calibration: Calibration, rest: Rest, promise: Promise) -> float:
    """Wrong calibration items among those as sure as the accepted, over what they stand for."""
    if not accepted.any() or not len(calibration):
        return float("nan")
    ranking = ranked(calibration, rest, promise.seed)
    through = ranking.before < np.flatnonzero(accepted[ranking.order])[-1] + 1
    counts = calibration.counts * through
    return float((counts * calibration.wrong).sum() / counts.sum()) if through.any() else float("nan")
