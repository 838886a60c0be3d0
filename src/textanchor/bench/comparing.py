"""A grid of methods run on one table of pairs, and the leaderboard of what a folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from textanchor.aligners import aligner
from textanchor.bench.board import Board, lines, same_method
from textanchor.bench.facts import Agreement, Asked, Facts
from textanchor.bench.folder import begin, facts_of, ledger, note_read, outcomes, stored
from textanchor.bench.jobs import Measure, Tune
from textanchor.bench.page import write_board
from textanchor.bench.plan import Grid, Latents, Run
from textanchor.bench.worlds import World, agreement, world
from textanchor.data.pairs import read_pairs
from textanchor.data.wording import Wording
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.judging import at_a_time, finished
from textanchor.records import Pairs
from textanchor.runtime import Reading, Runtime, SimpleSplit, Splitting, settled, settled_split
from textanchor.space.preparing import Encoding, Prepared, prepare

LOOKS = ("none", "winner", "all")


def compare(
    pairs: object,
    folder: str | Path,
    grid: Grid,
    *,
    baseline: str | None = None,
    trials: int = 0,
    test: str = "none",
    jobs: int = 1,
    shared_view: bool = False,
    wording: Wording | None = None,
    reading: Reading | None = None,
    splitting: Splitting | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleSplit],
) -> Board:
    """Run every method of the grid that the folder does not hold yet, and gather the leaderboard.

    Every row is fitted on train and judged on validation. With `trials`, each method gets that many Optuna trials over the
    settings it leaves open, all alike. `test="winner"` then fits the best method by validation, and the baseline, on both sides
    and judges them on test; `"all"` does so with every method; each such look is written down and counted. An interrupted
    bench goes on where it stopped. A method that cannot be fitted, diverging say, is left out and named in `Board.failed`, as a
    single seed of it is. `jobs` runs at a time (-1: as many as cores) share the cores. `wording`, `shared_view` and the
    fingerprints of anchor and encoders belong to a row: of another, rows of their own are measured.
    `reading`, `splitting` and `runtime` say how pairs are read and split and work is done, the last two also by keywords as for
    `fit`; the grid has the fits' seeds, `seed` is the split's. Raises `InputError`, `LeakError`, `MissingError` (Optuna) or
    what `fit` raises.
    """
    if test not in LOOKS:
        raise InputError(f"test={test}: expected {', '.join(LOOKS)}")
    place, split, work = located(folder), settled_split(splitting, simple), settled(runtime, simple)
    runs = list(grid.runs())
    table = read_pairs(pairs, split_name=split.name, reading=reading)
    ready = _prepared(table, runs, wording or Wording(), split, work)
    first = next(iter(ready.values()))
    tokens = any(aligner(spec).ragged for spec in grid.specs())
    worlds = {latents: world(one, ("train", "val"), tokens=tokens, shared_view=shared_view) for latents, one in ready.items()}
    runs = [replace(run, conditions=worlds[run.latents].conditions) for run in runs]
    asked = Asked(
        pairs=str(table.place) if table.place else None,
        grid=grid,
        splitting=first.splitting,
        wording=first.wording,
        shared_view=shared_view,
        trials=trials,
        baseline=baseline,
    )
    begin(place, _facts(first, worlds, asked))
    workers = at_a_time(jobs)
    todo: list[Measure] | list[Tune] = [Measure(folder=place, run=run) for run in runs]
    if trials:
        todo = [Tune(folder=place, run=run, trials=trials, seeds=grid.seeds) for run in runs if not run.seed]
    failed = [reason for reasons in finished(todo, worlds, workers, work.progress, "bench") for reason in reasons]
    if failed and not outcomes(place, "val"):
        raise InputError("; ".join(dict.fromkeys(failed)))
    if test != "none":
        looked = _looked_at(place, runs, baseline, everything=test == "all", seeds=grid.seeds)
        fresh = [run for run in looked if stored(place, run, "test") is None]
        sides = ("train", "val", "test")
        wanted = {run.latents: ready[run.latents] for run in fresh}
        worlds = {key: world(one, sides, tokens=tokens, shared_view=shared_view) for key, one in wanted.items()}
        for run in fresh:
            note_read(place, run)
        looks = [Measure(folder=place, run=run, side="test") for run in fresh]
        failed += [reason for reasons in finished(looks, worlds, workers, work.progress, "bench") for reason in reasons]
    return gathered(place, baseline=baseline, failed=tuple(dict.fromkeys(failed)))


def gathered(folder: Path, *, baseline: str | None, failed: Sequence[str] = ()) -> Board:
    """The leaderboard of what a folder holds, and its files `board.csv` and `board.html`, which name the `failed` methods."""
    validation, test = outcomes(folder, "val"), outcomes(folder, "test")
    if not validation:
        raise InputError(f"{folder} holds no measured run")
    ranked = lines(validation, baseline=baseline)
    order = {line.name: place for place, line in enumerate(ranked)}
    known = baseline if any(same_method(outcome.run.method, baseline) for outcome in test) else None
    judged = sorted(lines(test, baseline=known), key=lambda line: order.get(line.name, len(order))) if test else []
    board = Board(
        folder=folder,
        facts=facts_of(folder),
        validation=ranked,
        test=judged,
        reads=len(ledger(folder)),
        failed=failed,
    )
    write_board(board)
    return board


def _prepared(
    pairs: Pairs, runs: Sequence[Run], wording: Wording, splitting: Splitting, runtime: Runtime
) -> dict[Latents, Prepared]:
    """Pairs that are read, hashed and split once, under each anchor and choice of encoders."""
    ready: dict[Latents, Prepared] = {}
    for run in runs:
        encoding = Encoding(anchor=run.anchor, encoders=run.encoders, wording=wording)
        if not ready:
            ready[run.latents] = prepare(pairs, encoding, splitting, runtime)
        elif run.latents not in ready:
            ready[run.latents] = next(iter(ready.values())).with_encoding(encoding)
    return ready


def _facts(ready: Prepared, worlds: Mapping[Latents, World], asked: Asked) -> Facts:
    sides = next(iter(worlds.values())).sides
    alike: dict[str, Agreement] = {}
    for (anchor, encoders), one in worlds.items():
        which = [anchor, *dict(encoders).values()] if len(worlds) > 1 else []
        for modality, own in one.sides.items():
            alike[" · ".join([modality, *which])] = agreement(own.train)
    return Facts(
        data=ready.data,
        split=ready.split.name,
        sizes={modality: {side: len(pairs.items) for side, pairs in own.pairs.items()} for modality, own in sides.items()},
        notes=[*ready.split.notes, *ready.absent],
        skipped=ready.skipped,
        agreement=alike,
        asked=[asked],
    )


def _looked_at(folder: Path, runs: Sequence[Run], baseline: str | None, *, everything: bool, seeds: int) -> list[Run]:
    """Runs that are judged on test: those of this call's best method by validation and of the baseline, or of all."""
    mine = {(run.method, run.conditions.id) for run in runs}
    board = lines(outcomes(folder, "val"), baseline=baseline)
    wanted = [line for line in board if everything or line is board[0] or same_method(line.method, baseline)]
    own = [line for line in wanted if (line.method, line.run.conditions.id) in mine]
    return [run for line in own for run in line.runs if run.seed < seeds]
