"""Whether latents and texts can be aligned at all: agreement against shuffled partners, rotation, few pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from textanchor.doctor.closed_forms import CLOSED, Reached, closed_best, reached
from textanchor.errors import InputError
from textanchor.judging import naming_hits, paired, trial
from textanchor.judging.differences import Difference
from textanchor.latents.paired_latents import are_classes, representatives
from textanchor.metrics.agreement import Permuted, cka_against_shuffled, knn_against_shuffled
from textanchor.metrics.interval import Interval, of_share
from textanchor.records import PairedLatents
from textanchor.records.showing import short
from textanchor.space.preparing import Sides
from textanchor.space.thinning import thinned, with_own_validation

THINGS, FEWEST = 1000, 20  # things whose agreement is measured: at most, and with fewer nothing is said
LEVEL = 0.025  # of a p-value: two measures are looked at
SHARE, ITEMS, DRAWS = 0.02, 20, 3  # the smallest budget: of the training groups, of items at least; random ones
NEIGHBOURS = 10
NOTHING, UNTOLD = "nothing here says that these spaces share structure: shuffled partners do as well", "cannot be told"

MAPS = {
    "better": "a free linear map adds to a rotation",
    "worse": "a rotation is better than a free linear map",
    "equal": "a rotation does as well as a free linear map",
    "cannot tell": "a free linear map adds nothing that can be told to a rotation",
}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What pairs of so many items reach on validation: recall@1 of naming items, and its interval."""

    items: int
    recall: float
    interval: Interval | None

    def beyond(self, floor: float) -> bool:
        """Whether the whole interval is above a floor."""
        return self.interval is not None and self.interval[0] > floor

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.items}: {self.recall:.3f}" + _between(self.interval, "{:.3f}")


@dataclass(frozen=True, kw_only=True)
class Alignability:
    """What says that latents and anchor vectors of the same things share structure.

    Of `things`, one training item a group, or classes with their mean latents, mutual `k`-NN (`knn`) and debiased CKA are set
    against shuffled partners. `few` and `full` are what the smallest budget and all pairs reach, `floor` what naming always the
    commonest text would; `gap` is what ridge regression adds to a rotation. None where there is
    too little to measure or fit.
    """

    __repr__ = short

    things: int
    classes: bool
    k: int
    knn: Permuted | None
    cka: Permuted | None
    few: Budget | None = None
    full: Budget | None = None
    floor: float = 0.0
    gap: Difference | None = None

    @property
    def verdict(self) -> str:
        """`alignable`, `weakly`, or in words that nothing says so or that it cannot be told.

        Alignable: a measure of agreement is beyond shuffled partners, and the fits are beyond the floor. Weakly: some of that.
        Of classes a fit says nothing: it learns them one by one, whatever they are called.
        """
        structure = any(one is not None and one.p <= LEVEL for one in (self.knn, self.cka))
        learnt = self.full is not None and self.full.beyond(self.floor)
        if self.things < FEWEST or self.full is None:
            return UNTOLD
        if not structure and (self.classes or not learnt):
            return NOTHING
        return "alignable" if structure and learnt and (not self.few or self.few.beyond(self.floor)) else "weakly"

    @property
    def text(self) -> str:
        """The verdict and what it stands on, in one sentence."""
        what = "classes" if self.classes else "items"
        told = {
            "alignable": "alignable: real partners agree beyond shuffled ones, and fits find them",
            "weakly": "weakly alignable: agreement or fits are near what shuffled partners would give",
            UNTOLD: f"cannot be told: {self.things} {what} to compare with shuffled partners (at least {FEWEST} are needed)",
        }
        if self.full is None and self.things >= FEWEST:
            told[UNTOLD] = "cannot be told: too few items to fit and judge anything"
        parts = [f"mutual {self.k}-NN {_against(self.knn)}"] if self.knn else []
        parts += [f"CKA {_against(self.cka)}"] if self.cka else []
        parts += [f"of {self.things} {what}"] if parts else []
        return "; ".join([told.get(self.verdict, self.verdict), *([", ".join(parts)] if parts else []), *self._fits()])

    def _fits(self) -> list[str]:
        fits = [budget.text for budget in (self.few, self.full) if budget]
        told = [f"R@1 by training items {', '.join(fits)} (floor {self.floor:.3f})"] if fits else []
        if self.gap:
            told.append(f"{MAPS[self.gap.verdict]} ({self.gap.gain:+.3f} R@1{_between(self.gap.interval, '{:+.3f}')})")
        if self.classes and self.verdict == NOTHING:
            told.append("a fit learns such classes one by one, and will not find names that no item had")
        return told

    def row(self) -> dict[str, Any]:
        """Plain figures."""
        measures = {f"mutual {self.k}-NN": self.knn, "CKA": self.cka, "smallest budget": self.few, "full fit": self.full}
        return {
            "verdict": self.verdict,
            "classes" if self.classes else "items": self.things,
            **{name: asdict(held) if held else None for name, held in measures.items()},
            "floor": self.floor,
            "ridge - procrustes": self.gap.row() if self.gap else None,
        }


def alignability(sides: Sides, fits: Sequence[Reached], *, device: str = "cpu", seed: int = 0) -> Alignability:
    """Agreement on train against its null; of `fits`, those of `closed_forms.compared` or none, what they and few pairs reach.

    Memory and time of the null grow with the square of at most 1000 things.
    """
    train = sides.train
    classes = are_classes(train)
    left, right = representatives(train if classes else _one_a_group(train), limit=THINGS, classes=THINGS)
    k = max(1, min(NEIGHBOURS, (len(left) - 1) // 4))
    seen = Alignability(
        things=len(left),
        classes=classes,
        k=k,
        knn=knn_against_shuffled(left, right, k=k, seed=seed),
        cka=cka_against_shuffled(left, right, seed=seed),
    )
    if not fits:
        return seen
    best = closed_best(fits)
    rotation = reached("procrustes", sides, device=device, seed=seed)
    linear = next(fit for fit in fits if fit.name == CLOSED[0])
    return replace(
        seen,
        few=smallest(sides, best.name, device=device, seed=seed),
        full=Budget(items=len(train.items), recall=best.recall, interval=best.interval),
        floor=best.largest_class,
        gap=paired(linear.hits, rotation.hits, sides.val.groups),
    )


def smallest(sides: Sides, spec: str, *, device: str = "cpu", seed: int = 0) -> Budget | None:
    """What 2 % of the training groups, or those of about 20 items, reach by themselves: they also choose; mean of three draws.

    None where that is more than half of them, or too few to fit and choose.
    """
    share = max(SHARE, ITEMS / max(len(sides.train.items), 1))
    hits, sizes = [], []
    for draw in range(DRAWS if share <= 0.5 else 0):
        few = thinned(sides, share, seed + draw)
        try:
            own = with_own_validation(few, seed=seed)
        except InputError:
            continue
        if min(len(own.train.texts), len(own.val.texts)) < 2:
            continue
        outcome = trial(spec, {own.train.modality: own.task(device=device, seed=seed)})
        hits.append(naming_hits(outcome.geometry, sides.val))
        sizes.append(len(few.train.items))
    if not hits:
        return None
    mean = np.mean(hits, axis=0)
    return Budget(items=round(float(np.mean(sizes))), recall=float(mean.mean()), interval=of_share(mean, sides.val.groups))


def _one_a_group(pairs: PairedLatents) -> PairedLatents:
    """Items of one group are alike on both sides, so that only groups can be shuffled."""
    first = {group: row for row, group in reversed(list(enumerate(pairs.groups)))}
    return pairs.take(sorted(first.values()))


def _against(permuted: Permuted) -> str:
    null = f"{permuted.mean:.3f} of shuffled partners (95 % below {permuted.high:.3f}, p {permuted.p:.3f})"
    return f"{permuted.statistic:.3f} against {null}"


def _between(interval: Interval | None, form: str) -> str:
    return f" [{form.format(interval[0])}, {form.format(interval[1])}]" if interval else ""
