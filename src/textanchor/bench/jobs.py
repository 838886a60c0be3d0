"""Work on runs: what cannot be fitted is answered with the reason, and stops nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from textanchor.bench.folder import store, stored
from textanchor.bench.outcomes import Outcome, measured
from textanchor.bench.plan import Latents, Run
from textanchor.bench.search import study, suggested, tell
from textanchor.bench.worlds import World
from textanchor.judging import attempted

Reasons = tuple[str, ...]  # why what could not be fitted could not; leaks are no such reason


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Measure one run on one side, unless the folder has it."""

    folder: Path
    run: Run
    side: str = "val"

    @property
    def place(self) -> Latents:
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
    def place(self) -> Latents:
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
    """A run's outcome, from the folder if it is there, or why it cannot be fitted. Raises what `attempted` raises."""
    known = stored(folder, run, side)
    if known is not None:
        return known
    outcome = attempted(lambda: measured(run, world, side))
    if not isinstance(outcome, str):
        store(folder, outcome)
    return outcome
