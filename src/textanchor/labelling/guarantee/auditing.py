"""How many of a finite list are wrong, said from some of them that a person looked at in random order: exact, however often
one asks, or once after a number of looks that was fixed beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Int
from scipy.stats import betabinom, hypergeom

from textanchor.errors import InputError
from textanchor.labelling.guarantee.promise import Promise

Verdict: TypeAlias = Literal["met", "refuted", "open"]
STEPS = 120  # of a forecast, from one look to all


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What is known after `looked` looks: `low` to `high` are wrong among the `left` that nobody looked at, both at once except
    with probability delta. `verdict`: `met` if at most the level, `refuted` if certainly more, else `open`."""

    looked: int
    wrong: int
    left: int
    low: int
    high: int
    verdict: Verdict

    @property
    def share(self) -> float:
        """Estimated share of wrong ones; NaN before the first look."""
        return self.wrong / self.looked if self.looked else float("nan")


def stream(accepted: Bool[np.ndarray, " n"], seed: int) -> Int[np.ndarray, " k"]:
    """Rows on trial in the random order in which they are shown. Whoever leaves one out ends the random order there."""
    return np.random.default_rng([seed, 3]).permutation(np.flatnonzero(accepted))


def audited(
    listed: int, wrong: Sequence[bool] | Bool[np.ndarray, " t"], promise: Promise, *, declared: int | None = None
) -> Audited:
    """What looks at the first items of `stream` say of a list of `listed`; wrong ones are mended, and count no more.

    Without `declared` one may ask after every look. With it, the number of looks fixed beforehand, one answer counts, which
    needs fewer looks: before that, everything is open. Raises `InputError` for more looks than items, or than were declared.
    """
    looks, found = len(wrong), int(np.sum(np.asarray(wrong, dtype=bool)))
    most = listed if declared is None else declared
    if not looks <= most <= listed or (declared is not None and declared < 1):
        raise InputError(
            f"{looks} of {listed} items were looked at, {declared} declared; expected at most as many as there are"
        )
    possible = _whenever if declared is None else _once if looks == declared else _not_yet
    counts = possible(listed, looks, found, promise) - found
    low, high = int(counts.min()), int(counts.max())
    verdict = _verdict(low, high, listed - looks, promise)
    return Audited(looked=looks, wrong=found, left=listed - looks, low=low, high=high, verdict=verdict)


def _verdict(low: int, high: int, left: int, promise: Promise) -> Verdict:
    allowed = promise.level * left * (1 + 1e-12)
    return "met" if high <= allowed else "refuted" if low > allowed else "open"


def _not_yet(listed: int, looks: int, found: int, promise: Promise) -> Int[np.ndarray, " k"]:
    """Numbers of wrong ones in all that no look rules out."""
    return np.arange(found, listed - looks + found + 1)


def _once(listed: int, looks: int, found: int, promise: Promise) -> Int[np.ndarray, " k"]:
    """Those of which neither so few nor so many found would be rarer than delta / 2 (Clopper and Pearson, for a list)."""
    counts = _not_yet(listed, looks, found, promise)
    few, many = hypergeom.cdf(found, listed, counts, looks), hypergeom.sf(found - 1, listed, counts, looks)
    return counts[(few > promise.spent_delta / 2) & (many > promise.spent_delta / 2)]


def _whenever(listed: int, looks: int, found: int, promise: Promise) -> Int[np.ndarray, " k"]:
    """Those of which the prior probability is less than 1 / delta times what it has become by the looks.

    For the true number that ratio is a martingale that begins with 1, so that it ever exceeds 1 / delta with probability delta
    at most, whatever the prior (Waudby-Smith and Ramdas 2020, arXiv:2006.04347, theorem 2.1). The prior is a beta-binomial
    whose mean is half of the level: it decides how soon the answer comes, never whether it is right.
    """
    counts = _not_yet(listed, looks, found, promise)
    right = 2 / promise.level - 1
    before = betabinom.logpmf(counts, listed, 1, right)
    after = betabinom.logpmf(counts - found, listed - looks, 1 + found, right + looks - found)
    return counts[before - after < -np.log(promise.spent_delta)]


def looks_needed(listed: int, share: float, promise: Promise) -> int:
    """About how many looks until an audit of such a list ends, met or refuted, if always that share of the looked at is wrong;
    `listed` if it would not end before."""
    for looks in np.unique(np.geomspace(1, listed, STEPS).astype(int)) if listed else ():
        found = np.zeros(looks, dtype=bool)
        found[: round(share * looks)] = True
        if audited(listed, found, promise).verdict != "open":
            return int(looks)
    return listed
