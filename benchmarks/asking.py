"""Which items to label next: `python benchmarks/asking.py curves|guarantee|freed|speed [--sets esc caltech ...] [--seeds N]`.

`curves` labels each set from nothing by each strategy, proposals made anew in `--rounds`, 20 unless said, with no look at the
rest: accuracy on the rest at 20 %, and labels that reach what random labels have at 20 %. `guarantee` asks half of each batch
at random, and lets proposals through from those alone. `freed` foretells from 10 % what 20 % let
through. `speed` asks among 100,000 made-up items. Needs `../shared` but for `speed`. Prints Markdown; intervals are Student's
over seeds, 95 %.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from label_sets import LabelSet, label_set, unseen

from textanchor import registry
from textanchor.labelling.curves import interval
from textanchor.labelling.guarantee import Promise, let_through
from textanchor.labelling.guarantee.forecast import freed
from textanchor.labelling.pool import Features, Labelled, Pool
from textanchor.labelling.simulating import Replay, Run, simulate

SETS = ("esc", "esc-by-source", "caltech", "fsdd", "mnist")
STRATEGIES = ("spread-then-margin", "covering", "typical", "margin", "k-centre", "active(query=MaxHerding)")
COARSE = (0.05, 0.1, 0.15, 0.2)


def main() -> None:
    """One table."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("table", choices=["curves", "guarantee", "freed", "speed"])
    told.add_argument("--sets", nargs="*", default=SETS)
    told.add_argument("--seeds", type=int, default=5)
    told.add_argument("--strategies", nargs="*", default=STRATEGIES)
    told.add_argument("--rounds", type=int, default=20)
    asked = told.parse_args()
    if asked.table == "speed":
        speed()
    for name in asked.sets if asked.table != "speed" else ():
        given = label_set(name)
        if asked.table == "curves":
            curves(given, asked.strategies, asked.seeds, asked.rounds)
        elif asked.table == "guarantee":
            guarantee(given, asked.seeds)
        else:
            foretold(given, asked.seeds)


def spread(values: list[float]) -> str:
    """A mean with its interval."""
    ends = interval(np.array(values))
    return f"{np.mean(values):.3f}" + ("" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]")


def curves(given: LabelSet, strategies: list[str], seeds: int, rounds: int) -> None:
    """On nine tenths of a set a seed; and the default on all of it, where it has no chance in it."""
    shares = tuple(round(0.2 * (turn + 1) / rounds, 4) for turn in range(rounds))
    began = time.perf_counter()
    found = simulate(given.pool, given.truth, strategies, replay=Replay(shares=shares, seeds=seeds))
    whole = simulate(given.pool, given.truth, strategies[:1], replay=Replay(shares=shares, seeds=1, left_out=0.0))
    ends = ", ".join(f"{one.strategy} {one.rest[0, -1]:.3f}" for one in whole.curves)
    print(f"\n### {given.name}: {found.items} of {len(given.pool)} items, {seeds} seeds, {time.perf_counter() - began:.0f} s\n")
    print(found.table(), f"\n\nAll {len(given.pool)} items, one seed: {ends}", flush=True)


def guarantee(given: LabelSet, seeds: int) -> None:
    """Share of the rest let through at 5 % on average and the measured error, all labels random, or half of them."""
    head = ("labels", "accuracy on the rest", "share let through", "error", "seeds above 5 %")
    print(f"\n### {given.name}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for label, strategy, drawn in (("random", "random", 1.0), ("half random, half asked", "spread-then-margin", 0.5)):
        rows = [_let_through(given, strategy, drawn, seed) for seed in range(seeds)]
        rest, share, error = (list(column) for column in zip(*rows, strict=True))
        above = sum(one > 0.05 for one in error)
        print(f"| {label} | {spread(rest)} | {spread(share)} | {spread(error)} | {above} of {seeds} |", flush=True)


def _let_through(given: LabelSet, strategy: str, drawn: float, seed: int) -> tuple[float, float, float]:
    told = Replay(shares=COARSE, drawn=drawn)
    run = Run(given.pool, given.truth, registry.part("strategy", strategy), told, seed)
    moments = [run.to(round(share * len(given.pool))) for share in COARSE]
    found = let_through(given.pool, run.labelled, Promise(level=0.05, seed=seed))
    rows, accepted = found.examined.rows, found.decision.accepted
    wrong = found.examined.classes[accepted] != given.truth[rows[accepted]]
    return (
        moments[-1].rest,
        float(accepted.sum()) / len(unseen(given, run.labelled.rows)),
        float(wrong.mean()) if len(wrong) else 0.0,
    )


def foretold(given: LabelSet, seeds: int) -> None:
    """What is said at 10 % of random labels that as many again would let through, and what these did."""
    head = ("let through at 10 %", "foretold at 20 %", "came")
    print(f"\n### {given.name}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    rows = []
    for seed in range(seeds):
        order, promise = np.random.default_rng(seed).permutation(len(given.pool)), Promise(level=0.05, seed=seed)
        few, many = round(0.1 * len(order)), round(0.2 * len(order))
        now, then = (let_through(given.pool, given.known(order[:count]), promise) for count in (few, many))
        exams, rest = now.examined.calibration, now.examined.rest
        said = freed(registry.part("guarantee", "average"), exams, rest, promise, more=many - few)
        rows.append((float(now.decision.accepted.mean()), said, float(then.decision.accepted.mean())))
    print(f"| {' | '.join(spread(list(column)) for column in zip(*rows, strict=True))} |", flush=True)


def speed(items: int = 100_000, dims: int = 128, classes: int = 100, labels: int = 2000) -> None:
    """Seconds of the first question, of the next with the same pool, and of one for 200 items."""
    rng = np.random.default_rng(0)
    truth = rng.integers(classes, size=items)
    values = (rng.normal(size=(classes, dims))[truth] + 1.5 * rng.normal(size=(items, dims))).astype(np.float32)
    own, sight = np.arange(items), Features(name="image", values=values, present=np.ones(items, dtype=bool))
    pool = Pool(features=(sight,), classes=tuple(map(str, range(classes))), groups=own, contents=own)
    known = Labelled(rows=own[:labels], classes=truth[:labels], drawn=np.ones(labels, dtype=bool))
    drawn = rng.random((items, classes)).astype(np.float32) ** 4
    likely = drawn / drawn.sum(axis=1, keepdims=True)
    assert pool.places.shape == (items, dims)
    print("| strategy | first 20 | next 20 | 200 |\n|---|---|---|---|")
    for name in ("random", "spread-then-margin", "covering", "typical", "margin", "k-centre"):
        strategy, cells = registry.part("strategy", name), []
        for count in (20, 20, 200):
            began = time.perf_counter()
            rows = strategy.ask(pool, known, likely, count)
            cells.append(f"{time.perf_counter() - began:.2f} s")
            known = replace(known, **{key: np.concatenate([getattr(known, key), more]) for key, more in _more(rows, truth)})
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _more(rows: np.ndarray, truth: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [("rows", rows), ("classes", truth[rows]), ("drawn", np.zeros(len(rows), dtype=bool))]


if __name__ == "__main__":
    main()
