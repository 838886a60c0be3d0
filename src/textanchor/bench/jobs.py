"""Work on runs, here or in several processes: what cannot be fitted is answered with the reason, and stops nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import joblib

from textanchor.bench.folder import store, stored
from textanchor.bench.outcomes import Outcome, measured
from textanchor.bench.plan import Latents, Run
from textanchor.bench.search import study, suggested, tell
from textanchor.bench.worlds import World
from textanchor.errors import LeakError
from textanchor.progress import Progress

Reasons = tuple[str, ...]  # why what could not be fitted could not; leaks are no such reason


class Job(Protocol):
    """Something to do in a world; outcomes go to the bench's folder."""

    @property
    def latents(self) -> Latents:
        """Which world."""

    def __call__(self, world: World) -> Reasons:
        """Do it. Raises `LeakError`, which stops everything."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Measure one run on one side, unless the folder has it."""

    folder: Path
    run: Run
    side: str = "val"

    @property
    def latents(self) -> Latents:
        """The run's."""
        return self.run.latents

    def __call__(self, world: World) -> Reasons:
        """Nothing, or why it cannot be fitted."""
        outcome = attempt(self.folder, self.run, world, self.side)
        where = "" if self.side == "val" else f" for {self.side}"
        return (f"{self.run.method}{where}: {outcome}",) if isinstance(outcome, str) else ()


@dataclass(frozen=True, kw_only=True)
class Tune:
    """Measure some settings of a method with one seed, then the best of them with the other seeds."""

    folder: Path
    run: Run
    trials: int
    seeds: int

    @property
    def latents(self) -> Latents:
        """The method's."""
        return self.run.latents

    def __call__(self, world: World) -> Reasons:
        """Nothing, or why the method cannot be fitted, or not with all seeds; trials that fail are passed over."""
        search = study(seed=0)
        best: Outcome | None = None
        reason = ""
        for number in range(self.trials):
            asked = search.ask()
            run = replace(self.run, aligner=suggested(asked, self.run.method), trial=number)
            outcome = attempt(self.folder, run, world, "val")
            if isinstance(outcome, str):
                reason = outcome
                tell(search, asked, None)
                continue
            tell(search, asked, outcome.score)
            if best is None or outcome.score > best.score:
                best = outcome
        if best is None:
            return (f"{self.run.method}: {reason}",)
        others = {seed: attempt(self.folder, replace(best.run, seed=seed), world, "val") for seed in range(1, self.seeds)}
        return tuple(f"{best.run.aligner}, seed {seed}: {why}" for seed, why in others.items() if isinstance(why, str))


def attempt(folder: Path, run: Run, world: World, side: str) -> Outcome | str:
    """A run's outcome, from the folder if it is there, or why it cannot be fitted. Raises `LeakError`, and what only an error
    in the code can raise."""
    known = stored(folder, run, side)
    if known is not None:
        return known
    try:
        outcome = measured(run, world, side)
    except LeakError:
        raise
    except (ValueError, ArithmeticError, RuntimeError) as why:  # `InputError` and all that solvers and torch raise are of these
        return str(why) or type(why).__name__
    store(folder, outcome)
    return outcome


def finished(jobs: Sequence[Job], worlds: Mapping[Latents, World], workers: int, progress: Progress) -> Iterator[Reasons]:
    """All jobs, as they come. With several workers a world is written to a temporary file once, and each process reads it once:
    a job that travels holds a run and a path, and arrays are shared by the system."""
    with progress.bar("bench", total=len(jobs), unit="fit") as bar:
        for reasons in _here(jobs, worlds) if workers == 1 else _elsewhere(jobs, worlds, workers):
            bar.advance(1)
            yield reasons


def _here(jobs: Sequence[Job], worlds: Mapping[Latents, World]) -> Iterator[Reasons]:
    for job in jobs:
        yield job(worlds[job.latents])


def _elsewhere(jobs: Sequence[Job], worlds: Mapping[Latents, World], workers: int) -> Iterator[Reasons]:
    with tempfile.TemporaryDirectory(prefix="textanchor-bench-") as folder:
        files = {latents: Path(folder) / f"{number}.joblib" for number, latents in enumerate(worlds)}
        for latents, file in files.items():
            joblib.dump(worlds[latents], file)
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
        yield from parallel(joblib.delayed(_in_world)(job, files[job.latents]) for job in jobs)


def _in_world(job: Job, file: Path) -> Reasons:
    return job(_read(file))


@lru_cache(maxsize=1)
def _read(file: Path) -> World:
    world: World = joblib.load(file, mmap_mode="c")  # torch wants arrays that can be written; nothing of it reaches the file
    return world
