"""What further labels would bring: the learning curve of a proposer on the labels at hand, and a law through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textanchor.labelling.choosing import fold_of
from textanchor.labelling.pool import Labelled, Pool
from textanchor.labelling.proposers import Proposer
from textanchor.metrics.power_law import Extrapolated, Point, extrapolated

SHARES = (0.25, 0.4, 0.6, 0.8, 1.0)
FOLDS = 5
FEWEST = 20  # drawn labels below which nothing is told


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How the share of right proposals grew with labels, and what `more` of them would add to it, if that can be told.

    `points` are measured out of fold on labels drawn at random: the largest one tells of fewer labels than there are.
    """

    points: tuple[Point, ...]
    more: int
    rest: int
    gain: Extrapolated

    @property
    def freed(self) -> int | None:
        """Items of the rest that would be proposed right instead of wrong; None where it cannot be told."""
        return None if self.gain.gain is None else round(self.gain.gain * self.rest)

    def says(self) -> str:
        """In one sentence."""
        if self.gain.gain is None or self.gain.interval is None:
            return f"what {self.more} more labels would bring cannot be told: {self.gain.why}"
        low, high = (round(end * self.rest) for end in self.gain.interval)
        return f"{self.more} more labels would put about {self.freed} more of {self.rest} items right ({low} to {high})"


def growth(pool: Pool, labelled: Labelled, proposer: Proposer, *, more: int, seed: int = 0) -> Growth:
    """What so many more labels like those at hand would add, at most as many again.

    The proposer learns from parts of the labels and is judged on drawn ones that it has not seen, nor their units, in five
    folds; then a power law goes through the curve. Chosen labels teach with the others and judge nothing, since they are
    harder than the rest. See `metrics.power_law.extrapolated` for what makes it abstain.
    """
    judges = np.flatnonzero(labelled.drawn)
    rest = len(pool) - len(labelled)
    if len(judges) < FEWEST:
        why = f"{len(judges)} labels were drawn at random; expected {FEWEST} or more"
        return Growth(points=(), more=more, rest=rest, gain=Extrapolated(gain=None, interval=None, why=why))
    points = tuple(_point(pool, labelled, proposer, share, seed) for share in SHARES)
    units = [str(unit) for unit in pool.units[labelled.rows[judges]]]
    ends = (len(labelled), len(labelled) + more)
    return Growth(points=points, more=more, rest=rest, gain=extrapolated(points, units, ends, seed=seed))


def _point(pool: Pool, labelled: Labelled, proposer: Proposer, share: float, seed: int) -> Point:
    """Hits on the drawn labels after learning from a share of the others, the same order of labels for every share."""
    part = fold_of(pool.units[labelled.rows], FOLDS, seed)
    hits, sizes = np.zeros(len(labelled)), []
    for fold in np.unique(part):
        others = np.random.default_rng([seed, int(fold)]).permutation(np.flatnonzero(part != fold))
        taught = labelled.taken(np.sort(others[: max(1, round(share * len(others)))]))
        held = part == fold
        found = proposer.propose(pool, taught, seed=seed)[labelled.rows[held]].argmax(axis=1)
        hits[held] = found == labelled.classes[held]
        sizes.append(len(taught))
    return Point(size=round(float(np.mean(sizes))), hits=(hits[labelled.drawn],))
