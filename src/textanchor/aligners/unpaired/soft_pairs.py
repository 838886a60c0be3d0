"""Items without a text learn from the texts that they may have: closed forms on pairs and on soft pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float32
from torch import nn

from textanchor.aligners.closed_form import by_name
from textanchor.aligners.comparison import Comparison, Statistics
from textanchor.aligners.judged import judged, preferred
from textanchor.aligners.protocol import aligner
from textanchor.aligners.unpaired.candidates import Candidates, candidates
from textanchor.aligners.unpaired.transport import matching
from textanchor.latents.paired_latents import are_classes
from textanchor.projectors import project
from textanchor.records import Choice, Fit, PairedLatents, Pooled, Setting, Task, Vectors, View
from textanchor.settings import Part, Positive, Whole
from textanchor.views import as_item, as_text, with_hubness

CANONICAL, CENTRING = (f"kernel-ridge(landmarks=2000, view={view}, hubness=csls)" for view in ("canonical", "centring"))
KNOWING = "with-names(base=kernel-ridge(landmarks=2000), hubness=csls)"


class SoftPairs:
    """A closed form on pairs proposes texts for unpaired items and is fitted again on both, for some `rounds`.

    An item's partner is the mean of the candidates' vectors under its row of the plan that `matching` makes of the scores:
    `sinkhorn`, which shares texts out so that none is a hub, `softmax` or `mutual`. Such a soft pair counts `weight` of a pair.
    Candidates are the unpaired texts, and where texts are class names the paired ones too. What is fitted is `base`, a closed
    form that chooses its values on the pairs alone; `auto` is kernel ridge regression under the canonical view, or where texts
    are class names under the centring one, unless the other of the two, or names that the encoder knows beside it, is better on
    validation by more than a standard error. The views' statistics come from the pairs,
    the bank against hubs from all data. With no unpaired items it is the base; with no rounds the base with that larger bank.
    Sources: self-training as in Artetxe et al. 2018, arXiv:1805.06297, section 3.3, with a transport plan for its dictionary as
    in Grave et al. 2019, arXiv:1805.11222, section 3.2.
    """

    ragged = False

    def __init__(
        self,
        *,
        base: Annotated[str, Part("aligner")] = "auto",
        rounds: Whole = 2,
        weight: Positive = 0.2,
        temperature: Positive = 0.03,
        matching: Literal["sinkhorn", "softmax", "mutual"] = "sinkhorn",
    ) -> None:
        if base != "auto":
            by_name(base)
        self.base, self.by_names = base, base == "auto" or aligner(base).by_names
        self.without_unpaired = None if base == "auto" else base
        self.rounds, self.weight, self.temperature, self.matching = rounds, weight, temperature, matching

    def fit(self, task: Task) -> Fit:
        """The base chooses on validation; rounds follow. Raises `LeakError` for unpaired items that judge."""
        known = candidates(replace(task, refit=False))
        first = self._first(replace(task, refit=False))
        said: dict[str, Setting] = {"rounds": self.rounds, "weight": self.weight, "temperature": self.temperature}
        notes = {**first.notes, "unpaired items": 0 if known is None else len(known.items)}
        choice = replace(
            first, aligner="", settings={"base": first.fixed, **said, "matching": self.matching}, notes=notes, scores={}
        )
        fit = judged(self.refined(choice, replace(task, refit=False), known), task)
        return self.again(fit, task) if task.refit and task.val is not None else fit

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return self.refined(fit.choice, task, candidates(task))

    def _first(self, task: Task) -> Choice:
        """What the base chooses; of several bases the first, unless another is clearly better on validation."""
        bases = _bases(task) if self.base == "auto" else (self.base,)
        if task.val is None:
            return aligner(bases[0]).fit(task).choice
        return preferred((aligner(spec).fit(task) for spec in bases), task.val).choice

    def refined(self, choice: Choice, task: Task, known: Candidates | None, first: nn.Module | None = None) -> Fit:
        """The rounds, from the base's fit on the pairs, or from the projector `first`."""
        base = by_name(str(choice.settings["base"]))
        path, point = base.path(task), base.branches()[0][0]
        pairs, seen = task.fitted, _Seen(task, choice, known)
        projector = next(path(pairs, [point])) if first is None else first
        view = seen.view(projector)
        for _ in range(self.rounds if known is not None else 0):
            assert known is not None
            projector = next(path(pairs.joined(self._soft(projector, view, known, pairs)), [point]))
            view = seen.view(projector)
        return Fit(projector=projector, view=view, choice=choice)

    def _soft(self, projector: nn.Module, view: View, known: Candidates, pairs: PairedLatents) -> PairedLatents:
        """The unpaired items that found a partner, with its vector as their one text."""
        scores = as_item(view, project(projector, known.items.vectors)) @ as_text(view, known.anchors).T
        plan = matching(self.matching)(scores, known.shares, self.temperature)
        return soft_pairs(
            known, plan @ known.anchors, np.asarray(plan.sum(axis=1) > 0), weight=self.weight, modality=pairs.modality
        )


def _bases(task: Task) -> tuple[str, ...]:
    """What `auto` chooses from, the default first."""
    views = (CENTRING, CANONICAL) if are_classes(task.train) else (CANONICAL, CENTRING)
    return (*views, KNOWING) if task.named is not None else views


class _Seen:
    """Views of fits: statistics from the pairs, and a bank against hubs that unpaired items and texts enter too."""

    def __init__(self, task: Task, choice: Choice, known: Candidates | None) -> None:
        self._statistics = Statistics(task.fitted, task)
        self._choice, self._known, self._seed = choice, known, task.seed

    def view(self, projector: nn.Module) -> View:
        raw = self._statistics.projected(projector)
        plain = self._statistics.view(Comparison(view=self._choice.view), raw)
        items, anchors = [raw], [self._statistics.own]
        if self._known is not None:
            items.append(project(projector, self._known.items.vectors))
            anchors.append(self._known.anchors)
        banks = {"items": np.concatenate(items), "anchors": np.concatenate(anchors)}
        return with_hubness(plain, self._choice.hubness, seed=self._seed, **banks)


def soft_pairs(known: Candidates, partners: Vectors, found: np.ndarray, *, weight: float, modality: str) -> PairedLatents:
    """Candidates' items that found a partner, each with a text of its own that stands for it and counts `weight`."""
    rows = np.flatnonzero(found)
    items = known.items.take(rows)
    return one_text_each(
        items,
        partners[rows].astype(np.float32),
        texts=tuple(f"partner of {name}" for name in items.ids),
        groups=tuple(known.groups[row] for row in rows),
        counts=np.full(len(rows), weight, np.float32),
        modality=modality,
    )


def one_text_each(
    items: Pooled,
    anchors: Vectors,
    *,
    texts: tuple[str, ...],
    groups: tuple[str, ...],
    counts: Float32[np.ndarray, " n"],
    modality: str,
) -> PairedLatents:
    """Pairs whose items each have the text of their row, and count as much as `counts` says."""
    places = np.arange(len(items))
    return PairedLatents(
        modality=modality,
        items=items,
        texts=texts,
        anchors=anchors,
        edges=np.stack([places, places], axis=1),
        weights=np.ones(len(items), np.float32),
        groups=groups,
        counts=counts,
    )


def wasserstein_procrustes(*, rounds: Whole = 5, weight: Positive = 1.0, temperature: Positive = 0.03) -> SoftPairs:
    """A rotation and a transport plan, each found anew by the other, started by the pairs.

    Source: Grave et al. 2019, arXiv:1805.11222, section 3.2, with entropy and all data at once instead of batches.
    """
    return SoftPairs(base="procrustes(hubness=csls)", rounds=rounds, weight=weight, temperature=temperature)


def mutual_neighbours(
    *, base: Annotated[str, Part("aligner")] = "auto", rounds: Whole = 2, weight: Positive = 0.2
) -> SoftPairs:
    """Hard pairs: unpaired items and texts that are each other's nearest."""
    return SoftPairs(base=base, rounds=rounds, weight=weight, matching="mutual")
