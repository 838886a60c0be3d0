"""What a space remembers of each table that it was fitted on, so that more can be added and old figures be measured again.

Contents are hashes, by which latents are found in the cache again; texts are texts. No item is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from textanchor.aligners.sums import Sums
from textanchor.data.pairs import group_key
from textanchor.data.sides import SIDES
from textanchor.records import Latents, PairedLatents, Pairs, Pooled, Vectors
from textanchor.records.showing import short
from textanchor.space.preparing import Prepared
from textanchor.space.space import Space


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """One table's pairs of one modality: contents of items with their sides and groups, texts, and edges between them.

    `sums` are those of what was fitted; None for token latents, or where they were left out.
    """

    __repr__ = short

    table: str
    modality: str
    contents: tuple[str, ...]
    sides: tuple[str, ...]
    groups: tuple[str, ...]
    texts: tuple[str, ...]
    edges: Int[np.ndarray, "e 2"]
    sums: Sums | None = field(default=None, repr=False)

    def count(self, *sides: str) -> int:
        """Items on some sides."""
        return sum(side in sides for side in self.sides)

    def on(self, *sides: str) -> list[str]:
        """Contents of the items on some sides."""
        return [content for content, side in zip(self.contents, self.sides, strict=True) if side in sides]

    def without(self, contents: Collection[str]) -> Remembered:
        """What is left when some contents are taken out."""
        kept = np.array([content not in contents for content in self.contents], dtype=bool)
        place = np.cumsum(kept) - 1
        edges = self.edges[kept[self.edges[:, 0]]]
        used, texts = np.unique(edges[:, 1], return_inverse=True)
        rows = np.flatnonzero(kept).tolist()
        return replace(
            self,
            contents=tuple(self.contents[row] for row in rows),
            sides=tuple(self.sides[row] for row in rows),
            groups=tuple(self.groups[row] for row in rows),
            texts=tuple(self.texts[row] for row in used.tolist()),
            edges=np.stack([place[edges[:, 0]], texts.astype(np.int64)], axis=1),
        )

    def paired(self, latents: Latents, anchors: Vectors, *sides: str) -> PairedLatents:
        """The pairs on some sides whose latents are there; `latents` have contents as ids, `anchors[i]` is of `texts[i]`."""
        wanted = {
            row: content for row, (content, side) in enumerate(zip(self.contents, self.sides, strict=True)) if side in sides
        }
        place = {content: row for row, content in enumerate(latents.ids)}
        rows = [row for row, content in wanted.items() if content in place]
        at = np.full(len(self.contents), -1, dtype=np.int64)
        at[rows] = np.arange(len(rows))
        edges = self.edges[at[self.edges[:, 0]] >= 0]
        degree = np.bincount(edges[:, 0], minlength=len(self.contents))
        used, texts = np.unique(edges[:, 1], return_inverse=True)
        own = latents.take([place[wanted[row]] for row in rows])
        return PairedLatents(
            modality=self.modality,
            items=replace(own, ids=tuple(f"{self.table}: {content}" for content in own.contents)),
            texts=tuple(self.texts[row] for row in used.tolist()),
            anchors=anchors[used],
            edges=np.stack([at[edges[:, 0]], texts.astype(np.int64)], axis=1),
            weights=(1 / np.maximum(degree, 1))[edges[:, 0]].astype(np.float32),
            groups=tuple(self.groups[row] for row in rows),
        )

    def described(self) -> dict[str, Any]:
        """JSON-ready, without the sums."""
        return {
            "table": self.table,
            "modality": self.modality,
            "contents": list(self.contents),
            "sides": list(self.sides),
            "groups": list(self.groups),
            "texts": list(self.texts),
            "edges": self.edges.tolist(),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any], numbers: Mapping[str, np.ndarray]) -> Remembered:
        """From `described`'s values and the arrays of the sums, none of which need be there."""
        return cls(
            table=str(told["table"]),
            modality=str(told["modality"]),
            contents=tuple(map(str, told["contents"])),
            sides=tuple(map(str, told["sides"])),
            groups=tuple(map(str, told["groups"])),
            texts=tuple(map(str, told["texts"])),
            edges=np.asarray(told["edges"], dtype=np.int64).reshape(-1, 2),
            sums=Sums(**{**numbers, "count": numbers["count"].reshape(())}) if numbers else None,
        )


def arrays(memory: Sequence[Remembered]) -> dict[str, np.ndarray]:
    """The sums of all tables, by the table's place."""
    return {
        f"{place} {one.name}": np.ascontiguousarray(getattr(table.sums, one.name))
        for place, table in enumerate(memory)
        if table.sums is not None
        for one in fields(table.sums)
    }


def read_memory(told: Sequence[Mapping[str, Any]], numbers: Mapping[str, np.ndarray]) -> tuple[Remembered, ...]:
    """What `described` and `arrays` gave."""
    own: list[dict[str, np.ndarray]] = [{} for _ in told]
    for name, value in numbers.items():
        place, _, what = name.partition(" ")
        own[int(place)][what] = value
    return tuple(Remembered.read(table, sums) for table, sums in zip(told, own, strict=True))


def remembered(ready: Prepared, modality: str, fitted: PairedLatents, taken: Collection[str]) -> tuple[Remembered, ...]:
    """What is to be remembered of one modality's pairs, table by table; `fitted` are the new pairs that were fitted.

    Of equal names, also among those that are `taken`, the later get a number.
    """
    tables: list[Remembered] = []
    for table in ready.pairs.tables or (ready.pairs,):
        own = table.only(modality)
        if not own.rows:
            continue
        one = _remembered(own, modality, ready)
        rows = [row for row, item in enumerate(fitted.items.ids) if ready.pairs.origins.get(item) == table.source]
        known = isinstance(fitted.items, Pooled) and len(rows) > 0
        names = {*taken, *(earlier.table for earlier in tables)}
        tables.append(replace(one, table=free(table.source, names), sums=Sums.of(fitted.take(rows)) if known else None))
    return tuple(tables)


def free(name: str, taken: Collection[str]) -> str:
    """The name, with the first number that makes it another than those taken."""
    numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _remembered(own: Pairs, modality: str, ready: Prepared) -> Remembered:
    items = {item.id: ready.hashes[item.id] for item in own.items if ready.split.side(item.id) in SIDES}
    sides = {content: ready.split.side(item) for item, content in items.items()}
    place = {content: row for row, content in enumerate(sides)}
    groups = {content: own.joined_groups.get(item, "") for item, content in items.items()}
    pairs = dict.fromkeys((items[row.item.id], row.text) for row in own.rows if row.item.id in items)
    texts = {text: number for number, text in enumerate(dict.fromkeys(text for _, text in pairs))}
    return Remembered(
        table=own.source,
        modality=modality,
        contents=tuple(sides),
        sides=tuple(sides.values()),
        groups=tuple(group_key(ready.pairs, group) if group else f"item {content}" for content, group in groups.items()),
        texts=tuple(texts),
        edges=np.array([[place[content], texts[text]] for content, text in pairs], dtype=np.int64).reshape(-1, 2),
    )


def forgetful(space: Space) -> Space:
    """The space with nothing to remember: no text of its pairs, no hash of what it held out."""
    same = copy(space)
    same.memory = ()
    return same
