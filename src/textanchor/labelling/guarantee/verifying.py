"""Whether a certificate's decision is the one that follows from what it says, and from the scores of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from textanchor.errors import InputError
from textanchor.labelling.guarantee.auditing import Audited, audited
from textanchor.labelling.guarantee.certificate import Certificate
from textanchor.labelling.guarantee.protocol import Guarantee, form_of

CLOSE = 1e-5  # between scores of two runs: another batching of a model differs by as much


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What does not fit, nothing if all does; of an audit, where it stands; `accepted` items of `rest` and their promise."""

    problems: tuple[str, ...]
    accepted: int
    rest: int
    audit: Audited | None

    @property
    def holds(self) -> bool:
        """Whether all fits, and what was promised is: an audit must have been met."""
        return not self.problems and (self.audit is None or self.audit.verdict == "met")


def verify(certificate: Certificate, *, scores: Mapping[str, float] | None = None) -> Verified:
    """Make the decision of a certificate again. `scores` are those of today by item, of which all that are known must be the
    same. Raises `UnknownNameError` for a form that is not installed here."""
    form = form_of(certificate.promise)
    problems = [*_sealed(certificate), *_decided(certificate, form), *_scored(certificate, scores or {})]
    audit = None
    if form.audited:
        try:
            audit = audited(len(certificate.accepted), certificate.looks, certificate.promise, declared=certificate.declared)
        except InputError as why:
            problems.append(str(why))
    return Verified(problems=tuple(problems), accepted=len(certificate.accepted), rest=len(certificate.rest), audit=audit)


def _sealed(certificate: Certificate) -> list[str]:
    if certificate.sealed().digest == certificate.digest:
        return []
    return ["its digest is another: something was changed after it was made"]


def _decided(certificate: Certificate, form: Guarantee) -> list[str]:
    try:
        again = form.accepted(certificate.calibration, certificate.rest, certificate.promise)
    except InputError as why:
        return [str(why)]
    if np.flatnonzero(again).tolist() == list(certificate.accepted):
        return []
    made = dict(certificate.versions).get("numpy", "unknown")
    other = "" if made == np.__version__ else f" (made with numpy {made}, here is {np.__version__})"
    told, count = int(again.sum()), len(certificate.accepted)
    ways = f"{count} others of them" if told == count else f"{count}"
    return [f"{told} items follow from what it says, and it lets {ways} through{other}"]


def _scored(certificate: Certificate, scores: Mapping[str, float]) -> list[str]:
    names = (*certificate.exams, *certificate.items)
    told = np.concatenate([certificate.calibration.scores, certificate.rest.scores])
    other = [name for name, one in zip(names, told.tolist(), strict=True) if abs(scores.get(name, one) - one) > CLOSE]
    return [f"{len(other)} items have other scores today, {other[0]} for one"] if other else []
