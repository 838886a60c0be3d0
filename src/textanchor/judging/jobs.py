"""Many fits, here or in several processes; what cannot be fitted is answered with the reason, and stops nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import joblib

from textanchor.errors import LeakError
from textanchor.progress import Progress

World_contra = TypeVar("World_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)
World = TypeVar("World")
Answer = TypeVar("Answer")


@runtime_checkable
class Job(Protocol[World_contra, Answer_co]):
    """Something to do in a world, which is the data that many jobs share."""

    @property
    def place(self) -> Hashable:
        """Which world."""

    def __call__(self, world: World_contra) -> Answer_co:
        """Do it. Raises `LeakError`, which stops everything."""


def attempted(work: Callable[[], Answer]) -> Answer | str:
    """What comes of a fit, or why it cannot be had. Raises `LeakError`, and what only an error in the code can raise."""
    try:
        return work()
    except LeakError:
        raise
    except (ValueError, ArithmeticError, RuntimeError) as why:  # `InputError` and all that solvers and torch raise are of these
        return str(why) or type(why).__name__


def at_a_time(jobs: int) -> int:
    """How many processes `jobs` asks for: as many as cores where it is negative, at least one."""
    return joblib.cpu_count() if jobs < 0 else max(1, jobs)


def finished(
    jobs: Sequence[Job[World, Answer]], worlds: Mapping[Any, World], workers: int, progress: Progress, what: str
) -> Iterator[Answer]:
    """What all jobs answer, as it comes, under a bar called `what`.

    With several workers a world is written to a temporary file once, and each process reads it once: a job that travels holds
    little more than a path, and arrays are shared by the system.
    """
    with progress.bar(what, total=len(jobs), unit="fit") as bar:
        for answer in _here(jobs, worlds) if workers == 1 else _elsewhere(jobs, worlds, workers):
            bar.advance(1)
            yield answer


def _here(jobs: Sequence[Job[World, Answer]], worlds: Mapping[Any, World]) -> Iterator[Answer]:
    for job in jobs:
        yield job(worlds[job.place])


def _elsewhere(jobs: Sequence[Job[World, Answer]], worlds: Mapping[Any, World], workers: int) -> Iterator[Answer]:
    with tempfile.TemporaryDirectory(prefix="textanchor-fits-") as folder:
        files = {place: Path(folder) / f"{number}.joblib" for number, place in enumerate(worlds)}
        for place, file in files.items():
            joblib.dump(worlds[place], file)
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
        yield from parallel(joblib.delayed(_in_world)(job, files[job.place]) for job in jobs)


def _in_world(job: Job[Any, Answer], file: Path) -> Answer:
    return job(_read(file))


@lru_cache(maxsize=1)
def _read(file: Path) -> Any:
    return joblib.load(file, mmap_mode="c")  # torch wants arrays that can be written; nothing of it reaches the file
