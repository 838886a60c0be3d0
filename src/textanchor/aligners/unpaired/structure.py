"""Items and texts are brought together by their structure alone: who is near to whom on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, cast

import numpy as np

from textanchor.aligners.judged import judged, preferred
from textanchor.aligners.unpaired.axes import Axes
from textanchor.aligners.unpaired.candidates import Candidates, candidates
from textanchor.aligners.unpaired.restarts import Matched, agreement, cluster_count, matched, part
from textanchor.aligners.unpaired.soft_pairs import wasserstein_procrustes
from textanchor.errors import AbstainedError
from textanchor.projectors import project
from textanchor.projectors.linear import Linear
from textanchor.records import Choice, Fit, PairedLatents, Setting, Task
from textanchor.settings import Positive, Rule, Whole

LEAST, ENOUGH = 4, 0.6  # clusters below which nothing can be told; how far from chance to 1 restarts must agree
ADVICE = "give some pairs (textanchor fit), or an encoder that knows names (textanchor start --by names)"

Restarts = Annotated[int, Rule(meaning="a whole number of 2 or more", holds=lambda value: value >= 2)]


class Structure:
    """Clusters of items are matched to clusters of texts that stand to each other in the same way; a rotation follows.

    Several restarts, each on a random part of the data, match k-means centroids by quadratic assignment, with the task's pairs
    as known partners, and refine the rotation so found by `rounds` of soft pairs. The one that agrees most with the others is
    refined on all data. With no pairs there is an answer only where restarts agree: the mean cosine of their answers must come
    at least 0.6 of the way from that of matchings of random structures to 1, else `AbstainedError` is raised. With pairs the
    clusters only start the rounds, and with validation they are used if that is better than the pairs alone by more than a
    standard error (`clusters` 0 otherwise); agreement is noted, and owes much to the pairs.

    Agreement is necessary and not sufficient. A symmetric structure, or one that is more like another than its own, is matched
    wrongly in full agreement, and unpaired data alone cannot tell: only pairs can. Of 24 pairs of made-up worlds with nothing
    in common, on which the bar was not set, one was answered, and of 24 in which items are turned texts all were.
    Sources: the idea Schnaus et al. 2025 (It's a (Blind) Match!), arXiv:2503.24129, and Unpaired Rosetta, 2026; the solver: see
    `assignment.assigned`; the rounds: see `soft_pairs.wasserstein_procrustes`.
    """

    ragged = False

    def __init__(
        self,
        *,
        clusters: Whole = 30,
        restarts: Restarts = 8,
        rounds: Whole = 5,
        weight: Positive = 0.2,
        temperature: Positive = 0.03,
    ) -> None:
        self.clusters, self.restarts = clusters, restarts
        self.inner = wasserstein_procrustes(rounds=rounds, weight=weight, temperature=temperature)
        self.settings: dict[str, Setting] = {"restarts": restarts, "rounds": rounds, "weight": weight}
        self.settings |= {"temperature": temperature, "base": self.inner.base}

    def fit(self, task: Task) -> Fit:
        """Whether clusters are of use is chosen on validation. Raises `LeakError` for unpaired items that judge, and
        `AbstainedError`."""
        apart = replace(task, refit=False)
        fits = [judged(self._fitted(self._choice(clusters), apart), task) for clusters in self._worth_trying(task)]
        fit = fits[0] if task.val is None else preferred(fits, task.val)
        return self.again(fit, task) if task.refit and task.val is not None else fit

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same on all pairs, which are known partners too."""
        return self._fitted(fit.choice, task)

    def _worth_trying(self, task: Task) -> Sequence[int]:
        """The pairs alone before clusters, where there are both."""
        if task.val is None or not len(task.train.items):
            return [self.clusters]
        return [0, self.clusters] if self._count(candidates(replace(task, refit=False)), self.clusters) else [0]

    def _choice(self, clusters: int) -> Choice:
        return Choice(settings={"clusters": clusters, **self.settings}, view="centring", hubness="csls")

    def _count(self, known: Candidates | None, clusters: int) -> int:
        """How many clusters there can be; 0 where that is too few."""
        count = 0 if known is None else cluster_count(known, clusters)
        return count if count >= LEAST else 0

    def _fitted(self, choice: Choice, task: Task) -> Fit:
        known, pairs = candidates(task), task.fitted
        count = self._count(known, int(choice.settings["clusters"]))
        if not count and not len(pairs.items):
            raise AbstainedError(f"{_sizes(known)}: too few for {LEAST} clusters of either; {ADVICE}")
        told: dict[str, Setting] = {"unpaired items": 0 if known is None else len(known.items), "matched clusters": count}
        if known is None or not count:
            return self.inner.refined(replace(choice, notes={**choice.notes, **told}), task, known)
        search = _Search(known=known, pairs=pairs, count=count, seed=task.seed, asked=self, choice=choice)
        best, figures = search.best()
        texts = known.anchors if task.view_texts is None else np.concatenate([task.view_texts, known.anchors])
        clustered = replace(task, train=task.train.joined(search.axes.pairs_back(best.matched.clusters)), view_texts=texts)
        noted = replace(choice, notes={**choice.notes, **told, **figures})
        if not len(pairs.items):  # where there are no pairs, those of centroids stand in for them, and count next to nothing
            return self.inner.refined(noted, clustered, known, search.axes.whole(best.projector))
        first = self.inner.refined(noted, clustered, None).projector
        return self.inner.refined(noted, replace(task, view_texts=texts), known, first)


@dataclass(frozen=True, kw_only=True)
class _Restart:
    matched: Matched
    projector: Linear


class _Search:
    """Restarts in the principal axes of both sides."""

    def __init__(
        self, *, known: Candidates, pairs: PairedLatents, count: int, seed: int, asked: Structure, choice: Choice
    ) -> None:
        self.axes = Axes(known)
        self.known, self.pairs = self.axes.candidates(known), self.axes.pairs(pairs)
        self.count, self.seed, self.asked, self.choice = count, seed, asked, choice

    def best(self) -> tuple[_Restart, Mapping[str, Setting]]:
        """The restart that agrees most with the others, and figures. Raises `AbstainedError` for no pairs and no agreement."""
        found = self._restarts(chance=False)
        alike, figures = self._figures(found)
        if not len(self.pairs.items):
            _, null = self._figures(self._restarts(chance=True))
            check(figures["agreement"], null["agreement"])
            figures |= {f"{name} by chance": value for name, value in null.items()}
        return found[int(alike.argmax())], figures

    def _figures(self, found: Sequence[_Restart]) -> tuple[np.ndarray, dict[str, float]]:
        alike = agreement([project(one.projector, self.known.items.vectors) for one in found])
        likeness = float(np.mean([one.matched.likeness for one in found]))
        return alike, {"agreement": round(float(alike.mean()), 3), "likeness": round(likeness, 3)}

    def _restarts(self, *, chance: bool) -> list[_Restart]:
        return [self._restart(number, chance=chance) for number in range(self.asked.restarts)]

    def _restart(self, number: int, *, chance: bool) -> _Restart:
        rng = np.random.default_rng([self.seed, number, chance])
        seen = part(self.known, self.count, rng)
        found = matched(seen, self.pairs, self.count, rng, chance=chance)
        task = Task(train=self.pairs.joined(found.clusters), view_texts=seen.anchors, seed=self.seed)
        fit = self.asked.inner.refined(self.choice, task, seen)
        return _Restart(matched=found, projector=cast(Linear, fit.projector))


def check(reached: float, chance: float) -> None:
    """Raise `AbstainedError` unless restarts agree by enough more than chance."""
    asked = chance + ENOUGH * (1 - chance)
    if reached < asked:
        raise AbstainedError(
            "the structure of items and texts does not say which belong together: the mean cosine of the restarts' answers is "
            f"{reached:.3f}, by chance {chance:.3f}, expected at least {asked:.3f}; {ADVICE}"
        )


def _sizes(known: Candidates | None) -> str:
    return "no unpaired items and texts" if known is None else f"{len(known.items)} items and {len(known.anchors)} texts"
