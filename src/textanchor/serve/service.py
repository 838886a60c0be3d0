"""All that answers requests and lasts as long as the server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from textanchor.records import Item
from textanchor.serve.admission import Admission, Ticket
from textanchor.serve.batching import Batcher
from textanchor.serve.encoding import Encoding, Outcome
from textanchor.serve.fetching import Fetcher
from textanchor.serve.inputs import Inputs, Weighed
from textanchor.serve.lifecycle import Lifecycle
from textanchor.serve.metrics import Metrics
from textanchor.serve.settings import Settings
from textanchor.serve.shelves import Shelf
from textanchor.space import TEXT, Space


@dataclass(frozen=True)
class Service:
    """A space under a name, its collections, and a queue for each of its modalities."""

    space: Space
    name: str
    settings: Settings
    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    fetcher: Fetcher | None = None
    metrics: Metrics = field(default_factory=Metrics)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    admission: Admission = field(init=False)
    inputs: Inputs = field(init=False)
    batchers: Mapping[str, Batcher] = field(init=False)

    def __post_init__(self) -> None:
        """Loads every encoder, so that what is missing is said before the first request."""
        bounds = self.settings.bounds
        kinds = (TEXT, *self.space.kinds)
        for kind in (TEXT, *self.space.modalities):
            self.space.encoder(kind)
        encode = Encoding(self.space)
        fetch = self.fetcher.fetch if self.fetcher is not None and self.settings.urls else None
        made = {
            "admission": Admission(bounds),
            "inputs": Inputs(
                modalities=kinds,
                bounds=bounds,
                limits=self.space.runtime.limits,
                fetch=fetch,
                fetching=ThreadPoolExecutor(8, thread_name_prefix="fetch") if fetch else None,
            ),
            "batchers": {
                kind: Batcher(kind, encode, self.settings.batching, waiting=bounds.waiting, notice=self.metrics.batch)
                for kind in kinds
            },
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)
        self.metrics.gauge("requests_running", "Requests under way.", lambda: self.lifecycle.running)
        self.metrics.gauge("memory_reserved_bytes", "Estimated needs of them.", lambda: self.admission.reserved)
        waiting = self.batchers.values()
        self.metrics.gauge("items_waiting", "Items not in a batch yet.", lambda: sum(one.waiting for one in waiting))

    async def embedded(self, given: tuple[str, ...], modality: str, ticket: Ticket | None = None) -> list[Outcome]:
        """An outcome an input, in order."""
        if ticket is not None:
            ticket.grow(self.inputs.urls(given, modality) * self.settings.bounds.item)
        weighed = await self.inputs.weighed(given, modality)
        good = [one for one in weighed if one.item is not None]
        if ticket is not None:
            ticket.grow(sum(one.weight for one in good))
        items: list[Item] = [one.item for one in good if one.item is not None]
        done = self.batchers[modality].submit(items, [one.weight for one in good])
        found: list[Outcome] = await asyncio.wrap_future(done)
        outcomes = iter(found)
        return [_outcome(one, outcomes) for one in weighed]

    def close(self, seconds: float) -> bool:
        """Take no more requests, answer those under way, empty the queues; whether that was done in time."""
        done = self.lifecycle.close(seconds)
        for batcher in self.batchers.values():
            batcher.close(1.0 if done else 0.0)
        return done


def _outcome(one: Weighed, outcomes: Iterator[Outcome]) -> Outcome:
    return next(outcomes) if one.item is not None else one.reason
