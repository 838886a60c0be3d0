"""Items of many requests encoded together: one queue and one thread a modality.

While a batch is encoded the next one gathers, so that under load the batches grow by themselves; an idle worker waits a few
milliseconds for company. Requests take turns: one of a thousand items does not keep one of a single item waiting.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread

from textanchor.records import Item
from textanchor.serve.encoding import Outcome
from textanchor.serve.refusal import Refusal
from textanchor.serve.settings import Batching

Encode = Callable[[str, Sequence[Item]], list[Outcome]]
Notice = Callable[[str, int, int], None]  # modality, embedded, failed


@dataclass(eq=False)
class _Job:
    """The items of one request, of which `begun` are in batches already."""

    items: Sequence[Item]
    weights: Sequence[int]
    done: Future[list[Outcome]]
    outcomes: list[Outcome | None] = field(default_factory=list)
    begun: int = 0
    missing: int = 0

    @property
    def left(self) -> int:
        return len(self.items) - self.begun

    def settle(self, row: int, outcome: Outcome) -> None:
        self.outcomes[row] = outcome
        self.missing -= 1
        if not self.missing and self.done.set_running_or_notify_cancel():
            self.done.set_result([found for found in self.outcomes if found is not None])


Slot = tuple[_Job, int]


class Batcher:
    """The queue of one modality. May be used from any thread."""

    def __init__(self, modality: str, encode: Encode, batching: Batching, *, waiting: int, notice: Notice) -> None:
        self.modality, self.waiting = modality, 0
        self._encode, self._batching, self._most, self._notice = encode, batching, waiting, notice
        self._jobs: deque[_Job] = deque()
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._work, name=f"encode {modality}", daemon=True)
        self._thread.start()

    def submit(self, items: Sequence[Item], weights: Sequence[int]) -> Future[list[Outcome]]:
        """The outcomes of a request's items, in time. Raises `Refusal` (503) where too many items wait, or none are taken."""
        job = _Job(items, weights, Future(), [None] * len(items), missing=len(items))
        if not items:
            job.done.set_result([])
            return job.done
        with self._changed:
            if self._closed:
                raise Refusal(503, "the server is stopping", code="shutting_down", retry=5)
            if self.waiting and self.waiting + len(items) > self._most:
                raise Refusal(503, f"{self.waiting} items wait already; ask again in a moment", code="overloaded", retry=2)
            self._jobs.append(job)
            self.waiting += len(items)
            self._changed.notify()
        return job.done

    def close(self, seconds: float) -> None:
        """Take no more items, and wait so long for those that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        while slots := self._gathered():
            outcomes = self._encode(self.modality, [job.items[row] for job, row in slots])
            failed = sum(isinstance(outcome, str) for outcome in outcomes)
            self._notice(self.modality, len(slots) - failed, failed)
            for (job, row), outcome in zip(slots, outcomes, strict=True):
                job.settle(row, outcome)

    def _gathered(self) -> list[Slot]:
        """The next batch, of at least one item; empty once the queue is closed and empty."""
        with self._changed:
            slots: list[Slot] = []
            while not slots:
                while not self._jobs and not self._closed:
                    self._changed.wait()
                if not self._jobs:
                    return []
                end = time.monotonic() + self._batching.seconds
                while self.waiting < self._batching.items and not self._closed and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
                slots = self._taken()
            return slots

    def _taken(self) -> list[Slot]:
        """An item of each request in turn, until the batch is full; those whose client has given up are dropped."""
        slots: list[Slot] = []
        weight = 0
        while self._jobs and len(slots) < self._batching.items:
            job = self._jobs.popleft()
            if job.done.cancelled():
                self.waiting -= job.left
                continue
            weight += job.weights[job.begun]
            if slots and weight > self._batching.memory:
                self._jobs.appendleft(job)
                break
            slots.append((job, job.begun))
            job.begun += 1
            self.waiting -= 1
            if job.left:
                self._jobs.append(job)
        return slots
