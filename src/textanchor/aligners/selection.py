"""Choosing by one figure, always on validation pairs: hyperparameters, views and corrections of hubness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64
from scipy.sparse import csr_array
from torch import nn

from textanchor.aligners.comparison import Comparison, Statistics, some
from textanchor.errors import LeakError
from textanchor.metrics.calibration import temperature
from textanchor.metrics.retrieval import Retrieval, retrieval, rows_of
from textanchor.projectors import project
from textanchor.records import Fit, PairedLatents, Setting, Task, Unseen, Vectors, View
from textanchor.views import as_item, as_query, as_text, cosines, item_gallery, naming, text_gallery

Point = Mapping[str, Setting]
Path = Callable[[PairedLatents, Sequence[Point]], Iterator[nn.Module]]
Branches = Sequence[Sequence[Point]]

FINALISTS, MANY = 2, 2000  # candidates for which corrections of hubness are tried; items from which paths are cut short
JUDGES, CALIBRATED = 5000, 500  # validation items that judge, and that give the temperature, at most


def score(projector: nn.Module, view: View | None, val: PairedLatents) -> float:
    """Mean of item->text reciprocal rank and text->item mAP@10, in [0, 1].

    Both directions count, and neither saturates where recall@1 does: ten class names make only ten text queries.
    """
    return rated(project(projector, val.inputs), view, val)


def reciprocal_ranks(fit: Fit, val: PairedLatents) -> Float64[np.ndarray, " n"]:
    """1 over the place at which each item finds the first of its texts."""
    return np.asarray(1 / (named(fit.view, project(fit.projector, val.inputs), val).rank + 1.0))


def named(view: View | None, raw: Vectors, pairs: PairedLatents) -> Retrieval:
    """Raw vectors of items that ask for their texts among all texts of the pairs."""
    queries, gallery = naming(view, raw, pairs.anchors)
    return retrieval(queries, gallery, rows_of(pairs.relevant))


def rated(raw: Vectors, view: View | None, val: PairedLatents) -> float:
    """`score` of raw vectors of the validation items."""
    return _rated(raw, view, val, val.relevant.T.tocsr())


def _rated(raw: Vectors, view: View | None, val: PairedLatents, back_relevant: csr_array) -> float:
    """Of several tables the mean of their rates, each among its own: else a large one decides, and its texts hide others."""
    if val.tables is not None and len(set(val.tables)) > 1:
        parts = [(rows, replace(own, tables=None)) for rows, own in val.by_table()]
        return float(np.mean([_rated(raw[rows], view, own, own.relevant.T.tocsr()) for rows, own in parts]))
    items, texts = as_item(view, raw), as_text(view, val.anchors)
    there = retrieval(as_query(view, items), text_gallery(view, texts), rows_of(val.relevant))
    back = retrieval(as_query(view, texts), item_gallery(view, items), rows_of(back_relevant))
    return ((there.reciprocal_rank or 0.0) + (back.mean_average_precision or 0.0)) / 2


def softness(projector: nn.Module, view: View | None, val: PairedLatents, *, seed: int) -> float | None:
    """The temperature that makes probabilities of scores, from a random 500 validation items and their texts.

    The projector must not have seen them. None where they have a single text.
    """
    judged = some(val, CALIBRATED, seed=seed)
    queries, gallery = naming(view, project(projector, judged.inputs), judged.anchors)
    return temperature(cosines(queries, gallery), judged.relevant.toarray())


def unseen(projector: nn.Module, val: PairedLatents, *, seed: int) -> Unseen:
    """A random 500 validation items and their texts; the projector must not have seen them."""
    kept = some(val, CALIBRATED, seed=seed)
    return Unseen(items=project(projector, kept.inputs), texts=kept.anchors, edges=kept.edges)


def apart(train: PairedLatents, val: PairedLatents | None) -> None:
    """Raise `LeakError` if validation items were trained on: what is chosen so is what remembers best."""
    if val is not None and (both := set(train.items.contents) & set(val.items.contents)):
        raise LeakError(f"{len(both)} validation items are training items too; choose on items that were not fitted")


def judges(val: PairedLatents, *, seed: int) -> tuple[PairedLatents, Mapping[str, Setting]]:
    """The validation pairs that candidates are scored on, a random 5000 items where there are more; and a note of that."""
    part = some(val, JUDGES, seed=seed)
    return part, {} if part is val else {"scored on": f"a random {JUDGES} of {len(val.items)} validation items"}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A candidate and its rate: a projector, how it is compared, and its raw vectors of the known and the unknown items."""

    rate: float
    settings: Point
    comparison: Comparison
    projector: nn.Module
    known: Vectors
    unknown: Vectors


@dataclass(frozen=True, kw_only=True)
class Walked:
    """The best candidates of a walk, best first, and the leading point's under every view."""

    finalists: tuple[Tried, ...] = ()
    leader: tuple[Tried, ...] = field(default=())


class Selection:
    """Candidates fitted on a task's training pairs are rated on its validation pairs; no others are ever looked at.

    Raises `LeakError` for validation items that were trained on.
    """

    def __init__(self, comparison: Comparison, task: Task, val: PairedLatents) -> None:
        apart(task.train, val)
        self.comparison, self.train = comparison, task.train
        self.statistics = Statistics(task.train, task)
        self.val, self.notes = judges(val, seed=task.seed)
        self.back_relevant = self.val.relevant.T.tocsr()

    def walk(self, path: Path, branches: Branches, *, first: tuple[Tried, ...] = ()) -> Walked:
        """Every candidate under every view.

        Branches lead away from the default, which comes first and wins among equals; `first` is what is known of it already.
        With many items, where a solution takes seconds, a branch is left at its first candidate that is worse, and the next is
        walked only if this one brought nothing.
        """
        walked, many = Walked(), len(self.train.items) > MANY
        for number, branch in enumerate(branches):
            start = first if number == 0 else ()
            points = branch[len(start[:1]) :]
            candidates = zip(points, path(self.train, points), strict=True)
            rates: list[float] = []
            for entries in self._under_views(start, candidates):
                rates.append(max(entry.rate for entry in entries))
                walked = _further(walked, entries)
                if many and rates[-1] < max(rates):
                    break
            if many and max(rates) > rates[0]:
                break
        return walked

    def _under_views(
        self, start: tuple[Tried, ...], candidates: Iterable[tuple[Point, nn.Module]]
    ) -> Iterator[tuple[Tried, ...]]:
        if start:
            yield start
        for settings, projector in candidates:
            known, unknown = self.statistics.projected(projector), project(projector, self.val.inputs)
            entries = []
            for name in self.comparison.views:
                how = Comparison(view=name, hubness=self.comparison.corrections[0])
                entries.append(
                    Tried(
                        rate=self._rate(how, known, unknown),
                        settings=settings,
                        comparison=how,
                        projector=projector,
                        known=known,
                        unknown=unknown,
                    )
                )
            yield tuple(entries)

    def top(self, finalists: Iterable[Tried]) -> Tried:
        """The best of the finalists under every correction of hubness."""
        corrected = []
        for entry in finalists:
            for name in self.comparison.corrections:
                how = replace(entry.comparison, hubness=name)
                same = how == entry.comparison
                corrected.append(
                    entry if same else replace(entry, comparison=how, rate=self._rate(how, entry.known, entry.unknown))
                )
        return max(corrected, key=lambda entry: entry.rate)

    def centred(self, entry: Tried) -> float:
        """A candidate's rate under plain centring."""
        return self._rate(Comparison(), entry.known, entry.unknown)

    def view(self, entry: Tried) -> View:
        """How a candidate's vectors are compared."""
        return self.statistics.view(entry.comparison, entry.known)

    def _rate(self, how: Comparison, known: Vectors, unknown: Vectors) -> float:
        return _rated(unknown, self.statistics.view(how, known), self.val, self.back_relevant)


def _further(walked: Walked, entries: tuple[Tried, ...]) -> Walked:
    finalists = sorted((*walked.finalists, *entries), key=lambda entry: -entry.rate)[:FINALISTS]
    behind = bool(walked.leader) and _top(entries) <= _top(walked.leader)
    return Walked(finalists=tuple(finalists), leader=walked.leader if behind else entries)


def _top(entries: Iterable[Tried]) -> float:
    return max(entry.rate for entry in entries)


def away_from(default: float, values: Iterable[float]) -> list[list[float]]:
    """Two branches: the default and what is above it, and what is below it, each leading away."""
    up = sorted(value for value in values if value > default)
    down = sorted((value for value in values if value < default), reverse=True)
    return [[default, *up], *([down] if down else [])]
