"""What every strategy is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows


@runtime_checkable
class Strategy(Protocol):
    """Says which items a person should label next.

    It may keep what it has worked out of a pool for the next call with the same one; its answer does not depend on that.
    `by_proposals` says whether it cannot do without probabilities.
    """

    name: str
    by_proposals: bool

    def ask(
        self, pool: Pool, labelled: Labelled, probabilities: Probabilities | None = None, count: int = 1, *, seed: int = 0
    ) -> Rows:
        """Rows that are not labelled, the best first; fewer than `count` where the others nearly repeat what is known or asked.

        `probabilities` [n, c] are a proposer's. Raises `InputError` where a strategy needs them and they are None.
        """
