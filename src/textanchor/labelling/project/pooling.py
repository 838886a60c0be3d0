"""A project's items and labels as the proposers, strategies and guarantees see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from textanchor.database import Database
from textanchor.labelling.pool import Features, Labelled, Pool, Rows
from textanchor.labelling.project import arrays
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.filling import BY_NAMES, NAMED, PRESENT, SIGHT, TEXTS, stamp
from textanchor.labelling.project.frontier import frontier
from textanchor.labelling.project.log import split


@dataclass(frozen=True, kw_only=True)
class Told:
    """What people said of a pool's items.

    `labelled` with classes, all of which stand in `has`. `refused` are rows that are none of the classes, or of which nobody
    could tell, or nobody has told although they were drawn; `refused_drawn` those of them that were drawn at random. `decided`
    [n] are all that people decided on. `waiting` were drawn at random and do not count yet. `event` is the log's last by then.
    """

    labelled: Labelled
    has: Bool[np.ndarray, "m c"]
    refused: Rows
    refused_drawn: Bool[np.ndarray, " r"]
    decided: Bool[np.ndarray, " n"]
    waiting: int
    event: int = 0


def pooled(database: Database) -> Pool:
    """All items that are there. Raises `DamagedError` for arrays that are not what was written."""
    told = database.ask("SELECT item, grp, content FROM items WHERE row IS NOT NULL ORDER BY row")
    keys = tuple(one.key for one in Classes(database).all())
    by_names, texts = (arrays.kept(database, name) for name in (BY_NAMES, TEXTS))
    fits = database.fact(NAMED) == stamp(Classes(database).all())
    return Pool(
        features=tuple(_features(database, name) for name in arrays.names(database, SIGHT)),
        classes=keys,
        groups=_codes([f"g{group}" if group else f"i{item}" for item, group, _ in told]),
        contents=_codes([content for _, _, content in told]),
        by_names=by_names.astype(np.float32) if by_names is not None and fits else None,
        texts=texts.astype(np.float32) if texts is not None and fits else None,
    )


def told_by_people(database: Database) -> Told:
    """What was drawn behind the `frontier` does not count as drawn; gaps before it stand among `refused`."""
    place = {number: row for row, number in enumerate(Classes(database).numbers().values())}
    edge = frontier(database)
    found = database.ask(
        "SELECT row, status, s.classes, CASE WHEN drawn = 2 THEN 2 WHEN drawn = 1 AND rank < ? THEN 1 ELSE 0 END, drawn "
        "FROM states s JOIN items USING (item) WHERE row IS NOT NULL AND status != 'machine' ORDER BY row",
        edge.rank,
    )
    gaps = [row for item in edge.gaps for (row,) in database.ask("SELECT row FROM items WHERE item = ?", item)]
    total = int(database.one("SELECT count(*) FROM items WHERE row IS NOT NULL"))
    decided = np.zeros(total, dtype=bool)
    decided[[row for row, *_ in found]] = True
    labels = [(row, place[split(classes)[0]], drawn) for row, status, classes, drawn, _ in found if status == "label"]
    refused = [(row, drawn) for row, status, _, drawn, _ in found if status in ("none", "unsure")]
    refused += [(row, 1) for row in gaps]
    return Told(
        labelled=Labelled(
            rows=_ints([row for row, _, _ in labels]),
            classes=_ints([one for _, one, _ in labels]),
            drawn=_ints([one for _, _, one in labels]) > 0,
        ),
        has=_has([[place[one] for one in split(classes)] for _, status, classes, *_ in found if status == "label"], len(place)),
        refused=_ints([row for row, _ in refused]),
        refused_drawn=_ints([one for _, one in refused]) > 0,
        decided=decided,
        waiting=sum(was > 0 and not counts for *_, counts, was in found),
        event=int(database.one("SELECT coalesce(max(event), 0) FROM events")),
    )


def _has(named: list[list[int]], classes: int) -> Bool[np.ndarray, "m c"]:
    found = np.zeros((len(named), classes), dtype=bool)
    for row, own in enumerate(named):
        found[row, own] = True
    return found


def _features(database: Database, name: str) -> Features:
    number, _, told = name.removeprefix(SIGHT).partition(" ")
    values, present = arrays.kept(database, name), arrays.kept(database, f"{PRESENT}{number}")
    assert values is not None
    assert present is not None
    return Features(name=told, values=values.astype(np.float32), present=present[:, 0].astype(bool))


def _codes(names: list[str]) -> Int[np.ndarray, " n"]:
    return np.unique(np.array(names, dtype=object), return_inverse=True)[1].astype(np.int64)


def _ints(values: list[int]) -> Int[np.ndarray, " n"]:
    return np.array(values, dtype=np.int64)
