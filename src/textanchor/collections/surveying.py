"""What a folder or table holds, counted before anything of it is opened, and its items batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from textanchor.data.pairs import iterate_collection
from textanchor.errors import NothingUsableError
from textanchor.files import located
from textanchor.records import Item, Skipped, first_of
from textanchor.runtime import Reading

KEPT = 20_000  # items that a survey remembers, so that small collections are read once
BATCH = 2048  # items of one modality that go to their encoder together


@dataclass(frozen=True, kw_only=True)
class Survey:
    """How many items of each modality a collection holds, and what is in it that is no item.

    `kept` are its items if they are few; those of a larger collection are read anew.
    """

    source: str | Path
    modality: str | None
    reading: Reading | None
    counts: Mapping[str, int]
    skipped: tuple[Skipped, ...]
    kept: tuple[Item, ...] | None = None

    def items(self, modality: str | None = None) -> Iterator[Item]:
        """The items of one modality, or all, in the collection's order."""
        found = self.kept if self.kept is not None else _distinct(self.source, self.modality, self.reading)
        for item in found:
            if isinstance(item, Item) and modality in (None, item.modality):
                yield item

    def batches(self) -> Iterator[list[Item]]:
        """All items in one pass: at most 2048 of one modality at a time, in the collection's order within each modality."""
        waiting: dict[str, list[Item]] = {modality: [] for modality in self.counts}
        for item in self.items():
            own = waiting.setdefault(item.modality, [])
            own.append(item)
            if len(own) == BATCH:
                yield own
                waiting[item.modality] = []
        yield from filter(None, waiting.values())


def survey(source: str | Path, *, modality: str | None = None, reading: Reading | None = None) -> Survey:
    """Count a collection's items without opening them. Raises `NothingUsableError` if there is none."""
    counts: Counter[str] = Counter()
    skipped: list[Skipped] = []
    kept: list[Item] = []
    for found in _distinct(source, modality, reading):
        if isinstance(found, Skipped):
            skipped.append(found)
            continue
        counts[found.modality] += 1
        if len(kept) <= KEPT:
            kept.append(found)
    if not counts:
        raise NothingUsableError(f"{source} holds no item{first_of(skipped)}")
    return Survey(
        source=source,
        modality=modality,
        reading=reading,
        counts=counts,
        skipped=tuple(skipped),
        kept=tuple(kept) if len(kept) <= KEPT else None,
    )


def _distinct(source: str | Path, modality: str | None, reading: Reading | None) -> Iterator[Item | Skipped]:
    """Every item once: a table may name it again with another text. A folder's names differ, so none is remembered.

    Of a table's names the 64-bit hashes are remembered: two of a million names share one with a chance of 3 in 100 million.
    """
    is_table = located(source).is_file()
    seen: set[int] = set()
    for found in iterate_collection(source, modality=modality, reading=reading):
        if is_table and isinstance(found, Item):
            name = hash(found.id)
            if name in seen:
                continue
            seen.add(name)
        yield found
