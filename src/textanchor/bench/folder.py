"""A bench's folder: settings, one file a run, and the ledger of every look at test.

bench.json            settings, data fingerprint, split, versions
runs/<id>.<side>.json figures of one run on one side of the split
runs/<id>.<side>.npz  its hits, query by query
ledger.jsonl          which runs were ever judged on test, and when; lines are only ever added
board.csv, board.html the leaderboard
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock

from textanchor.bench.facts import Facts
from textanchor.bench.outcomes import Outcome
from textanchor.bench.plan import Run
from textanchor.config import versions
from textanchor.errors import DamagedError, InputError
from textanchor.files import append_line, read_json, write_bytes, write_json
from textanchor.records import Choice

FACTS, LEDGER, FORMAT, VERSION = "bench.json", "ledger.jsonl", "textanchor-bench", 2


@dataclass(frozen=True, kw_only=True)
class Look:
    """A run that was judged on test, and when."""

    run: str
    method: str
    seed: int
    at: str


def begin(folder: Path, facts: Facts) -> None:
    """Start a bench or go on with one; the data and split must be those that its rows came from.

    Raises `InputError` where they differ, or the folder holds something else or a bench of an older version.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):  # of two benches on one folder both calls are kept
        if folder.exists() and not (folder / FACTS).is_file() and any(folder.iterdir()):
            raise InputError(f"{folder} exists and is no bench: it has no {FACTS}; choose another folder")
        if (folder / FACTS).is_file():
            facts = facts_of(folder).joined(facts, folder)
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        write_json(folder / FACTS, {"format": FORMAT, "version": VERSION, **facts.described()})


def facts_of(folder: Path) -> Facts:
    """What `begin` wrote. Raises `InputError` if there is no bench, or one that cannot be gone on with."""
    if not (folder / FACTS).is_file():
        raise InputError(f"{folder} is no bench: it has no {FACTS}; expected a folder written by `textanchor bench`")
    told = read_json(folder / FACTS)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise DamagedError(f"{folder / FACTS} does not describe a bench; expected format '{FORMAT}'")
    if told.get("version") != VERSION:
        raise InputError(
            f"{folder} was written by another version of textanchor, whose rows say neither wording nor fingerprints; "
            "measure into a new folder: textanchor bench PAIRS -o FOLDER"
        )
    try:
        return Facts.read(told)
    except (KeyError, TypeError, ValueError, AttributeError) as why:
        raise DamagedError(f"{folder / FACTS} is damaged ({type(why).__name__}: {why}); measure into a new folder") from None


def store(folder: Path, outcome: Outcome) -> None:
    """One run's file; the hits first, so that a row that is there is whole."""
    name = f"{outcome.run.id}.{outcome.side}"
    packed = io.BytesIO()
    arrays = {f"hits {key}": hits for key, hits in outcome.hits.items()}
    arrays |= {f"groups {key}": np.array(groups, dtype=str) for key, groups in outcome.groups.items()}
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]  # numpy takes keywords for arrays and for options alike
    write_bytes(folder / "runs" / f"{name}.npz", packed.getvalue())
    row = {
        "run": asdict(outcome.run),
        "side": outcome.side,
        "touched": ["train", "val"] if outcome.side == "val" else ["train", "val", "test"],
        "figures": dict(outcome.figures),
        "chosen": {modality: choice.described() for modality, choice in outcome.chosen.items()},
        "seconds": outcome.seconds,
        "versions": versions(),
    }
    write_json(folder / "runs" / f"{name}.json", row)


def stored(folder: Path, run: Run, side: str) -> Outcome | None:
    """A run that was measured before, or None; a damaged file counts as none and is measured again."""
    outcome = _read(folder / "runs" / f"{run.id}.{side}.json")
    return replace(outcome, run=run) if outcome is not None else None


def _read(place: Path) -> Outcome | None:
    if not place.is_file():
        return None
    try:
        row = read_json(place)
        with np.load(io.BytesIO(place.with_suffix(".npz").read_bytes()), allow_pickle=False) as arrays:
            hits = {key.removeprefix("hits "): arrays[key] for key in arrays.files if key.startswith("hits ")}
            groups = {key.removeprefix("groups "): arrays[key].tolist() for key in arrays.files if key.startswith("groups ")}
        return Outcome(
            run=Run.read(row["run"]),
            side=row["side"],
            figures=row["figures"],
            chosen={modality: Choice.read(choice) for modality, choice in row["chosen"].items()},
            seconds=row["seconds"],
            hits=hits,
            groups=groups,
        )
    except (DamagedError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile):
        return None


def outcomes(folder: Path, side: str) -> list[Outcome]:
    """Every run of a side that was measured, by latents and method, earlier trials and seeds first."""
    read = (_read(place) for place in (folder / "runs").glob(f"*.{side}.json"))
    return sorted((outcome for outcome in read if outcome is not None), key=lambda outcome: _order(outcome.run))


def _order(run: Run) -> tuple[Any, ...]:
    return run.latents, run.conditions.id, run.method, run.trial, run.seed


def ledger(folder: Path) -> Sequence[Look]:
    """Every look at test so far; a line that a killed process left unfinished was a look too."""
    place = folder / LEDGER
    lines = place.read_text(encoding="utf-8", errors="replace").splitlines() if place.is_file() else []
    return tuple(_look(line) for line in lines if line.strip())


def _look(line: str) -> Look:
    try:
        return Look(**json.loads(line))
    except (ValueError, TypeError):
        return Look(run="?", method="?", seed=0, at="?")


def note_read(folder: Path, run: Run) -> None:
    """Write down that a run is about to be judged on test; before it is, so that no look goes unseen."""
    look = Look(run=run.id, method=run.method, seed=run.seed, at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    append_line(folder / LEDGER, json.dumps(asdict(look), ensure_ascii=False))
