"""What every proposer is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textanchor.labelling.pool import Labelled, Pool, Probabilities


@runtime_checkable
class Proposer(Protocol):
    """Proposes a class for every item from the labels of some, which it may use together with all items (transductively)."""

    name: str

    def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> Probabilities:
        """Probabilities [n, c] of all items, rows that sum to 1; those of labelled rows are no measure of anything."""
