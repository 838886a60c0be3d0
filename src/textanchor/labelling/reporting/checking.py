"""What of a project's labels and classes a person should look at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textanchor.errors import InputError, TextAnchorError
from textanchor.labelling.care import Remark, Vocabulary, discover, lint_classes, suspects, unknowns
from textanchor.labelling.choosing import choose
from textanchor.labelling.pool import Rows
from textanchor.labelling.project import Entry, Project
from textanchor.labelling.project.naming import opened_space
from textanchor.labelling.project.renaming import told_json
from textanchor.labelling.project.starting import ENCODERS, KNOWING, SPACE
from textanchor.space.texts import embed_texts

FEWEST = 20  # labels below which nothing is suspected
SOME = 5  # items of a cluster that are named


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """An item whose label is little believed: how much, and what is believed instead."""

    entry: Entry
    confidence: float
    instead: str


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Items that are like none of the classes and like each other: their number, some of them, and what they may be called."""

    items: int
    some: tuple[Entry, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Remarks on the classes' texts; labels that are little believed, the least first; items that look like none of the
    classes, the strangest first; new classes that these may be; and in `notes` what could not be looked at, and why."""

    remarks: tuple[Remark, ...]
    suspects: tuple[Suspect, ...]
    strange: tuple[Entry, ...]
    new_classes: tuple[Cluster, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "remarks": [{"class": one.text, "problem": one.problem, "proposal": one.proposal} for one in self.remarks],
            "suspects": [
                {
                    "item": one.entry.id,
                    "label": one.entry.state.classes,
                    "confidence": one.confidence,
                    "instead": one.instead,
                }
                for one in self.suspects
            ],
            "like no class": [one.id for one in self.strange],
            "new classes": [
                {"items": one.items, "some": [entry.id for entry in one.some], "names": one.names} for one in self.new_classes
            ],
            "notes": list(self.notes),
        }


def checked(project: Project, *, count: int = 20, vocabulary: Sequence[str] = ()) -> Checked:
    """Look at labels and classes. `vocabulary` are texts that new classes may be called by, which needs items in the anchor's
    space. Labels of projects with several classes an item are not suspected."""
    notes: list[str] = []
    suspected = _suspected(project, count, notes)
    strange, new_classes = _strange(project, count, vocabulary, notes)
    remarks = lint_classes([one.text for one in project.classes], project.pool().texts)
    return Checked(remarks=remarks, suspects=suspected, strange=strange, new_classes=new_classes, notes=tuple(notes))


def _suspected(project: Project, count: int, notes: list[str]) -> tuple[Suspect, ...]:
    pool, labelled = project.pool(), project.labelled()
    if project.settings.multi:
        notes.append("items have several classes here, whose labels are not suspected one by one")
        return ()
    if len(labelled) < FEWEST:
        notes.append(f"{len(labelled)} items are labelled; labels are suspected from {FEWEST} on")
        return ()
    found = suspects(choose(pool, labelled, seed=project.settings.seed).out_of_fold, labelled)
    others = np.flatnonzero(found.instead != found.given)[:count]
    return tuple(
        Suspect(entry=entry, confidence=float(found.confidence[place]), instead=pool.classes[int(found.instead[place])])
        for place, entry in zip(others, _entries(project, found.rows[others]), strict=True)
    )


def _strange(
    project: Project, count: int, vocabulary: Sequence[str], notes: list[str]
) -> tuple[tuple[Entry, ...], tuple[Cluster, ...]]:
    """Items that look like no class, and what of them is a cluster."""
    pool, told = project.pool(), project.told()
    try:
        odd = unknowns(pool, told.labelled)
        known = _vocabulary(project, vocabulary)
        vectors = project.vectors() if known is not None else None
        made = discover(pool, told.labelled, odd, vectors=vectors, vocabulary=known)
    except TextAnchorError as why:
        notes.append(str(why))
        return (), ()
    rows = odd.rows()
    clusters = tuple(
        Cluster(items=len(one.rows), some=_entries(project, one.rows[:SOME]), names=tuple(name for name, _ in one.names))
        for one in made
    )
    return _entries(project, rows[~told.decided[rows]][:count]), clusters


def _entries(project: Project, rows: Rows) -> tuple[Entry, ...]:
    return tuple(project.entries_of(project.overview().numbers[rows].tolist()))


def _vocabulary(project: Project, texts: Sequence[str]) -> Vocabulary | None:
    """Texts with their vectors. Raises `InputError` where the items have none to compare them with."""
    if not texts:
        return None
    vectors = project.vectors()
    if vectors is None or not vectors.any():
        raise InputError("names for new classes need items in the anchor's space; begin the project with --space SPACE")
    database = project.database
    encoders, knowing = told_json(database, ENCODERS), told_json(database, KNOWING)
    space = opened_space(database.fact(SPACE), encoders, knowing, project.runtime)
    wanted = tuple(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))
    return Vocabulary(texts=wanted, vectors=embed_texts(space, wanted, runtime=project.runtime))
