"""The bench: many ways of fitting on the same cached latents, one row a run, chosen on validation, test read by request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from joblib import Parallel, cpu_count, delayed
from numpy.linalg import LinAlgError
from tqdm import tqdm

from textanchor.aligners import aligner
from textanchor.bench.board import Line, lines, same_method
from textanchor.bench.folder import begin, facts_of, ledger, note_read, outcomes, store, stored
from textanchor.bench.measuring import Outcome, Parts, agreement, measured
from textanchor.bench.plan import Grid, Run, Where
from textanchor.bench.search import study, suggested, tell
from textanchor.config import versions
from textanchor.data.pairs import read_pairs
from textanchor.data.splits import FRACTIONS, check_apart
from textanchor.data.wording import Wording
from textanchor.errors import InputError, LeakError
from textanchor.records import Pairs
from textanchor.space.preparing import Prepared, check_enough, prepare

LOOKS = ("none", "winner", "all")


@dataclass(frozen=True, kw_only=True)
class Board:
    """A bench's result: methods by validation, those that were judged on test, how often test was read, and which methods
    could not be fitted, and why."""

    folder: Path
    facts: Mapping[str, Any]
    validation: Sequence[Line]
    test: Sequence[Line]
    reads: int
    failed: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What a worker needs to measure a run and keep it."""

    folder: Path
    parts: Parts
    fingerprints: Mapping[str, str]
    anchor_fingerprint: str

    def __call__(self, run: Run, side: str = "val") -> Outcome:
        done = stored(self.folder, run, side)
        if done is None:
            done = measured(run, self.parts, self.fingerprints, self.anchor_fingerprint, side=side)
            store(self.folder, done, versions())
        return done

    def attempt(self, run: Run) -> Outcome | str:
        """A run's outcome, or why it cannot be fitted, so that one method stops no other; leaks stop them all."""
        try:
            return self(run)
        except LeakError:
            raise
        except (InputError, LinAlgError) as why:
            return f"{run.method}: {why}"

    def tuned(self, method: Run, trials: int, seeds: int) -> Outcome | str:
        """`trials` settings of a method with one seed, then the best of them with the other seeds; that best one."""
        search = study(seed=0)
        best: Outcome | None = None
        for number in range(trials):
            trial = search.ask()
            found = self.attempt(replace(method, aligner=suggested(trial, method.method), trial=number))
            if isinstance(found, str):
                tell(search, trial, None)
                continue
            tell(search, trial, found.figures["score"])
            if best is None or found.figures["score"] > best.figures["score"]:
                best = found
        if best is None:
            return found
        for seed in range(1, seeds):
            self(replace(best.run, seed=seed))
        return best


def compare(
    pairs: Pairs | str | Path,
    folder: str | Path,
    grid: Grid,
    *,
    baseline: str | None = None,
    trials: int = 0,
    test: str = "none",
    jobs: int = 1,
    split_seed: int = 0,
    fractions: Sequence[float] = FRACTIONS,
    resplit: bool = False,
    wording: Wording | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> Board:
    """Run every method of the grid that the folder does not hold yet, and gather the leaderboard.

    Every row is fitted on train and judged on validation. With `trials`, each method gets that many Optuna trials over the
    settings it leaves open, all alike. `test="winner"` then fits the best method by validation, and the baseline, on both sides
    and judges them on test; `"all"` does so with every method; each such look is written down and counted. An interrupted
    bench goes on where it stopped. A method that cannot be fitted, diverging say, is left out and named in `Board.failed`.
    `jobs` runs at a time (-1: as many as cores) share the cores.
    Raises `InputError`, `LeakError`, `MissingError` (Optuna) or what `fit` raises.
    """
    place = Path(folder).expanduser()
    if test not in LOOKS:
        raise InputError(f"test={test}: expected {', '.join(LOOKS)}")
    runs = list(grid.runs())
    held = pairs if isinstance(pairs, Pairs) else read_pairs(pairs)
    how: dict[str, Any] = {
        "seed": split_seed,
        "fractions": fractions,
        "resplit": resplit,
        "wording": wording,
        "cache": cache,
        "device": device,
    }
    ready = {run.latents: prepare(held, anchor=run.anchor, encoders=run.encoders, progress=progress, **how) for run in runs}
    first = next(iter(ready.values()))
    settings = {
        "pairs": held.place and str(held.place), "split_seed": split_seed, "fractions": list(fractions), "resplit": resplit,
        "split_name": first.given.split_name, "wording": first.wording.described(), "trials": trials, "baseline": baseline,
        "grid": grid.__dict__ | {"encoders": {name: list(one) for name, one in grid.encoders.items()}},
    }  # fmt: skip
    tokens = any(aligner(spec).ragged for spec in grid.specs())
    tasks = {key: _task(place, one, ("train", "val"), tokens=tokens) for key, one in ready.items()}
    begin(place, _facts(first, tasks, settings))
    todo: list[Callable[[], Any]] = []
    if trials:
        todo = [delayed(tasks[run.latents].tuned)(run, trials, grid.seeds) for run in runs if not run.seed]
    else:
        todo = [delayed(tasks[run.latents].attempt)(run) for run in runs]
    failed = tuple(dict.fromkeys(one for one in _done(todo, jobs, progress) if isinstance(one, str)))
    if failed and not outcomes(place, "val"):
        raise InputError("; ".join(failed))
    if test != "none":
        mine = {run.method for run in runs}
        board = lines(outcomes(place, "val"), baseline=baseline)
        wanted = [line for line in board if test == "all" or line is board[0] or same_method(line.method, baseline)]
        looked = [line for line in wanted if line.method in mine]
        for key, one in ready.items():
            here = [run for line in looked for run in _runs_of(line, grid.seeds) if run.latents == key]
            fresh = [run for run in here if stored(place, run, "test") is None]
            if fresh:
                task = _task(place, one, ("train", "val", "test"), tokens=tokens)
                for run in fresh:
                    note_read(place, run)
                for _ in _done([delayed(task)(run, "test") for run in fresh], jobs, progress):
                    pass
    return gathered(place, baseline=baseline, failed=failed)


def gathered(folder: Path, *, baseline: str | None, failed: Sequence[str] = ()) -> Board:
    """The leaderboard of what a folder holds, and its files `board.csv` and `board.html`, which name the `failed` methods."""
    from textanchor.bench.page import write_board

    validation, test = outcomes(folder, "val"), outcomes(folder, "test")
    if not validation:
        raise InputError(f"{folder} holds no measured run")
    ranked = lines(validation, baseline=baseline)
    order = {line.name: place for place, line in enumerate(ranked)}
    known = baseline if any(same_method(one.run.method, baseline) for one in test) else None
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


def _done(todo: Sequence[Any], jobs: int, progress: bool) -> Iterator[Any]:
    """Results as they come; with several jobs in processes of their own, which share the cores and the arrays."""
    workers = cpu_count() if jobs < 0 else max(1, jobs)
    parallel = Parallel(n_jobs=workers, return_as="generator_unordered", mmap_mode="c")
    yield from tqdm(parallel(todo), total=len(todo), desc="bench", unit="fit", disable=None if progress else True)


def _task(folder: Path, ready: Prepared, sides: Sequence[str], *, tokens: bool) -> _Task:
    parts = {}
    for modality in ready.encoders:
        found = ready.parts(modality, sides, tokens=tokens)
        if found is None:
            continue
        if not len(found["val"].items) or not len(found[sides[-1]].items):
            raise InputError(f"{modality}: no item on the {sides[-1]} side; give --fractions with a share for it")
        check_enough(modality, found["train"])
        check_apart(found, shares_groups=ready.split.shares_groups)
        parts[modality] = found
    if not parts:
        raise InputError(f"nothing to compare: {'; '.join(ready.absent)}")
    return _Task(
        folder=folder,
        parts=parts,
        fingerprints=dict(ready.fingerprints),
        anchor_fingerprint=ready.base.anchor_fingerprint,
    )


def _facts(ready: Prepared, tasks: Mapping[Where, _Task], settings: Mapping[str, Any]) -> dict[str, Any]:
    parts = next(iter(tasks.values())).parts
    return {
        "data": ready.data,
        "split": ready.split.name,
        "sizes": {name: {side: len(one.items) for side, one in sides.items()} for name, sides in parts.items()},
        "notes": list(ready.split.notes),
        "skipped": ready.left_out(),
        "agreement": {
            " · ".join([name, *([anchor, *dict(encoders).values()] if len(tasks) > 1 else [])]): agreement(sides["train"])
            for (anchor, encoders), task in tasks.items()
            for name, sides in task.parts.items()
        },
        "grids": [dict(settings)],
        "versions": versions(),
    }


def _runs_of(line: Line, seeds: int) -> list[Run]:
    plain: dict[str, Any] = {"anchor": line.anchor, "encoders": line.encoders, "aligner": line.aligner, "method": line.method}
    return [Run(**plain, seed=seed) for seed in range(min(seeds, line.seeds))]
