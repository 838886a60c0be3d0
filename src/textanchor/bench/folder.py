"""A bench's folder: settings, one file a run, and the ledger of every look at test.

bench.json            settings, data fingerprint, split, versions
runs/<id>.<side>.json figures of one run on one side of the split
runs/<id>.<side>.npz  its hits, query by query
ledger.json           which runs were ever judged on test, and when
board.csv, board.html the leaderboard
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from textanchor.bench.measuring import Outcome
from textanchor.bench.plan import Run
from textanchor.errors import DamagedError, InputError
from textanchor.files import read_json, write_bytes, write_json

FACTS, LEDGER, FORMAT = "bench.json", "ledger.json", "textanchor-bench"


def begin(folder: Path, facts: Mapping[str, Any]) -> None:
    """Start a bench or go on with one; the data, split and versions must be those that its rows came from.

    Raises `InputError` where they differ or the folder holds something else.
    """
    if folder.exists() and not (folder / FACTS).is_file() and any(folder.iterdir()):
        raise InputError(f"{folder} exists and is no bench: it has no {FACTS}; choose another folder")
    if (folder / FACTS).is_file():
        before = facts_of(folder)
        for key in ("data", "split", "sizes"):
            if before.get(key) != facts[key]:
                raise InputError(
                    f"{folder} was begun on other data or another split ({key}: {before.get(key)}, now {facts[key]}); "
                    "rows of both would not be comparable; choose another folder"
                )
        facts = {**facts, "grids": [*before["grids"], *(one for one in facts["grids"] if one not in before["grids"])]}
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    write_json(folder / FACTS, {"format": FORMAT, **facts})


def facts_of(folder: Path) -> dict[str, Any]:
    """What `begin` wrote. Raises `InputError` if there is no bench."""
    if not (folder / FACTS).is_file():
        raise InputError(f"{folder} is no bench: it has no {FACTS}; expected a folder written by `textanchor bench`")
    found: dict[str, Any] = read_json(folder / FACTS)
    if found.get("format") != FORMAT:
        raise DamagedError(f"{folder / FACTS} does not describe a bench; expected format '{FORMAT}'")
    return found


def store(folder: Path, outcome: Outcome, versions: Mapping[str, str]) -> None:
    """One run's file; the hits first, so that a row that is there is whole."""
    name = f"{outcome.run.id}.{outcome.side}"
    packed = io.BytesIO()
    arrays: dict[str, Any] = {f"hits {key}": hits for key, hits in outcome.hits.items()}
    arrays |= {f"groups {key}": np.array(groups, dtype=str) for key, groups in outcome.groups.items()}
    np.savez_compressed(packed, **arrays)
    write_bytes(folder / "runs" / f"{name}.npz", packed.getvalue())
    row = {
        "run": asdict(outcome.run),
        "side": outcome.side,
        "touched": ["train", "val"] if outcome.side == "val" else ["train", "val", "test"],
        "figures": dict(outcome.figures),
        "chosen": dict(outcome.chosen),
        "seconds": outcome.seconds,
        "versions": dict(versions),
    }
    write_json(folder / "runs" / f"{name}.json", row)


def stored(folder: Path, run: Run, side: str) -> Outcome | None:
    """A run that was measured before, or None; a damaged file counts as none and is measured again."""
    found = _read(folder / "runs" / f"{run.id}.{side}.json")
    return replace(found, run=run) if found is not None else None


def _read(place: Path) -> Outcome | None:
    if not place.is_file():
        return None
    try:
        row = read_json(place)
        with np.load(io.BytesIO(place.with_suffix(".npz").read_bytes()), allow_pickle=False) as held:
            hits = {key.removeprefix("hits "): held[key] for key in held.files if key.startswith("hits ")}
            groups = {key.removeprefix("groups "): held[key].tolist() for key in held.files if key.startswith("groups ")}
        return Outcome(
            run=Run(**row["run"]),
            side=row["side"],
            figures=row["figures"],
            chosen=row["chosen"],
            seconds=row["seconds"],
            hits=hits,
            groups=groups,
        )
    except (DamagedError, OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile):
        return None


def outcomes(folder: Path, side: str) -> list[Outcome]:
    """Every run of a side that was measured, in the order of their files."""
    read = (_read(place) for place in sorted((folder / "runs").glob(f"*.{side}.json")))
    return [one for one in read if one is not None]


def ledger(folder: Path) -> list[dict[str, Any]]:
    """Every look at test so far."""
    place = folder / LEDGER
    return list(read_json(place)) if place.is_file() else []


def note_read(folder: Path, run: Run) -> None:
    """Write down that a run is about to be judged on test; before it is, so that no look goes unseen."""
    entry = {"run": run.id, "method": run.method, "seed": run.seed, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    write_json(folder / LEDGER, [*ledger(folder), entry])
