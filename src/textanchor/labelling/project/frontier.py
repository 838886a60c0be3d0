"""How far the random order was followed: which labels drawn at random may say how often the machine is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textanchor.database import Database

GAPS = 0.02  # of the drawn items, as many as may be missing among them


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """What was drawn before this `rank` counts. `gaps` are items before it on which nobody has decided, such as those that are
    somebody's just now: whatever is proposed for them counts as wrong, so that leaving items out gains nothing."""

    rank: int
    gaps: tuple[int, ...]


def frontier(database: Database) -> Frontier:
    """The farthest place in the random order before which at most two of a hundred drawn items, or one, are missing."""
    last = database.one("SELECT max(rank) FROM states JOIN items USING (item) WHERE drawn = 1 AND row IS NOT NULL")
    if last is None:
        return Frontier(rank=-1, gaps=())
    told = database.ask(
        "SELECT i.item, i.rank, CASE WHEN s.status IS NULL OR s.status = 'machine' THEN 0 WHEN s.drawn = 1 THEN 1 ELSE 2 END "
        "FROM items i LEFT JOIN states s ON s.item = i.item WHERE row IS NOT NULL AND i.rank <= ? ORDER BY i.rank",
        last,
    )
    what = np.array([one for _, _, one in told])
    missing, drawn = np.cumsum(what == 0), np.cumsum(what == 1)
    fine = np.flatnonzero((missing <= np.maximum(1, np.floor(GAPS * drawn))) & (what == 1))
    if not len(fine):
        return Frontier(rank=-1, gaps=())
    end = int(fine[-1])
    return Frontier(rank=int(told[end][1]) + 1, gaps=tuple(item for item, _, one in told[:end] if one == 0))
