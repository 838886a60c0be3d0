"""The one loop through a collection: batches of items from a source of latents or vectors into tables, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from textanchor.collections.surveying import Survey
from textanchor.collections.tables import VectorTable
from textanchor.collections.tally import Tally
from textanchor.latents.engine import Chunk
from textanchor.progress import Bar
from textanchor.records import Item, Skipped
from textanchor.runtime import Runtime

Source = Callable[[Sequence[Item], str, Runtime], Iterable[Chunk]]
"""Latents or vectors of items of one modality; one entry of `Chunk.latents` a table."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What becomes of each modality's items: who gives their vectors, which tables these go to, and who gets none and why."""

    source: Source
    tables: Mapping[str, Sequence[VectorTable]]
    refused: Mapping[str, str]


def run_through(
    survey: Survey, course: Course, tallies: Mapping[str, Tally], runtime: Runtime
) -> tuple[dict[str, Tally], list[Skipped]]:
    """Take every item of a collection through the course in one pass and in bounded memory.

    `tallies` have one entry a modality that is not refused, and are given back with what came. With the runtime's `strict`
    the source raises `ItemError` at the first item that cannot be read.
    """
    counted = dict(tallies)
    skipped: list[Skipped] = []
    total = sum(count for modality, count in survey.counts.items() if modality not in course.refused)
    with runtime.progress.bar("encode", total=total) as bar:
        inside = within(runtime, bar)
        for batch in survey.batches():
            modality = batch[0].modality
            if modality in course.refused:
                skipped += [Skipped(item=item.id, reason=course.refused[modality]) for item in batch]
                continue
            for chunk in course.source(batch, modality, inside):
                for table, latents in zip(course.tables.get(modality, ()), chunk.latents, strict=False):
                    table.add(chunk.items, latents)
                skipped += chunk.skipped
                counted[modality] = counted[modality].plus(encoded=chunk.new, cached=chunk.cached, skipped=len(chunk.skipped))
                bar.note(
                    new=sum(tally.encoded for tally in counted.values()),
                    cached=sum(tally.cached for tally in counted.values()),
                    skipped=len(skipped),
                )
    return counted, skipped


def within(runtime: Runtime, whole: Bar) -> Runtime:
    """The same, but that progress shows on a bar that is there already."""
    return replace(runtime, progress=_Within(whole))


@dataclass(frozen=True)
class _Within:
    """Progress of a batch shows on the bar of the whole collection."""

    whole: Bar

    @contextmanager
    def bar(self, what: str, *, total: int | None = None, unit: str = "item") -> Iterator[Bar]:
        """The bar that is there already."""
        yield _Advancing(self.whole)


@dataclass(frozen=True)
class _Advancing:
    whole: Bar

    def advance(self, count: int = 1) -> None:
        self.whole.advance(count)

    def note(self, **counts: int) -> None:
        """The whole collection's counts stand there, not the batch's."""
