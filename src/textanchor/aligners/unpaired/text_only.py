"""What texts alone can teach: the gap between items and texts is closed by their means, and noise is told from text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, cast

import numpy as np
import torch
from jaxtyping import Float32
from scipy.linalg import eigh

from textanchor.aligners.closed_form import by_name, closed_form, solved
from textanchor.aligners.comparison import Comparison
from textanchor.aligners.protocol import aligner
from textanchor.aligners.ridge import linear
from textanchor.aligners.selection import Branches, Path, Point, away_from
from textanchor.projectors import Projector, project
from textanchor.projectors.chain import Chain
from textanchor.records import Choice, Fit, PairedLatents, Pooled, Task, Vectors
from textanchor.settings import Part, Positive

Texts = Float32[np.ndarray, "_t k"]
NOISE, NOISES = 0.3, (0.1, 0.3, 1.0, 3.0)


class TextOnly:
    """A closed form on pairs, then a map that is learned from texts alone, paired and unpaired, and applied to items.

    The mean of all projected items is taken out and that of all texts put in its place; then comes the linear map that best
    gives texts back from texts with noise: C (C + noise s I)^-1, C their covariance and s its mean variance. `noise` is chosen
    on validation.
    Sources: Zhang et al. 2024 (Connect, Collapse, Corrupt), arXiv:2401.08567, section 4; noise for the gap Nukrai et al. 2022
    (CapDec), arXiv:2211.00575, section 3; that noise is this penalty Bishop 1995, doi:10.1162/neco.1995.7.1.108.
    """

    ragged = False

    def __init__(self, *, base: Annotated[str, Part("aligner")] = "cca(hubness=csls)", noise: Positive | None = None) -> None:
        by_name(base)
        self.base, self.noise, self.by_names = base, noise, aligner(base).by_names

    def fit(self, task: Task) -> Fit:
        """The base chooses first, then `noise` is chosen."""
        first = aligner(self.base).fit(replace(task, refit=False)).choice
        values = away_from(NOISE, NOISES) if self.noise is None else [[self.noise]]
        branches: Branches = [[{"base": first.fixed, "noise": value} for value in branch] for branch in values]
        return closed_form(self._path(task), branches, _comparison(first), task)

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return solved(self._path(task), fit.choice, task)

    def _path(self, task: Task) -> Path:
        def path(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Chain]:
            for point in points:
                base = by_name(str(point["base"]))
                first = next(base.path(task)(pairs, [base.branches()[0][0]]))
                items, texts = _all(pairs, task)
                yield _followed(cast(Projector, first), project(first, items), texts, float(point["noise"]))

        return path


def _comparison(choice: Choice) -> Comparison:
    return Comparison(view=choice.view, hubness=choice.hubness)


def _all(pairs: PairedLatents, task: Task) -> tuple[Vectors, Texts]:
    """Items and texts with and without a partner."""
    items, texts, lone = [pairs.pooled], [pairs.anchors], task.unpaired
    if isinstance(lone.items, Pooled):
        items.append(lone.items.vectors)
    if lone.anchors is not None:
        texts.append(lone.anchors)
    return np.concatenate(items), np.concatenate(texts)


def _followed(first: Projector, raw: Texts, texts: Texts, noise: float) -> Chain:
    """The base, and after it the map from noisy texts to texts."""
    mean, rows = texts.mean(axis=0, dtype=np.float64), texts.astype(np.float64)
    rows -= mean
    values, basis = eigh(rows.T @ rows / len(rows))
    values = np.maximum(values, 0)
    weight = (basis * (values / (values + noise * max(values.mean(), 1e-12)))) @ basis.T
    second = linear(weight, mean - raw.mean(axis=0, dtype=np.float64) @ weight)
    made = Chain(
        dim_in=int(first.settings["dim_in"]),
        dim_out=len(mean),
        first=first.name,
        first_settings=first.settings,
        second=second.name,
        second_settings=second.settings,
    )
    made.first, made.second = cast(torch.nn.Module, first), second
    return made.eval()
