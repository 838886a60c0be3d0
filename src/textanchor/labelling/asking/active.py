"""Strategies of scikit-activeml that ask by items and labels alone."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from textanchor.errors import MissingError
from textanchor.labelling.asking.once import askable, once
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows

Query: TypeAlias = Literal["CoreSet", "TypiClust", "ProbCover", "MaxHerding"]


class Active:
    """A strategy of the library scikit-activeml by its name there, with its own defaults; needs the extra `[active]`.

    Source: Kottke et al. 2021, scikit-activeml, doi:10.20944/preprints202103.0194.v1.
    """

    name = "active"
    by_proposals = False

    def __init__(self, *, query: Query = "ProbCover") -> None:
        self._query = query

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """In the library's order, near-duplicates passed over; `probabilities` are not looked at."""
        rows = askable(pool, labelled)
        wanted = min(count, len(rows))
        if not wanted:
            return np.empty(0, dtype=np.int64)
        known = np.full(len(pool), np.nan)
        known[labelled.rows] = labelled.classes
        asked = self._made(seed).query(X=pool.places, y=known, candidates=rows, batch_size=wanted)
        return once(pool, labelled, np.asarray(asked, dtype=np.int64), count)

    def _made(self, seed: int) -> Any:
        try:
            from skactiveml import pool as library
        except ImportError:
            raise MissingError(
                "the strategy active needs scikit-activeml: python -m pip install 'textanchor[active]'"
            ) from None
        return getattr(library, self._query)(random_state=seed)
