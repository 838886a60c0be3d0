"""Which items the strategy wants to be asked next, worked out some way ahead and kept in the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from textanchor import registry
from textanchor.database import Database
from textanchor.labelling.asking import Strategy
from textanchor.labelling.pool import Pool, Probabilities, Rows
from textanchor.labelling.project.pooling import Told
from textanchor.labelling.project.records import Settings

AHEAD = 200  # items that are chosen at a time
PAUSE = 10  # decisions after which it is worth while to choose anew
CHOSEN = "chosen at"
CANDIDATES = 20_000  # of more items as many are drawn at random, from which the strategy chooses


def chosen(settings: Settings, pool: Pool, told: Told, probabilities: Probabilities | None, *, count: int = AHEAD) -> Rows:
    """Rows that the strategy asks next, none that anybody has decided on."""
    strategy, seed = strategy_of(settings.strategy), settings.seed
    few = _candidates(pool, told, seed)
    smaller = pool if len(few) == len(pool) else pool.taken(few)
    place = np.full(len(pool), -1)
    place[few] = np.arange(len(few))
    labelled = replace(told.labelled, rows=place[told.labelled.rows])
    known = None if probabilities is None or np.isnan(probabilities[few]).any() else probabilities[few]
    refused = set(place[told.refused].tolist())
    rows = strategy.ask(smaller, labelled, known, count + len(refused), seed=seed)
    return few[[row for row in rows.tolist() if row not in refused][:count]]


def enqueue(database: Database, rows: Rows) -> int:
    """Put them into the queue in place of what is there; how many. Within `writing`."""
    items = [item for (item,) in database.ask("SELECT item FROM items WHERE row IS NOT NULL ORDER BY row")]
    database.ask("DELETE FROM queue")
    database.ask_each("INSERT INTO queue VALUES (?, ?)", ((place, items[row]) for place, row in enumerate(rows.tolist())))
    database.note(CHOSEN, str(database.one("SELECT coalesce(max(event), 0) FROM events")))
    return len(rows)


def is_due(database: Database, count: int) -> bool:
    """Whether the queue holds fewer than so many items that can be asked, and something was decided since it was made.

    A strategy passes over what nearly repeats something else, so that it may come to an end while items are open.
    """
    joined = "SELECT count(*) FROM queue JOIN items i USING (item) LEFT JOIN states s ON s.item = i.item"
    free = "i.row IS NOT NULL AND s.status IS NULL AND i.item NOT IN (SELECT item FROM asks)"
    if int(database.one(f"{joined} WHERE {free}")) >= count:
        return False
    then, now = database.fact(CHOSEN), database.one("SELECT coalesce(max(event), 0) FROM events")
    return not then or now - int(then) >= PAUSE


def strategy_of(spec: str) -> Strategy:
    """A strategy by its name. Raises `UnknownNameError`."""
    made: Strategy = registry.part("strategy", spec)
    return made


def _candidates(pool: Pool, told: Told, seed: int) -> Rows:
    """All decided items, and of the others at most so many, in order."""
    free = np.flatnonzero(~told.decided)
    if len(free) > CANDIDATES:
        free = np.random.default_rng(seed).permutation(free)[:CANDIDATES]
    return np.sort(np.concatenate([np.flatnonzero(told.decided), free]))
