"""Which items the strategy wants to be asked next, worked out some way ahead and kept in the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from textanchor import registry
from textanchor.database import Database
from textanchor.labelling.asking import Strategy
from textanchor.labelling.pool import Pool, Probabilities, Rows
from textanchor.labelling.project.pooling import Told

AHEAD = 200  # items that are chosen at a time
CANDIDATES = 20_000  # of more items as many are drawn at random, from which the strategy chooses


def chosen(strategy: Strategy, pool: Pool, told: Told, probabilities: Probabilities | None, *, count: int, seed: int) -> Rows:
    """Rows that the strategy asks next, none that anybody has decided on."""
    few = _candidates(pool, told, seed)
    smaller = pool if len(few) == len(pool) else taken(pool, few)
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
    return len(rows)


def strategy_of(spec: str) -> Strategy:
    """A strategy by its name. Raises `UnknownNameError`."""
    made: Strategy = registry.part("strategy", spec)
    return made


def taken(pool: Pool, rows: Int[np.ndarray, " k"]) -> Pool:
    """Some items of a pool as a pool."""
    return replace(
        pool,
        features=tuple(replace(one, values=one.values[rows], present=one.present[rows]) for one in pool.features),
        groups=pool.groups[rows],
        contents=pool.contents[rows],
        by_names=None if pool.by_names is None else pool.by_names[rows],
    )


def _candidates(pool: Pool, told: Told, seed: int) -> Rows:
    """All decided items, and of the others at most so many, in order."""
    free = np.flatnonzero(~told.decided)
    if len(free) > CANDIDATES:
        free = np.random.default_rng(seed).permutation(free)[:CANDIDATES]
    return np.sort(np.concatenate([np.flatnonzero(told.decided), free]))
