"""The leaderboard: runs gathered by method, ordered by validation, compared pair by pair with a baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.bench.facts import Facts
from textanchor.bench.outcomes import Outcome
from textanchor.bench.plan import Conditions, Run
from textanchor.errors import InputError
from textanchor.judging import Difference, paired
from textanchor.records import Choice
from textanchor.records.showing import short

LARGEST = " largest class R@1"  # of a direction: what always answering the same reaches


@dataclass(frozen=True, kw_only=True)
class Line:
    """One method: mean figures over its seeds, their standard deviation, seconds a fit, and differences to the baseline.

    `runs` are those it stands on, one a seed; `aligner` is the best spec of a tuned method.
    """

    __repr__ = short

    name: str
    runs: Sequence[Run]
    trials: int
    figures: Mapping[str, float]
    spreads: Mapping[str, float]
    seconds: float
    against: Mapping[str, Difference]
    chosen: Mapping[str, Choice]

    @property
    def run(self) -> Run:
        """The first of its runs."""
        return self.runs[0]

    @property
    def seeds(self) -> int:
        """How many seeds could be fitted."""
        return len(self.runs)

    @property
    def method(self) -> str:
        """The spec as it was asked for."""
        return self.run.method

    @property
    def aligner(self) -> str:
        """The spec that was fitted."""
        return self.run.aligner


@dataclass(frozen=True, kw_only=True)
class Board:
    """A bench's result: methods by validation, those that were judged on test, how often test was read, and which methods
    could not be fitted, and why."""

    folder: Path
    facts: Facts
    validation: Sequence[Line]
    test: Sequence[Line]
    reads: int
    failed: Sequence[str] = ()

    def __repr__(self) -> str:
        best = (
            f"; best on validation {self.validation[0].name} {self.validation[0].figures['score']:.3f}"
            if self.validation
            else ""
        )
        return f"Board({len(self.validation)} methods{best}; test read {self.reads} times; {self.folder.name})"


@dataclass(frozen=True, kw_only=True)
class _Key:
    """What the runs of a method share."""

    anchor: str
    encoders: tuple[tuple[str, str], ...]
    conditions: str
    method: str


def lines(found: Sequence[Outcome], *, baseline: str | None) -> list[Line]:
    """Methods by falling mean score. Differences are of recall@1, paired by query, hits averaged over common seeds.

    Of a tuned method its best trial stands for it; `trials` says how many there were. Raises `InputError` for a baseline
    that is not among the methods.
    """
    methods: dict[_Key, list[Outcome]] = defaultdict(list)
    for outcome in found:
        methods[_key(outcome.run)].append(outcome)
    best = {key: _best_trial(own) for key, own in methods.items()}
    base = best[_baseline(list(best), baseline)] if baseline else None
    names = _names({key: own[0].run.conditions for key, own in best.items()})
    trials = {key: len({outcome.run.aligner for outcome in own}) for key, own in methods.items()}
    ranked = [_line(names[key], own, trials[key], base) for key, own in best.items()]
    return sorted(ranked, key=lambda line: -line.figures["score"])


def same_method(one: str, other: str | None) -> bool:
    """Whether two specs are one, spaces aside."""
    return other is not None and one.replace(" ", "") == other.replace(" ", "")


def _key(run: Run) -> _Key:
    anchor, encoders = run.latents
    return _Key(anchor=anchor, encoders=encoders, conditions=run.conditions.id, method=run.method)


def _best_trial(own: list[Outcome]) -> list[Outcome]:
    by_spec: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in own:
        by_spec[outcome.run.aligner].append(outcome)
    most = max(map(len, by_spec.values()))
    full = [runs for runs in by_spec.values() if len(runs) == most]
    return max(full, key=lambda runs: float(np.mean([outcome.score for outcome in runs])))


def _baseline(keys: Sequence[_Key], told: str) -> _Key:
    for key in keys:
        if same_method(key.method, told):
            return key
    raise InputError(f"no baseline '{told}' among the methods: {', '.join(sorted({key.method for key in keys}))}")


def _names(conditions: Mapping[_Key, Conditions]) -> dict[_Key, str]:
    """The method, and what else differs among the rows."""
    said = {
        key: (
            key.anchor,
            " · ".join(spec for _, spec in key.encoders),
            _worded(under),
            "shared view" if under.shared_view else "",
        )
        for key, under in conditions.items()
    }
    differ = [len(set(column)) > 1 for column in zip(*said.values(), strict=True)]
    names = {
        key: " · ".join([key.method, *(text for text, shown in zip(texts, differ, strict=True) if shown and text)])
        for key, texts in said.items()
    }
    repeated = len(set(names.values())) < len(names)  # the same model by name, and other weights
    return {key: f"{name} · {key.conditions[:6]}" if repeated else name for key, name in names.items()}


def _worded(conditions: Conditions) -> str:
    """What distinguishes a wording in a line."""
    templates = conditions.wording.get("templates") or {}
    words = [f"{modality}={template}" for modality, several in templates.items() for template in several]
    synonyms = conditions.wording.get("synonyms")
    return ", ".join([*words, *([f"synonyms of {len(synonyms)} texts"] if synonyms else [])])


def _line(name: str, own: list[Outcome], trials: int, base: list[Outcome] | None) -> Line:
    first = own[0]
    keys = [key for key in first.figures if all(key in outcome.figures for outcome in own)]
    values = {key: np.array([outcome.figures[key] for outcome in own]) for key in keys}
    return Line(
        name=name,
        runs=[outcome.run for outcome in own],
        trials=trials,
        figures={key: float(over.mean()) for key, over in values.items()},
        spreads={key: float(over.std(ddof=1)) for key, over in values.items() if len(over) > 1},
        seconds=float(np.mean([outcome.seconds for outcome in own])),
        against=_against(own, base) if base is not None and base is not own else {},
        chosen=first.chosen,
    )


def _against(mine: Sequence[Outcome], base: Sequence[Outcome]) -> dict[str, Difference]:
    seeds = {outcome.run.seed for outcome in mine} & {outcome.run.seed for outcome in base}
    differences = {}
    for direction, groups in mine[0].groups.items():
        ours, theirs = (_hits(runs, direction, seeds) for runs in (mine, base))
        if ours and theirs and len({len(hits) for hits in (*ours, *theirs)}) == 1:
            differences[direction] = paired(np.mean(ours, axis=0), np.mean(theirs, axis=0), groups)
    return differences


def _hits(runs: Sequence[Outcome], direction: str, seeds: set[int]) -> list[np.ndarray]:
    return [outcome.hits[direction] for outcome in runs if outcome.run.seed in seeds and direction in outcome.hits]


def table(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Plain rows for a CSV file: score and recall@1 of every direction, with their spreads."""
    rows = []
    for place, line in enumerate(lines, start=1):
        row: dict[str, Any] = {"rank": place, "method": line.name, "seeds": line.seeds}
        if any(one.trials > 1 for one in lines):
            row["trials"] = line.trials
        for key, value in line.figures.items():
            if key == "score" or key.endswith((" R@1", " positive cosine", " floor")):
                row[key] = value
                if key in line.spreads and not key.endswith(("cosine", "floor", LARGEST)):
                    row[f"{key} sd"] = line.spreads[key]
        row["seconds"] = line.seconds
        row["against the baseline"] = ", ".join(f"{way} ({one.verdict})" for way, one in line.against.items())
        rows.append(row)
    return rows


def brief(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """A row a method that fits a terminal: score and recall@1 with their standard deviations, verdicts counted; and last what
    the largest class alone reaches."""
    rows = []
    for place, line in enumerate(lines, start=1):
        row: dict[str, Any] = {"rank": place, "method": line.name, "seeds": line.seeds}
        for key, value in line.figures.items():
            if key == "score" or (key.endswith(" R@1") and not key.endswith(LARGEST)):
                spread = f" ±{line.spreads[key]:.3f}" if key in line.spreads else ""
                row[key.removesuffix(" R@1")] = f"{value:.3f}{spread}"
        row["seconds"] = round(line.seconds, 2)
        if any(one.against for one in lines):
            said = [one.verdict for one in line.against.values()]
            row["against the baseline"] = ", ".join(f"{said.count(name)} {name}" for name in dict.fromkeys(said)) or "-"
        rows.append(row)
    largest = {key: value for line in lines[:1] for key, value in line.figures.items() if key.endswith(LARGEST)}
    if largest:
        rows.append(
            {"method": "(largest class)", **{key.removesuffix(LARGEST): f"{value:.3f}" for key, value in largest.items()}}
        )
    return rows
