"""The budget: methods on shares of the pairs, each cell fitted once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, Unpack

from textanchor import registry
from textanchor.aligners import aligner
from textanchor.budgeting.advice import advice
from textanchor.budgeting.cells import Cell, Trial, key, measured, store, stored
from textanchor.budgeting.page import write_budget
from textanchor.budgeting.result import Budget, Facts
from textanchor.budgeting.spots import spots
from textanchor.data.pairs import read_pairs
from textanchor.data.splits import check_apart
from textanchor.data.wording import Wording
from textanchor.errors import InputError, LeakError
from textanchor.files import append_line, digest, located
from textanchor.progress import tracked
from textanchor.runtime import Reading, Runtime, SimpleSplit, Splitting, settled, settled_split
from textanchor.space.preparing import Encoding, Prepared, Sides, check_enough, prepare

METHODS = ("auto", "kernel-cca", "soft-pairs")
SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
SEEDS, MORE = 3, 300
FACTS, LEDGER = "budget.json", "ledger.jsonl"  # the file by which a folder is known as a budget's; every look at test


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is tried: every method on every share with every seed, seed by seed, so that time left can be told early."""

    methods: tuple[str, ...]
    shares: tuple[float, ...]
    seeds: int

    def trials(self, modalities: Sequence[str]) -> Iterator[Trial]:
        for seed, share, method, modality in product(range(self.seeds), self.shares, self.methods, modalities):
            yield Trial(modality=modality, method=method, share=share, seed=seed)


def budget(
    pairs: object,
    *,
    methods: Sequence[str] = METHODS,
    shares: Sequence[float] = SHARES,
    seeds: int = SEEDS,
    folder: str | Path | None = None,
    judge_on: Literal["val", "test"] = "val",
    more: int = MORE,
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
    Each method, share and seed is a cell; with a `folder` cells are kept there, found again, and tabled in `budget.csv` and
    `budget.html`; there every call that judges on test is written down. What cannot be fitted is left out and named in
    `Budget.failed`. How pairs are read, split and worked on stands in the records, or in keywords as for `fit`. Raises
    `InputError`, or what `fit` raises for unusable input.
    """
    plan = _plan(methods, shares, seeds)
    if judge_on not in ("val", "test"):
        raise InputError(f"judge_on={judge_on}: expected val or test")
    split, work = settled_split(splitting, simple), settled(runtime, simple)
    place = None if folder is None else _claimed(located(folder))
    encoding = Encoding(anchor=anchor, encoders=encoders or {}, wording=wording or Wording())
    ready = prepare(read_pairs(pairs, split_name=split.name, reading=reading), encoding, split, work)
    tokens = any(aligner(spec).ragged for spec in plan.methods)
    sides = _sides(ready, judge_on, tokens=tokens)
    facts = _facts(ready, sides, judge_on)
    if judge_on == "test" and place is not None:
        append_line(place / LEDGER, json.dumps({"methods": plan.methods, "shares": plan.shares, "at": _now()}))
    cells, failed = _filled(plan, ready, sides, facts, place)
    if not cells:
        raise InputError("; ".join(failed))
    found = spots(cells)
    known = {modality: [spot for spot in found if spot.modality == modality] for modality in sides}
    result = Budget(
        facts=facts,
        spots=found,
        advice={modality: advice(own, more=more) for modality, own in known.items() if own},
        failed=tuple(failed),
        folder=place,
    )
    if place is not None:
        write_budget(result, place, FACTS)
    return result


def _plan(methods: Sequence[str], shares: Sequence[float], seeds: int) -> _Plan:
    if isinstance(methods, str) or not methods:
        raise InputError(f"methods={methods!r}: expected one or more aligners, such as ('auto', 'kernel-cca')")
    for share in shares:
        if not 0 < share <= 1:
            raise InputError(f"a share of {share} of the pairs: expected more than 0 and at most 1")
    if not shares or seeds < 1:
        raise InputError(f"{len(shares)} shares and {seeds} seeds: expected at least one of each")
    for spec in methods:
        registry.part("aligner", spec)
    names = dict.fromkeys(registry.spelled(*registry.take_apart(spec)) for spec in methods)
    return _Plan(methods=tuple(names), shares=tuple(sorted({float(share) for share in shares}, reverse=True)), seeds=seeds)


def _claimed(folder: Path) -> Path:
    """A folder that is empty, new or a budget's."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not _is_ours(folder))):
        raise InputError(f"{folder} exists and is no budget: it has no {FACTS}; choose another folder")
    return folder


def _is_ours(folder: Path) -> bool:
    return (folder / FACTS).is_file() or all(path.name in ("cells", LEDGER) for path in folder.iterdir())


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _sides(ready: Prepared, judged: str, *, tokens: bool) -> dict[str, Sides]:
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
        found[modality] = own
    if not found:
        raise InputError(f"nothing to fit: {'; '.join(ready.absent)}")
    return found


def _facts(ready: Prepared, sides: Mapping[str, Sides], judged: str) -> Facts:
    return Facts(
        data=ready.data,
        conditions={modality: _conditions(ready, own, judged) for modality, own in sides.items()},
        split=ready.split.name,
        judged=judged,
        sizes={modality: len(own.pairs[judged].items) for modality, own in sides.items()},
        notes=(*ready.split.notes, *ready.absent),
    )


def _conditions(ready: Prepared, sides: Sides, judged: str) -> str:
    """Hash of data, split, encoders' fingerprints and wording: of all that decides a cell beside its trial."""
    held = [
        f"{side} {group} {content}"
        for side, own in sides.pairs.items()
        for group, content in zip(own.groups, own.items.contents, strict=True)
    ]
    wording = json.dumps(ready.wording.described(), sort_keys=True)
    return digest(ready.data, judged, ready.base.anchor_fingerprint, sides.fingerprint, wording, *held)


def _filled(
    plan: _Plan, ready: Prepared, sides: Mapping[str, Sides], facts: Facts, folder: Path | None
) -> tuple[list[Cell], list[str]]:
    """Cells that the folder holds or that are fitted now, and why others could not be."""
    cells, failed = [], []
    trials = list(plan.trials(list(sides)))
    for asked in tracked(ready.runtime.progress, trials, "budget", total=len(trials), unit="fit"):
        name = key(asked, facts.conditions[asked.modality])
        cell = stored(folder, name) if folder else None
        found = cell or _attempt(asked, sides[asked.modality], facts.judged, ready.device)
        if isinstance(found, str):
            failed.append(f"{asked.modality}: {asked.method} on {asked.share:g} of the pairs, seed {asked.seed}: {found}")
            continue
        cells.append(found)
        if folder and cell is None:
            store(folder, name, found)
    return cells, failed


def _attempt(asked: Trial, sides: Sides, judged: str, device: str) -> Cell | str:
    """A cell, or why it cannot be fitted. Raises `LeakError`, and what only an error in the code can raise."""
    try:
        return measured(asked, sides, sides.pairs[judged], device=device)
    except LeakError:
        raise
    except (ValueError, ArithmeticError, RuntimeError) as why:  # `InputError` and all that solvers and torch raise are of these
        return str(why) or type(why).__name__
