"""The leaderboard: runs gathered by method, ordered by validation, compared pair by pair with a baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textanchor.bench.measuring import Outcome
from textanchor.errors import InputError
from textanchor.evaluation.tables import verdict
from textanchor.metrics.interval import bootstrap


@dataclass(frozen=True, kw_only=True)
class Line:
    """One method: mean figures over its seeds, their standard deviation, seconds a fit, and differences to the baseline."""

    name: str
    anchor: str
    encoders: Mapping[str, str]
    aligner: str
    method: str
    seeds: int
    trials: int
    figures: Mapping[str, float]
    spreads: Mapping[str, float]
    seconds: float
    against: Mapping[str, Mapping[str, Any]]
    chosen: Mapping[str, Any]


def lines(found: Sequence[Outcome], *, baseline: str | None) -> list[Line]:
    """Methods by falling mean score. Differences are of recall@1, paired by query, hits averaged over common seeds.

    Of a tuned method its best trial stands for it; `trials` says how many there were. Raises `InputError` for a baseline
    that is not among the methods.
    """
    methods: dict[tuple[Any, ...], list[Outcome]] = defaultdict(list)
    for one in found:
        methods[*one.run.latents, one.run.method].append(one)
    best = {key: _best_trial(held) for key, held in methods.items()}
    base = _baseline(best, baseline) if baseline else None
    names = _names(list(best))
    made = [_line(names[key], held, len({one.run.aligner for one in methods[key]}), base, best) for key, held in best.items()]
    return sorted(made, key=lambda line: -line.figures["score"])


def same_method(one: str, other: str | None) -> bool:
    """Whether two specs are one, spaces aside."""
    return other is not None and one.replace(" ", "") == other.replace(" ", "")


def _best_trial(held: list[Outcome]) -> list[Outcome]:
    by_spec: dict[str, list[Outcome]] = defaultdict(list)
    for one in held:
        by_spec[one.run.aligner].append(one)
    most = max(len(one) for one in by_spec.values())
    full = {spec: one for spec, one in by_spec.items() if len(one) == most}
    return max(full.values(), key=lambda one: float(np.mean([each.figures["score"] for each in one])))


def _baseline(best: Mapping[tuple[Any, ...], list[Outcome]], told: str) -> tuple[Any, ...]:
    for key in best:
        if same_method(key[2], told):
            return key
    raise InputError(f"no baseline '{told}' among the methods: {', '.join(sorted({str(key[2]) for key in best}))}")


def _names(keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    """The method, and what else differs among the rows."""
    anchors, encoders = len({key[0] for key in keys}) > 1, len({key[1] for key in keys}) > 1
    return {
        key: " · ".join([key[2], *([key[0]] if anchors else []), *([spec for _, spec in key[1]] if encoders else [])])
        for key in keys
    }


def _line(
    name: str,
    held: list[Outcome],
    trials: int,
    base: tuple[Any, ...] | None,
    best: Mapping[tuple[Any, ...], list[Outcome]],
) -> Line:
    first = held[0]
    keys = [key for key in first.figures if all(key in one.figures for one in held)]
    values = {key: np.array([one.figures[key] for one in held]) for key in keys}
    other = best[base] if base is not None else []
    return Line(
        name=name,
        anchor=first.run.anchor,
        encoders=first.run.encoders,
        aligner=first.run.aligner,
        method=first.run.method,
        seeds=len(held),
        trials=trials,
        figures={key: float(held_.mean()) for key, held_ in values.items()},
        spreads={key: float(held_.std(ddof=1)) for key, held_ in values.items() if len(held_) > 1},
        seconds=float(np.mean([one.seconds for one in held])),
        against=_against(held, other) if other and other is not held else {},
        chosen=first.chosen,
    )


def _against(mine: Sequence[Outcome], other: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    seeds = {one.run.seed for one in mine} & {one.run.seed for one in other}
    found = {}
    for direction, groups in mine[0].groups.items():
        sides = [
            [one.hits[direction] for one in held if one.run.seed in seeds and direction in one.hits] for held in (mine, other)
        ]
        if not all(sides) or len({len(hits) for side in sides for hits in side}) != 1:
            continue
        gain = np.mean(sides[0], axis=0) - np.mean(sides[1], axis=0)
        interval = bootstrap(gain, groups)
        found[direction] = {"R@1 difference": float(gain.mean()), "95 % interval": interval, "verdict": verdict(gain, interval)}
    return found


def table(held: Sequence[Line]) -> list[dict[str, Any]]:
    """Plain rows for a terminal or a CSV file: score and recall@1 of every direction, with their spreads."""
    rows = []
    for place, line in enumerate(held, start=1):
        row: dict[str, Any] = {"rank": place, "method": line.name, "seeds": line.seeds}
        if any(one.trials > 1 for one in held):
            row["trials"] = line.trials
        for key, value in line.figures.items():
            if key == "score" or key.endswith((" R@1", " positive cosine", " floor")):
                row[key] = value
                if key in line.spreads and not key.endswith(("cosine", "floor")):
                    row[f"{key} sd"] = line.spreads[key]
        row["seconds"] = line.seconds
        row["against the baseline"] = (
            ", ".join(f"{way} ({one['verdict']})" for way, one in line.against.items()) if line.against else ""
        )
        rows.append(row)
    return rows


def brief(held: Sequence[Line]) -> list[dict[str, Any]]:
    """A row a method that fits a terminal: score and recall@1 with their standard deviations, verdicts counted."""
    rows = []
    for place, line in enumerate(held, start=1):
        row: dict[str, Any] = {"rank": place, "method": line.name, "seeds": line.seeds}
        for key, value in line.figures.items():
            if key == "score" or key.endswith(" R@1"):
                spread = f" ±{line.spreads[key]:.3f}" if key in line.spreads else ""
                row[key.removesuffix(" R@1")] = f"{value:.3f}{spread}"
        row["seconds"] = round(line.seconds, 2)
        if any(one.against for one in held):
            said = [str(one["verdict"]) for one in line.against.values()]
            row["against the baseline"] = ", ".join(f"{said.count(name)} {name}" for name in dict.fromkeys(said)) or "-"
        rows.append(row)
    return rows
