"""Trials as jobs: what the folder holds is not fitted again, nor what is the same fit under two names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textanchor.aligners import aligner
from textanchor.budgeting.cells import Cell, key, measured, store, stored
from textanchor.budgeting.plan import Trial, spelled
from textanchor.judging import at_a_time, attempted, finished
from textanchor.progress import Progress
from textanchor.space.preparing import Sides


@dataclass(frozen=True, kw_only=True)
class World:
    """One modality's sides, which of them judges, where training runs, and the hash of all that decides a cell beside its
    trial."""

    sides: Sides
    judged: str
    device: str
    conditions: str


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where cells are kept, if anywhere, how many are fitted at a time (-1: one a core), and who hears of it."""

    folder: Path | None
    jobs: int
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A trial's cell, or why it cannot be fitted."""

    name: str
    share: float
    found: Cell | str


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Fit and judge one trial and keep its cell."""

    trial: Trial
    name: str
    folder: Path | None

    @property
    def place(self) -> str:
        """Its modality."""
        return self.trial.modality

    def __call__(self, world: World) -> Measured:
        """Raises what `attempted` raises."""
        judged = world.sides.pairs[world.judged]
        found = attempted(lambda: measured(self.trial, world.sides, judged, device=world.device))
        if self.folder and not isinstance(found, str):
            store(self.folder, self.name, found)
        return Measured(name=self.name, share=self.trial.share, found=found)


def filled(trials: Sequence[Trial], worlds: Mapping[str, World], where: Workplace) -> Iterator[tuple[list[Cell], list[str]]]:
    """After each share that is done: all cells so far, and why others could not be fitted."""
    fits = {asked: _fitted_as(asked, worlds[asked.modality]) for asked in trials}
    names = {asked: key(fit, worlds[fit.modality].conditions) for asked, fit in fits.items()}
    known = _known(names.values(), where.folder)
    todo = {names[asked]: fit for asked, fit in fits.items() if names[asked] not in known}
    jobs = [Measure(trial=fit, name=name, folder=where.folder) for name, fit in todo.items()]
    waiting = Counter(job.trial.share for job in jobs)
    for done in finished(jobs, worlds, at_a_time(where.jobs), where.progress, "budget"):
        known[done.name] = done.found
        waiting[done.share] -= 1
        if not waiting[done.share]:
            yield _sorted(names, known)
    if not jobs:
        yield _sorted(names, known)


def _known(names: Iterable[str], folder: Path | None) -> dict[str, Cell | str]:
    """Cells that the folder holds."""
    held = {name: stored(folder, name) for name in dict.fromkeys(names)} if folder else {}
    return {name: cell for name, cell in held.items() if cell is not None}


def _fitted_as(asked: Trial, world: World) -> Trial:
    """With all pairs and no item unpaired, a method for unpaired data is the one that it starts from."""
    alone = aligner(asked.method).without_unpaired
    lone = world.sides.unpaired.items
    if alone is None or asked.share < 1 or (lone is not None and len(lone)):
        return asked
    return replace(asked, method=spelled(alone))


def _sorted(names: Mapping[Trial, str], known: Mapping[str, Cell | str]) -> tuple[list[Cell], list[str]]:
    """Cells under the trials that asked for them, and reasons."""
    cells, failed = [], []
    for asked, name in names.items():
        found = known.get(name)
        if isinstance(found, Cell):
            cells.append(replace(found, trial=asked))
        elif found is not None:
            failed.append(f"{asked.modality}: {asked.method} on {asked.share:g} of the pairs, seed {asked.seed}: {found}")
    return cells, failed
