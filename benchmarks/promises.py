"""Whether what labelling promises is kept: `python benchmarks/promises.py [--parts forms ...] [--splits 20] [--sets esc ...]`.

forms: a fifth of each set of `label_sets` labelled at random (whole groups for sets by group), at most 5 % wrong promised in
each form; the error is measured on the rest, whose labels decide nothing. ties: the same scores, rounded and saturated, lots
beside counting equals to one side. copies: each item three times, one of a fifth of them labelled. unheard: speakers without a
label, items as if they had been drawn one by one beside by group. worlds: made-up exchangeable scores, 2000 draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from label_sets import LabelSet, best_share, label_set, unseen

from textanchor import registry
from textanchor.labelling.guarantee import (
    Calibration,
    Decision,
    LetThrough,
    Promise,
    Rest,
    audited,
    decide,
    let_through,
    stream,
)
from textanchor.labelling.guarantee.average import benjamini_hochberg
from textanchor.labelling.guarantee.examining import Asked, Examined, examined
from textanchor.labelling.pool import Features, Labelled

SETS = ("esc", "esc-by-source", "caltech", "fsdd", "fsdd-by-speaker", "mnist")
LEVEL, DELTA = 0.05, 0.1
World: TypeAlias = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]  # scores, and which are wrong


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Of one split: share of the rest that was let through, and of that the share that is wrong (0 where it is nothing); the
    largest share that the same scores could let through; labels that a person gave meanwhile."""

    share: float
    error: float
    best: float = float("nan")
    looks: int = 0


def main() -> None:
    """Print the parts asked for."""
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "forms": forms, "ties": ties, "copies": copies, "unheard": unheard, "worlds": worlds,
    }  # fmt: skip
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    told.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    told.add_argument("--splits", type=int, default=20)
    asked = told.parse_args()
    for part in asked.parts:
        print(f"\n### {part}\n", flush=True)
        parts[part](asked)


def header(*columns: str) -> None:
    """Of a table whose first columns are these."""
    names = (*columns, "share", "of the best", "error, mean ± sd (se)", f"splits above {LEVEL}", "anything at all")
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}", flush=True)


def row(found: list[Measured], *cells: str) -> None:
    """Its line."""
    share, error = np.array([one.share for one in found]), np.array([one.error for one in found])
    best = np.sum([one.best for one in found])
    spread = f"{error.mean():.4f} ± {error.std(ddof=1):.4f} ({error.std(ddof=1) / np.sqrt(len(error)):.4f})"
    of_best = f"{share.sum() / best:.2f}" if best > 0 else ""
    print(
        f"| {' | '.join(cells)} | {share.mean():.3f} | {of_best} | {spread} | {(error > LEVEL).mean():.2f} "
        f"| {(share > 0).mean():.2f} |",
        flush=True,
    )


def labelled(given: LabelSet, splits: int) -> Iterator[tuple[int, Labelled]]:
    """A fifth, a split a seed."""
    for seed, rows in enumerate(given.splits(count=splits)):
        yield seed, given.known(rows)


def measured(given: LabelSet, found: Examined, decision: Decision, rest: int) -> Measured:
    """Against the truth."""
    wrong, through = found.classes != given.truth[found.rows], decision.accepted
    return Measured(
        share=through.sum() / rest,
        error=float(wrong[through].mean()) if through.any() else 0.0,
        best=best_share(found.rest.scores, wrong, LEVEL) * len(wrong) / rest,
    )


def forms(asked: argparse.Namespace) -> None:
    """Every form on every set."""
    header("set", "labels", "form, scores")
    for given in map(label_set, asked.sets):
        found: dict[str, list[Measured]] = {}
        for seed, known in labelled(given, asked.splits):
            apart, folds = (
                let_through(given.pool, known, Promise(form="confidence", seed=seed), scored=scored).examined
                for scored in ("held apart", "out of fold")
            )
            rest = len(given.pool) - len(known)
            for form, one in (("average", folds), ("confidence", apart), ("confidence", folds)):
                told = decide(one.calibration, one.rest, Promise(form=form, level=LEVEL, delta=DELTA, seed=seed))
                found.setdefault(f"{form}, {one.calibration.scored}", []).append(measured(given, one, told, rest))
            found.setdefault("audit", []).append(looked_at(given, folds, seed, rest))
        for name, ones in found.items():
            row(ones, given.name, str(len(known)), name + looks(ones))


def looks(found: list[Measured]) -> str:
    """How many a person looked at."""
    count = np.mean([one.looks for one in found])
    return f", {count:.0f} looks" if count else ""


def looked_at(given: LabelSet, found: Examined, seed: int, rest: int) -> Measured:
    """A list on trial is looked at until it is clear, at most half of it; only items that nobody looked at count."""
    promise = Promise(form="audit", level=LEVEL, delta=DELTA, seed=seed)
    trial = decide(found.calibration, found.rest, promise).accepted
    order = stream(trial, seed)
    wrong = (found.classes != given.truth[found.rows])[order]
    for count in range(5, len(order) // 2 + 1, 5):
        told = audited(len(order), wrong[:count], promise)
        if told.verdict != "open":
            met = told.verdict == "met"
            return Measured(
                share=(len(order) - count) / rest if met else 0.0,
                error=float(wrong[count:].mean()) if met else 0.0,
                looks=count,
            )
    return Measured(share=0.0, error=0.0, looks=len(order) // 2)


def ties(asked: argparse.Namespace) -> None:
    """Scores that are equal, on average: by lot, and with equals counted to one side as some packages do."""
    header("set", "scores", "equals")
    cuts: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as they are": lambda scores: scores,
        "rounded to .1": lambda scores: scores.round(1),
        "surest half alike": lambda scores: np.minimum(scores, 0.5),
        "surest 95 % alike": lambda scores: np.minimum(scores, 0.05),
    }
    for given in map(label_set, [name for name in asked.sets if name in ("fsdd", "mnist", "caltech")]):
        lots: dict[str, list[Measured]] = {name: [] for name in cuts}
        naive: dict[str, list[Measured]] = {name: [] for name in cuts}
        for seed, known in labelled(given, asked.splits):
            found = examined(Asked(pool=given.pool, labelled=known), Promise(seed=seed))
            wrong = found.classes != given.truth[found.rows]
            for name, cut in cuts.items():
                exams, rest = cut(found.calibration.scores), cut(found.rest.scores)
                told = decide(replace(found.calibration, scores=exams), Rest(scores=rest), Promise(seed=seed)).accepted
                strict = (rest[:, None] < exams[found.calibration.wrong][None, :]).sum(axis=1)
                other = benjamini_hochberg((1 + strict) / (len(exams) + 1), LEVEL)
                for where, through in ((lots, told), (naive, other)):
                    error = float(wrong[through].mean()) if through.any() else 0.0
                    where[name].append(Measured(share=float(through.mean()), error=error))
        for name in cuts:
            row(lots[name], given.name, name, "by lot")
            row(naive[name], given.name, name, "to one side")


def copies(asked: argparse.Namespace) -> None:
    """Each item three times; of a fifth of the contents one copy is labelled, and its other copies take its label."""
    header("set", "form")
    for given in map(label_set, [name for name in asked.sets if name in ("esc", "fsdd")]):
        tripled = thrice(given)
        found: dict[str, list[Measured]] = {"average": [], "confidence": []}
        for seed, known in labelled(given, asked.splits):
            for form, ones in found.items():
                told = let_through(tripled.pool, known, Promise(form=form, seed=seed))
                assert len(told.examined.copies) == 2 * len(known)
                ones.append(measured(tripled, told.examined, told.decision, len(told.examined.rows)))
        for form, ones in found.items():
            row(ones, f"{given.name}, thrice", form)


def thrice(given: LabelSet) -> LabelSet:
    """The set with every item three times."""
    features = tuple(
        Features(name=one.name, values=np.tile(one.values, (3, 1)), present=np.tile(one.present, 3))
        for one in given.pool.features
    )
    pool, count = given.pool, len(given.pool)
    tripled = replace(pool, features=features, groups=np.arange(3 * count), contents=np.tile(np.arange(count), 3))
    return replace(given, pool=tripled, truth=np.tile(given.truth, 3))


def unheard(asked: argparse.Namespace) -> None:
    """600 labels of three and of five of six speakers, and whole sources: as if items had been drawn, and by group."""
    header("set", "with labels", "calibration")
    for heard in (3, 5):
        speakers(label_set("fsdd-by-speaker"), heard, asked.splits)
    given = label_set("esc-by-source")
    found: dict[str, list[Measured]] = {"by item": [], "by group": []}
    for seed, known in labelled(given, asked.splits):
        rest = len(given.pool) - len(known)
        found["by item"].append(by_item(given, known, seed))
        told = let_through(given.pool, known, Promise(seed=seed))
        found["by group"].append(measured(given, told.examined, told.decision, rest))
    for name, ones in found.items():
        row(ones, given.name, "62 of 309 sources", name)


def speakers(given: LabelSet, heard: int, splits: int) -> None:
    """Items of some speakers are labelled at random, and the rest holds all."""
    found: dict[str, list[Measured]] = {"by item": [], "by group": [], "of it, unheard speakers": []}
    reason = ""
    for seed in range(splits):
        rng = np.random.default_rng(seed)
        those = rng.permutation(np.unique(given.pool.groups))[:heard]
        rows = rng.permutation(np.flatnonzero(np.isin(given.pool.groups, those)))[:600]
        known = given.known(rows)
        found["by item"].append(by_item(given, known, seed))
        told = let_through(given.pool, known, Promise(seed=seed))
        found["by group"].append(measured(given, told.examined, told.decision, len(given.pool) - len(rows)))
        found["of it, unheard speakers"].append(Measured(share=unheard_share(told), error=0.0))
        reason = reason or told.decision.reason
    for name, ones in found.items():
        row(ones, given.name, f"{heard} of 6 speakers", name)


def unheard_share(told: LetThrough) -> float:
    """Share of the unheard groups' items that is let through: none where they are left out."""
    return 0.0 if len(told.unheard) else float(told.decision.accepted.mean())


def by_item(given: LabelSet, known: Labelled, seed: int) -> Measured:
    """As if items had been drawn one by one."""
    found = examined(Asked(pool=given.pool, labelled=known), Promise(seed=seed))
    told = decide(found.calibration, found.rest, Promise(seed=seed))
    return measured(given, found, told, len(unseen(given, known.rows)))


def worlds(asked: argparse.Namespace) -> None:
    """Of made-up draws: the mean error of `average`, and how often `confidence` exceeds the level; each beside its bound."""
    print(
        "| world | labels | rest | level | delta | mean error, average | exceeded, confidence |\n|---|---|---|---|---|---|---|"
    )
    for name, world in WORLDS.items():
        for count, rest, level, delta in (
            (10, 50, 0.05, 0.1),
            (60, 200, 0.05, 0.1),
            (400, 400, 0.001, 0.1),
            (100, 200, 0.5, 0.05),
        ):
            mean, above = _drawn(world, count, rest, Promise(level=level, delta=delta))
            print(f"| {name} | {count} | {rest} | {level} | {delta} | {mean:.4f} | {above:.4f} |", flush=True)


def _drawn(
    world: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]], count: int, rest: int, promise: Promise
) -> tuple[float, float]:
    average, confidence, errors, above = registry.part("guarantee", "average"), registry.part("guarantee", "confidence"), [], []
    for turn in range(2000):
        scores, wrong = world(np.random.default_rng([turn, count]), count + rest)
        calibration = Calibration(scores=scores[:count], wrong=wrong[:count], scored="held apart")
        for form, where in ((average, errors), (confidence, above)):
            through = form.accepted(calibration, Rest(scores=scores[count:]), replace(promise, seed=turn))
            where.append(wrong[count:][through].mean() if through.any() else 0.0)
    return float(np.mean(errors)), float(np.mean(np.array(above) > promise.level))


def _world(
    scores: Callable[[np.ndarray], np.ndarray], wrong: Callable[[np.ndarray], np.ndarray]
) -> Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]:
    def made(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        sure = rng.random(count)
        return scores(sure), rng.random(count) < wrong(sure)

    return made


WORLDS = {
    "wrong ones score low": _world(lambda sure: sure, lambda sure: (1 - sure) ** 5),
    "scores say nothing": _world(lambda sure: sure, lambda sure: np.full(len(sure), 0.05)),
    "rounded to .1": _world(lambda sure: sure.round(1), lambda sure: (1 - sure) ** 5),
    "one score": _world(lambda sure: np.ones(len(sure)), lambda sure: np.full(len(sure), 0.04)),
    "all wrong": _world(lambda sure: sure, lambda sure: np.ones(len(sure))),
    "none wrong": _world(lambda sure: sure, lambda sure: np.zeros(len(sure))),
}


if __name__ == "__main__":
    main()
