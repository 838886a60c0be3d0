"""Repeating what an output folder says it came from, and comparing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from textanchor.bench.comparing import compare
from textanchor.bench.facts import Asked
from textanchor.bench.folder import FACTS as BENCH
from textanchor.bench.folder import facts_of, outcomes
from textanchor.bench.outcomes import Outcome
from textanchor.data.pairs import MEMORY, read_pairs
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.records import Pairs
from textanchor.runtime import Reading, Runtime, Simple, settled
from textanchor.space import Fitted, Space, Story
from textanchor.space.fitting import fit
from textanchor.space.numbers import arrays
from textanchor.space.starting import SOURCE, start
from textanchor.space.storage import FACTS as SPACE
from textanchor.space.storage import load

CLOSE, NEAR = 1e-6, 1e-4  # of a bench's figures; of a space's numbers, whose last digits depend on machine and version
OTHER_DATA = "the data: the pairs or their contents changed"


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Whether a repeated folder came out the same, and where not."""

    same: bool
    compared: int
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """Where pairs are now, as somebody said, and how they are read."""

    told: Sequence[Path]
    reading: Reading | None

    def read(self, source: str | None, *, split_name: str | None, alone: bool) -> Pairs:
        """The pairs of the table of that name or place; where it is the only one, whatever was told."""
        return read_pairs(self.place(source, alone=alone), split_name=split_name, reading=self.reading)

    def place(self, source: str | None, *, alone: bool) -> Path:
        """Where the table is."""
        if source in (None, MEMORY) and not self.told:
            raise InputError("the pairs were made in memory; write them to a table and say where it is: --pairs FILE")
        name = Path(source or "").name
        same = [path for path in self.told if path.name == name]
        within = [path / name for path in self.told if (path / name).exists()]
        place = next(iter([*same, *within, *(self.told if alone else [])]), Path(source or ""))
        if not place.expanduser().exists():
            raise InputError(f"the pairs '{place}' are not here; say where they are: --pairs FILE")
        return place


def rerun(
    folder: str | Path,
    *,
    output: str | Path | None = None,
    pairs: str | Path | Sequence[str | Path] = (),
    reading: Reading | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Repeat:
    """Fit a space or run a bench again with the settings that its folder holds; the result goes to `output`, or is only
    compared. All fits of a space are repeated, one into the other, in their order.

    `pairs` says where the tables are, `reading` how they are read; a space keeps only their names, which are looked for here;
    other data is named as a difference. Raises `InputError` for a folder that is neither.
    """
    place, work = located(folder), settled(runtime, simple)
    told = [pairs] if isinstance(pairs, str | Path) else pairs
    tables = _Tables(told=[located(path) for path in told], reading=reading)
    if (place / BENCH).is_file():
        return _bench(place, output, tables, work)
    if (place / SPACE).is_file():
        return _space(place, output, tables, work)
    raise InputError(f"{place} holds neither {SPACE} nor {BENCH}; expected a folder that `textanchor fit` or `bench` wrote")


def _space(place: Path, output: str | Path | None, tables: _Tables, runtime: Runtime) -> Repeat:
    before = load(place, runtime=runtime)
    again: Space | None = None
    differences = []
    for number, story in enumerate(before.stories):
        again = _told_again(place, story, again, tables, runtime, alone=len(before.stories) == 1)
        if again.stories[number].data != story.data:
            differences.append(OTHER_DATA if len(before.stories) == 1 else f"{OTHER_DATA} ({story.source})")
    if again is None:
        raise InputError(f"{place} does not say how it was fitted; fit it again")
    if output is not None:
        again.save(output)
    for name, fitted in again.modalities.items():
        old = before.modalities.get(name)
        if old is None or not _alike(old, fitted):
            was = old.choice.score if old else None
            differences.append(f"{name}: validation score {was} before, {fitted.choice.score} now")
    return Repeat(same=not differences, compared=len(again.modalities), differences=tuple(differences))


def _alike(one: Fitted, other: Fitted) -> bool:
    """Whether two fits are the same but for rounding: their projectors and views, number by number."""
    mine, others = arrays(one), arrays(other)
    if {name: value.shape for name, value in mine.items()} != {name: value.shape for name, value in others.items()}:
        return False
    for name, value in mine.items():
        scale = max(1.0, float(np.abs(value).max(initial=0)))
        if not np.allclose(value, others[name], rtol=0, atol=NEAR * scale):
            return False
    return True


def _told_again(place: Path, story: Story, into: Space | None, tables: _Tables, runtime: Runtime, *, alone: bool) -> Space:
    """One fit repeated."""
    recipe = story.recipe
    if recipe is None:
        raise InputError(f"{place} was fitted by an older textanchor that did not write down all settings; fit it again")
    if story.source == SOURCE:
        return start(encoders=recipe.encoders, anchor=recipe.anchor, runtime=runtime)
    if story.loose:
        return start(
            by=recipe.aligner,
            data=tables.place(story.source, alone=alone),
            encoders=recipe.encoders,
            anchor=recipe.anchor,
            seed=recipe.splitting.seed,
            reading=tables.reading,
            runtime=runtime,
        )
    return fit(
        tables.read(story.source, split_name=recipe.splitting.name, alone=alone),
        anchor=recipe.anchor,
        encoders=recipe.encoders,
        aligner=recipe.aligner,
        into=into,
        video=recipe.video,
        wording=recipe.wording,
        shared_view=recipe.shared_view,
        splitting=recipe.splitting,
        runtime=runtime,
    )


def _bench(place: Path, output: str | Path | None, tables: _Tables, runtime: Runtime) -> Repeat:
    facts = facts_of(place)
    with tempfile.TemporaryDirectory() as work:
        target = located(output) if output is not None else Path(work) / "bench"
        for asked in facts.asked:
            if _measured_again(asked, target, tables, runtime) != facts.data:
                return Repeat(same=False, compared=0, differences=(OTHER_DATA,))
        new = {outcome.run.id: outcome for outcome in outcomes(target, "val")}
    old = outcomes(place, "val")
    differences = [line for was in old if (line := _difference(was, new.get(was.run.id)))]
    return Repeat(same=not differences, compared=len(old), differences=tuple(differences))


def _measured_again(asked: Asked, target: Path, tables: _Tables, runtime: Runtime) -> str:
    """One call of `compare` repeated; the hash of its data."""
    again = compare(
        tables.read(asked.pairs, split_name=asked.splitting.name, alone=True),
        target,
        asked.grid,
        trials=asked.trials,
        shared_view=asked.shared_view,
        wording=asked.wording,
        splitting=asked.splitting,
        runtime=runtime,
    )
    return again.facts.data


def _difference(was: Outcome, now: Outcome | None) -> str:
    """What differs first, or nothing."""
    run = f"{was.run.aligner}, seed {was.run.seed}"
    if now is None:
        return f"{run}: not among the repeated runs"
    for key, value in was.figures.items():
        if abs(now.figures.get(key, 2e9) - value) > CLOSE:
            return f"{run}: {key} {value:.6f} before, {now.figures.get(key)} now"
    return ""
