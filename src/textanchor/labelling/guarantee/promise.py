"""What is promised, what it is promised from, and about which items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float64, Int

from textanchor.errors import InputError
from textanchor.labelling.guarantee.batches import Batch

KEPT_BACK = 0.1  # of the level, out of fold

Scored: TypeAlias = Literal["held apart", "out of fold"]
Spends: TypeAlias = Literal["level", "delta"]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """At most a share `level` wrong among what is labelled without a look, by the form of that name.

    `average`: in the mean over all that chance might have drawn. `confidence`: except with probability `delta`. `audit`: the
    same, by a person who looks at some of them. `seed` breaks ties and draws whatever is drawn. Where several batches are
    decided from the same labels, the promise is about all of them together and `batch` says which this is: on average, a
    batch spends its share of `level` (`spent_level`), else of `delta` (`spent_delta`). Raises `InputError`.
    """

    form: str = "average"
    level: float = 0.05
    delta: float = 0.1
    seed: int = 0
    batch: Batch = field(default_factory=Batch)

    def __post_init__(self) -> None:
        for name, value in (("level", self.level), ("delta", self.delta)):
            if not 0 < value < 1:
                raise InputError(f"{name} is {value}; expected a share above 0 and below 1, such as {getattr(Promise, name)}")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; expected a whole number of 0 or more")

    @property
    def spent_level(self) -> float:
        """This batch's share of the level."""
        return self.level * self.batch.share

    @property
    def spent_delta(self) -> float:
        """This batch's share of delta."""
        return self.delta * self.batch.share


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Labels drawn at random, as exams of the proposer: its score, and whether it was wrong where it had not seen the label.

    `groups` [m] says that whole groups were drawn, and which; None that items were, one by one. An item stands for `weights`
    [m] items of its group, 1 if None: all of a group's items over the labelled ones. `scored` says whose scores these are:
    of a model that saw none of these labels (`held apart`), or of one model a fold.
    """

    scores: Float64[np.ndarray, " m"]
    wrong: Bool[np.ndarray, " m"]
    groups: Int[np.ndarray, " m"] | None = None
    weights: Float64[np.ndarray, " m"] | None = None
    scored: Scored = "out of fold"

    def __post_init__(self) -> None:
        same_length(self.scores, self.wrong, self.groups, self.weights)
        if self.weights is not None and not (np.isfinite(self.weights).all() and (self.weights > 0).all()):
            raise InputError("weights of calibration labels must be finite and above 0")

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def units(self) -> int:
        """How much was drawn: items, or groups."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    @property
    def counts(self) -> Float64[np.ndarray, " m"]:
        """How many items each stands for."""
        return np.ones(len(self)) if self.weights is None else self.weights


@dataclass(frozen=True, kw_only=True)
class Rest:
    """Items that nobody labelled: the score of each one's proposal, and its group, which matters if groups were drawn."""

    scores: Float64[np.ndarray, " n"]
    groups: Int[np.ndarray, " n"] | None = None

    def __post_init__(self) -> None:
        same_length(self.scores, self.groups)

    def __len__(self) -> int:
        return len(self.scores)


def same_length(scores: np.ndarray, *others: np.ndarray | None) -> None:
    """Raise `InputError` unless all are columns of one table, and the scores finite."""
    strange = [type(one).__name__ for one in (scores, *others) if one is not None and not isinstance(one, np.ndarray)]
    if strange:
        raise InputError(f"scores and what belongs to them hold a {strange[0]}; expected numpy arrays")
    if scores.ndim != 1 or any(one is not None and one.shape != scores.shape for one in others):
        shapes = ", ".join(str(one.shape) for one in (scores, *others) if one is not None)
        raise InputError(f"scores and what belongs to them have the shapes {shapes}; expected one number an item in each")
    if not np.isfinite(scores).all():
        raise InputError(
            f"{(~np.isfinite(scores)).sum()} of {len(scores)} scores are not finite; a proposer gives probabilities"
        )


def allowed(calibration: Calibration, level: float) -> float:
    """The level that is worked with: nine tenths of it where scores come out of fold.

    The tenth is kept back for what no proof covers: the best proposer was chosen, evidence weighed and models taught by labels
    that then examine. Where groups were drawn, counting whole groups as wrong keeps back more than that.
    """
    kept = KEPT_BACK if calibration.scored == "out of fold" and calibration.groups is None else 0.0
    return level * (1 - kept)


def grouped(rest: Rest) -> Int[np.ndarray, " n"]:
    """The groups of a rest whose calibration labels were drawn by group. Raises `InputError` if they are not said."""
    if rest.groups is None:
        raise InputError("calibration labels were drawn by group and the groups of the rest are not said; give both or neither")
    return rest.groups
