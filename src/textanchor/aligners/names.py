"""Names that the encoder's classifier knows: alone, where there are no pairs, and as what is known before a few pairs are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Annotated, cast

import numpy as np
import torch
from torch import nn

from textanchor import registry
from textanchor.aligners.closed_form import closed_form, solved, whole_or_closed
from textanchor.aligners.comparison import VIEWS, Comparison
from textanchor.aligners.protocol import aligner
from textanchor.aligners.selection import MANY, Branches, Path, Point, away_from
from textanchor.errors import InputError
from textanchor.projectors import Projector, project
from textanchor.projectors.names import Names, Prior, names_projector
from textanchor.records import Fit, Named, PairedLatents, Task
from textanchor.settings import Part, Positive, ViewName

TEMPERATURE, TEMPERATURES = 2.0, (1.5, 2.0, 3.0)
WEIGHT, WEIGHTS = 0.2, (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
WIDER = (*VIEWS, "whitening(shrinkage=0.8)")


@dataclass(frozen=True, kw_only=True)
class _Wider(Comparison):
    """One view more to choose from: names span the anchor's space better than few texts do."""

    @property
    def views(self) -> tuple[str, ...]:
        return WIDER if self.view == "auto" else (self.view,)


class ByNames:
    """The scores of the encoder's classifier times its names' anchor vectors.

    Of pairs it takes the temperature, the view and the mean of their texts, which it moves to, and nothing more.
    Raises `InputError` where the encoder knows no names. Source: see `projectors.names.Names`.
    """

    ragged, by_names = False, True

    def __init__(self, *, temperature: Positive | None = None, view: ViewName = "auto", hubness: str = "auto") -> None:
        self.temperature, self.comparison = temperature, _Wider(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """Choose on validation what is not given."""
        values = away_from(TEMPERATURE, TEMPERATURES) if self.temperature is None else [[self.temperature]]
        branches = [[{"temperature": value} for value in branch] for branch in values]
        return closed_form(self._path(task), branches, self.comparison, task)

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values; the view's statistics from all pairs."""
        return solved(self._path(task), fit.choice, task)

    def _path(self, task: Task) -> Path:
        named = known(task)

        def path(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Names]:
            for point in points:
                made = names_projector(named, float(point["temperature"]))
                off = pairs.targets.mean(axis=0) - project(made, pairs.inputs).mean(axis=0)
                made.vectors += torch.from_numpy(off)  # weights sum to 1, so all vectors move by as much as the names' do
                yield made

        return path


class WithNames:
    """Another aligner's projector plus `weight` times the names', both without their means.

    The sum is a fit that starts from what the classifier knew. `base` is a closed form such as `ridge` or
    `kernel-ridge(width=1)`, whose penalty is chosen together with `weight`, or any other aligner, such as `vse(space=anchor)`,
    which chooses by itself before the weight is chosen. The weight is in units of the ratio of the two parts' root mean square
    lengths on the training items, so that at 1 the two count alike there. With more than 2000 training items the base
    chooses its penalty first, by itself.
    """

    ragged, by_names = False, True

    def __init__(
        self,
        *,
        base: Annotated[str, Part("aligner")] = "ridge",
        weight: Positive | None = None,
        temperature: Positive = TEMPERATURE,
        view: ViewName = "auto",
        hubness: str = "auto",
    ) -> None:
        self.base, self.weight, self.temperature = whole_or_closed(base), weight, temperature
        self.spec, self.comparison = base, _Wider(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """Choose on validation what is not given."""
        specs = self._specs()
        if len(specs) > 1 and len(task.train.items) > MANY:
            specs = [aligner(self.spec).fit(replace(task, refit=False)).choice.fixed]
        return closed_form(self.path(task), self._branches(specs), self.comparison, task)

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return solved(self.path(task), fit.choice, task)

    def branches(self) -> Branches:
        """Weights at every penalty of the base."""
        return self._branches(self._specs())

    def _specs(self) -> list[str]:
        """The base with each of its penalties spelled."""
        name, given = registry.take_apart(self.spec)
        return [registry.spelled(name, {**given, **point}) for branch in self.base.branches() for point in branch]

    def _branches(self, specs: Sequence[str]) -> Branches:
        weights = away_from(WEIGHT, WEIGHTS) if self.weight is None else [[self.weight]]
        if len(specs) == 1:
            return [[{"base": specs[0], "weight": weight} for weight in branch] for branch in weights]
        return [[{"base": spec, "weight": weight} for spec in specs for branch in weights for weight in branch]]

    def path(self, task: Task) -> Path:
        """Projectors by the spelled base and the weight."""
        named, inner = known(task), self.base.path(task)
        prior = names_projector(named, self.temperature)

        def path(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Prior]:
            before = project(prior, pairs.inputs)
            groups = [(spec, [float(one["weight"]) for one in own]) for spec, own in groupby(points, itemgetter("base"))]
            bases = inner(pairs, [whole_or_closed(str(spec)).branches()[0][0] for spec, _ in groups])
            for base, (_, weights) in zip(bases, groups, strict=True):
                unit = _spread(project(base, pairs.inputs)) / max(_spread(before), 1e-12)
                for weight in weights:
                    yield _prior(base, prior, weight * unit, before.mean(axis=0))

        return path


def known(task: Task) -> Named:
    """The names of a task's encoder. Raises `InputError` where it has none."""
    if task.named is None:
        raise InputError(
            f"the {task.train.modality} encoder has no classifier whose classes have names; "
            "name one that has, or an aligner that needs none, such as ridge"
        )
    return task.named


def _spread(vectors: np.ndarray) -> float:
    return float(np.sqrt(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _prior(base: nn.Module, names: Names, weight: float, mean: np.ndarray) -> Prior:
    settings, inner = names.settings, cast(Projector, base)
    made = Prior(
        dim_in=int(settings["dim_in"]),
        dim_out=int(settings["dim_out"]),
        base=inner.name,
        base_settings=inner.settings,
        names_settings=settings,
    )
    made.base, made.names = base, names
    made.weight, made.mean = torch.tensor(weight, dtype=torch.float32), torch.from_numpy(mean.astype(np.float32))
    return made.eval()
