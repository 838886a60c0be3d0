"""Which requests are let in by the memory that they are estimated to need, and by how many one client has under way.

Used by the event loop alone, and so without a lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from textanchor.serve.refusal import Refusal
from textanchor.serve.settings import Bounds

TICKET = "textanchor.ticket"  # where the scope keeps a request's ticket
PER_BODY = 3  # copies of a body that exist at once: as read, as text, its files as bytes


class Admission:
    """Counts what all requests together may need."""

    def __init__(self, bounds: Bounds) -> None:
        self.reserved = 0
        self._bounds = bounds
        self._under_way: Counter[int] = Counter()

    @contextmanager
    def request(self, client: int) -> Iterator[Ticket]:
        """One request of a client. Raises `Refusal` (429) for one too many."""
        if self._under_way[client] >= self._bounds.requests:
            raise Refusal(
                429,
                f"{self._bounds.requests} requests with this token are under way; wait for some of them",
                code="too_many_requests",
                retry=1,
                close=True,
            )
        self._under_way[client] += 1
        ticket = Ticket(self, self._bounds.memory)
        try:
            yield ticket
        finally:
            self._under_way[client] -= 1
            self.reserved -= ticket.held


class Ticket:
    """What one request holds of the memory."""

    def __init__(self, admission: Admission, budget: int) -> None:
        self.held = 0
        self._admission, self._budget = admission, budget

    def grow(self, count: int) -> None:
        """Hold so many bytes more. Raises `Refusal` (503) where others hold the rest; a lone request may hold any number."""
        others = self._admission.reserved - self.held
        if others and others + self.held + count > self._budget:
            raise Refusal(
                503, "the memory for requests is taken; ask again in a moment", code="overloaded", retry=2, close=True
            )
        self.held += count
        self._admission.reserved += count
