"""The budget: methods on shares of the pairs, each cell fitted once."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Unpack

from textanchor.aligners import aligner
from textanchor.budgeting.advice import advice
from textanchor.budgeting.cells import Cell
from textanchor.budgeting.jobs import Workplace, World, filled
from textanchor.budgeting.page import write_budget
from textanchor.budgeting.plan import METHODS, SEEDS, SHARES, planned
from textanchor.budgeting.result import Budget, Facts
from textanchor.budgeting.spots import spots
from textanchor.config import versions
from textanchor.data.pairs import read_pairs
from textanchor.data.splits import check_apart
from textanchor.data.wording import Wording
from textanchor.errors import InputError
from textanchor.files import append_line, digest, located
from textanchor.runtime import Reading, Runtime, SimpleSplit, Splitting, settled, settled_split
from textanchor.space.preparing import Encoding, Prepared, Sides, check_enough, prepare

FACTS, LEDGER = "budget.json", "ledger.jsonl"  # the file by which a folder is known as a budget's; every look at test


def budget(
    pairs: object,
    *,
    methods: Sequence[str] = METHODS,
    shares: Sequence[float] = SHARES,
    seeds: int = SEEDS,
    folder: str | Path | None = None,
    judge_on: Literal["val", "test"] = "val",
    more: int | None = None,
    jobs: int = 1,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    wording: Wording | None = None,
    reading: Reading | None = None,
    splitting: Splitting | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleSplit],
) -> Budget:
    """How good each method gets with shares of the training pairs, and what `more` pairs would add.

    At each share some groups keep their pairs, of which a fifth chooses all values before all of them are fitted; the items and
    texts of the others become unpaired data. The side `judge_on` judges, which no fit sees. A pair is an item with its texts.
    Each method, share and seed is a cell, `jobs` of which are fitted at a time (-1: as many as cores), small shares first. With
    a `folder` cells are kept there, found again, and after each share tabled in `budget.csv` and `budget.html`; there every
    call that judges on test is written down. `more` is 300, or as many as there are where those are fewer. What cannot be
    fitted is left out and named in `Budget.failed`. How pairs are read, split and worked on stands in the records, or in
    keywords as for `fit`. Raises `InputError`, or what `fit` raises for unusable input.
    """
    plan = planned(methods, shares, seeds)
    if judge_on not in ("val", "test"):
        raise InputError(f"judge_on={judge_on}: expected val or test")
    if more is not None and more < 1:
        raise InputError(f"more={more}: expected at least 1 further pair")
    split, work = settled_split(splitting, simple), settled(runtime, simple)
    place = None if folder is None else _claimed(located(folder))
    encoding = Encoding(anchor=anchor, encoders=encoders or {}, wording=wording or Wording())
    ready = prepare(read_pairs(pairs, split_name=split.name, reading=reading), encoding, split, work)
    worlds = _worlds(ready, judge_on, tokens=any(aligner(spec).ragged for spec in plan.methods))
    facts = _facts(ready, worlds, judge_on)
    if judge_on == "test" and place is not None:
        append_line(place / LEDGER, json.dumps({"methods": plan.methods, "shares": plan.shares, "at": _now()}))
    where = Workplace(folder=place, jobs=jobs, progress=work.progress)
    result, failed = None, [""]
    for cells, failed in filled(list(plan.trials(list(worlds))), worlds, where):
        if cells:
            result = _gathered(cells, failed, facts, more=more, folder=place)
    if result is None:
        raise InputError("; ".join(failed))
    return result


def _gathered(cells: Sequence[Cell], failed: Sequence[str], facts: Facts, *, more: int | None, folder: Path | None) -> Budget:
    """What the cells say, written down where there is a folder."""
    found = spots(cells)
    by_modality = {modality: [spot for spot in found if spot.modality == modality] for modality in facts.sizes}
    told = {modality: advice(own, more=more) for modality, own in by_modality.items() if own}
    result = Budget(facts=facts, spots=found, advice=told, failed=tuple(failed), folder=folder)
    if folder is not None:
        write_budget(result, folder, FACTS)
    return result


def _claimed(folder: Path) -> Path:
    """A folder that is empty, new or a budget's."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not _is_ours(folder))):
        raise InputError(f"{folder} exists and is no budget: it has no {FACTS}; choose another folder")
    return folder


def _is_ours(folder: Path) -> bool:
    return (folder / FACTS).is_file() or all(path.name in ("cells", LEDGER) for path in folder.iterdir())


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _worlds(ready: Prepared, judged: str, *, tokens: bool) -> dict[str, World]:
    """Every modality's training side, what has no partner, and the side that judges."""
    found = {}
    for modality in ready.encoders:
        own = ready.sides(modality, ("train", judged), tokens=tokens)
        if own is None:
            continue
        if not len(own.pairs[judged].items):
            raise InputError(f"{modality}: no item on the {judged} side to judge on; give --fractions with a share for it")
        check_enough(modality, own.train)
        check_apart(own.pairs, shares_groups=ready.split.shares_groups)
        conditions = _conditions(ready, own, judged)
        found[modality] = World(sides=own, judged=judged, device=ready.device, conditions=conditions)
    if not found:
        raise InputError(f"nothing to fit: {'; '.join(ready.absent)}")
    return found


def _facts(ready: Prepared, worlds: Mapping[str, World], judged: str) -> Facts:
    return Facts(
        data=ready.data,
        conditions={modality: world.conditions for modality, world in worlds.items()},
        split=ready.split.name,
        judged=judged,
        sizes={modality: len(world.sides.pairs[judged].items) for modality, world in worlds.items()},
        notes=(*ready.split.notes, *ready.absent),
    )


def _conditions(ready: Prepared, sides: Sides, judged: str) -> str:
    """Hash of data, split, encoders' fingerprints, wording and the library's version: of all that decides a cell beside its
    trial."""
    held = [
        f"{side} {group} {content}"
        for side, own in sides.pairs.items()
        for group, content in zip(own.groups, own.items.contents, strict=True)
    ]
    lone = [f"unpaired {name}" for name in (*sides.unpaired.groups, *sides.unpaired.texts)]
    wording = json.dumps(ready.wording.described(), sort_keys=True)
    version = str(versions().get("textanchor"))
    return digest(ready.data, judged, ready.base.anchor_fingerprint, sides.fingerprint, wording, version, *held, *lone)
