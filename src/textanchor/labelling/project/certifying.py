"""Certificates of what a run lets through: all that its decision was made of, by the contents of the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from textanchor.database import Database
from textanchor.labelling.guarantee import About, Certificate, LetThrough, Promise, stream
from textanchor.labelling.project.auditing import looks
from textanchor.labelling.project.runs import newest_run
from textanchor.labelling.project.starting import ENCODERS, SPACE


def certified(database: Database, found: LetThrough | None, promise: Promise, proposer: str) -> str:
    """The certificate as JSON; empty where nothing is let through."""
    if found is None or not found.decision.accepted.any():
        return ""
    names, examined = _names(database), found.examined
    by = database.fact(SPACE) or database.fact(ENCODERS)
    return Certificate.of(
        found.decision,
        examined.calibration,
        examined.rest,
        promise,
        exams=[names[row] for row in examined.exams.tolist()],
        items=[names[row] for row in examined.rows.tolist()],
        about=About(proposer=proposer, space=by),
    ).text()


def certificate_of(database: Database) -> str:
    """That of the newest run, with what people saw of it since where an audit comes first; empty if there is none."""
    run = newest_run(database)
    if run is None or not run.certificate or not run.trial:
        return "" if run is None else run.certificate
    return Certificate.parsed(run.certificate, str(database.file)).looked_at(looks(database)).text()


def turns(found: LetThrough, promise: Promise) -> dict[int, int]:
    """The turn of each row of the pool that is on trial, in the random order of `guarantee.stream`."""
    rows: Int[np.ndarray, " k"] = found.examined.rows[stream(found.decision.accepted, promise.seed)]
    return {row: turn for turn, row in enumerate(rows.tolist())}


def _names(database: Database) -> Sequence[str]:
    """Of each row the item's content, with its id where several have it."""
    told = database.ask("SELECT content, id FROM items WHERE row IS NOT NULL ORDER BY row")
    counts = Counter(content for content, _ in told)
    return [content if counts[content] == 1 else f"{content} {name}" for content, name in told]
