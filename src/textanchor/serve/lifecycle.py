"""Whether a server takes requests, and how many it is answering."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Lifecycle:
    """Open until it is closed; then it waits for what is under way. May be used from any thread."""

    def __init__(self) -> None:
        self.closing = False
        self.running = 0
        self._changed = Condition()

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request under way."""
        with self._changed:
            self.running += 1
        try:
            yield
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def close(self, seconds: float) -> bool:
        """Take no more requests, and wait so long for those under way; whether all were answered."""
        self.closing = True
        end = time.monotonic() + seconds
        with self._changed:
            while self.running and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self.running
