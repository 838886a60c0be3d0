"""Items and texts are brought together by their structure alone: who is near to whom on either side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, cast

import numpy as np
from sklearn.decomposition import PCA

from textanchor.aligners.judged import judged
from textanchor.aligners.ridge import linear
from textanchor.aligners.unpaired.candidates import Candidates, candidates
from textanchor.aligners.unpaired.restarts import Matched, agreement, cluster_count, matched, part
from textanchor.aligners.unpaired.soft_pairs import wasserstein_procrustes
from textanchor.errors import AbstainedError
from textanchor.projectors import project
from textanchor.projectors.linear import Linear
from textanchor.records import Choice, Fit, PairedLatents, Setting, Task, Vectors
from textanchor.settings import Count, Positive, Rule, Whole

DIMENSIONS, LEAST = 64, 4  # principal axes in which restarts work; clusters below which nothing can be told
ENOUGH = 0.5  # of the way from chance to full agreement

Restarts = Annotated[int, Rule(meaning="a whole number of 2 or more", holds=lambda value: value >= 2)]


class Structure:
    """Clusters of items are matched to clusters of texts that stand to each other in the same way; a rotation follows.

    Several restarts, each on a random part of the data, match k-means centroids by quadratic assignment, with the task's pairs
    as known partners, and refine the rotation so found by `rounds` of soft pairs. The one under whose matching both sides are
    most alike is refined on all data. With no pairs there is an answer only where the restarts' answers agree: their mean
    cosine must come at least half of the way from that of matchings of random structures to 1. Otherwise `AbstainedError` is
    raised. With pairs the agreement is only noted, and it owes much to the pairs.

    Agreement is necessary and not sufficient. A symmetric structure, or one that is like another than its own, is matched
    wrongly in full agreement, and unpaired data alone cannot tell: a few pairs that were not fitted can.
    Sources: the idea Schnaus et al. 2025 (It's a (Blind) Match!), arXiv:2503.24129, and the Unpaired Rosetta matcher, 2026;
    the solver: see `assignment.assigned`; the rounds: see `soft_pairs.wasserstein_procrustes`.
    """

    ragged = False

    def __init__(
        self,
        *,
        clusters: Count = 30,
        restarts: Restarts = 8,
        rounds: Whole = 5,
        weight: Positive = 0.2,
        temperature: Positive = 0.03,
    ) -> None:
        self.clusters, self.restarts = clusters, restarts
        self.inner = wasserstein_procrustes(rounds=rounds, weight=weight, temperature=temperature)
        self.settings: dict[str, Setting] = {"clusters": clusters, "restarts": restarts, "rounds": rounds}
        self.settings |= {"weight": weight, "temperature": temperature, "base": self.inner.base}

    def fit(self, task: Task) -> Fit:
        """Nothing is chosen; validation judges. Raises `LeakError` for unpaired items that judge, and `AbstainedError`."""
        choice = Choice(settings=self.settings, view="centring", hubness="csls")
        fit = judged(self._fitted(choice, replace(task, refit=False)), task)
        return self.again(fit, task) if task.refit and task.val is not None else fit

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same on all pairs, which are seeds too."""
        return self._fitted(fit.choice, task)

    def _fitted(self, choice: Choice, task: Task) -> Fit:
        known, pairs = candidates(task), task.fitted
        count = 0 if known is None else cluster_count(known, self.clusters)
        if count < LEAST and not len(pairs.items):
            raise AbstainedError(f"{_sizes(known)} make {count} clusters, expected at least {LEAST}: {_ADVICE}")
        if known is None or count < LEAST:
            return self.inner.refined(choice, task, known)
        search = _Search(self, choice, task.seed, known, pairs)
        best, notes = search.best(count)
        texts = known.anchors if task.view_texts is None else np.concatenate([task.view_texts, known.anchors])
        whole = replace(task, train=task.train.joined(search.frame.back(best.matched.clusters)), view_texts=texts)
        noted = replace(choice, notes={**choice.notes, "unpaired items": len(known.items), **notes})
        if not len(pairs.items):
            return self.inner.refined(noted, whole, known, search.frame.whole(best.projector))
        first = self.inner.refined(choice, whole, None).projector
        return self.inner.refined(noted, replace(task, view_texts=texts), known, first)


@dataclass(frozen=True, kw_only=True)
class _Restart:
    matched: Matched
    projector: Linear


class _Search:
    """Restarts in the principal axes of both sides, where everything is small."""

    def __init__(self, asked: Structure, choice: Choice, seed: int, known: Candidates, pairs: PairedLatents) -> None:
        self.asked, self.choice, self.seed = asked, choice, seed
        self.frame = _Frame(known)
        self.known, self.pairs = self.frame.candidates(known), self.frame.pairs(pairs)

    def best(self, count: int) -> tuple[_Restart, dict[str, Setting]]:
        """The restart of the greatest likeness, and the figures. Raises `AbstainedError` without pairs and agreement."""
        found, notes = self._figures(count, chance=False)
        if not len(self.pairs.items):
            _, null = self._figures(count, chance=True)
            notes |= {f"{name} by chance": value for name, value in null.items()}
            _check(float(notes["agreement"]), float(null["agreement"]))
        return max(found, key=lambda one: one.matched.likeness), {"matched clusters": count, **notes}

    def _figures(self, count: int, *, chance: bool) -> tuple[list[_Restart], dict[str, Setting]]:
        found = [self._restart(count, number, chance=chance) for number in range(self.asked.restarts)]
        answers = [project(one.projector, self.known.items.vectors) for one in found]
        alike = float(np.mean([one.matched.likeness for one in found]))
        return found, {"agreement": round(agreement(answers), 3), "likeness": round(alike, 3)}

    def _restart(self, count: int, number: int, *, chance: bool) -> _Restart:
        rng = np.random.default_rng([self.seed, number, chance])
        seen = part(self.known, count, rng)
        found = matched(seen, self.pairs, count, rng, chance=chance)
        task = Task(train=self.pairs.joined(found.clusters), view_texts=seen.anchors, seed=self.seed)
        fit = self.asked.inner.refined(self.choice, task, seen)
        return _Restart(matched=found, projector=cast(Linear, fit.projector))


class _Frame:
    """Principal axes of items and of texts."""

    def __init__(self, known: Candidates) -> None:
        self.items, self.texts = _axes(known.items.vectors), _axes(known.anchors)

    def pairs(self, pairs: PairedLatents) -> PairedLatents:
        """Pairs in coordinates."""
        empty = not len(pairs.items)
        sides = (pairs.pooled, self.items), (pairs.anchors, self.texts)
        return _with(pairs, *(np.zeros((0, one.n_components_), np.float32) if empty else one.transform(x) for x, one in sides))

    def back(self, pairs: PairedLatents) -> PairedLatents:
        """Pairs in coordinates as latents and anchor vectors."""
        return _with(pairs, self.items.inverse_transform(pairs.pooled), self.texts.inverse_transform(pairs.anchors))

    def candidates(self, known: Candidates) -> Candidates:
        """Candidates in coordinates."""
        items = replace(known.items, vectors=self.items.transform(known.items.vectors).astype(np.float32))
        return replace(known, items=items, anchors=self.texts.transform(known.anchors).astype(np.float32))

    def whole(self, within: Linear) -> Linear:
        """The projector from latents to anchor vectors that one in coordinates stands for."""
        inner, bias = (one.detach().numpy().astype(np.float64) for one in (within.map.weight.T, within.map.bias))
        weight = self.items.components_.T @ inner @ self.texts.components_
        return linear(weight, self.texts.mean_ + bias @ self.texts.components_ - self.items.mean_ @ weight)


def _axes(vectors: Vectors) -> PCA:
    made = PCA(min(DIMENSIONS, *vectors.shape), svd_solver="covariance_eigh")
    return made.fit(vectors.astype(np.float64))


def _with(pairs: PairedLatents, items: np.ndarray, anchors: np.ndarray) -> PairedLatents:
    vectors = items.astype(np.float32)
    return replace(pairs, items=replace(pairs.items, vectors=vectors), anchors=anchors.astype(np.float32))  # type: ignore[call-arg]


_ADVICE = "give some pairs (`fit`), or start by the names that an encoder knows (`start` without `by`)"


def _check(reached: float, chance: float) -> None:
    asked = chance + ENOUGH * (1 - chance)
    if reached < asked:
        raise AbstainedError(
            f"the structure of items and texts does not say what belongs together: restarts agree to {reached:.3f} (mean cosine "
            f"of their answers), by chance {chance:.3f}, expected at least {asked:.3f}; no answer is better than one of these: "
            f"{_ADVICE}"
        )


def _sizes(known: Candidates | None) -> str:
    return "no unpaired items and texts" if known is None else f"{len(known.items)} items and {len(known.anchors)} texts"
