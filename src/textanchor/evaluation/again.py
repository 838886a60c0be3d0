"""Old evaluations of a space, run again from what it remembers: the latents of what each table held out, found in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textanchor.judging import Difference, difference, judge
from textanchor.judging.figures import Ranking
from textanchor.latents.recalled import recalled
from textanchor.records.showing import short
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.memory import Remembered
from textanchor.space.texts import embed_texts


@dataclass(frozen=True, kw_only=True)
class Again:
    """One table's held-out items of one modality, as far as they are in the cache: `found` of `held`.

    `rankings` are items against their texts and back; `changes` are their paired differences from the space of before, where
    there is one.
    """

    __repr__ = short

    table: str
    modality: str
    held: int
    found: int
    rankings: tuple[Ranking, ...] = ()
    changes: tuple[Difference | None, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether a recall@1 dropped, by an interval that excludes 0."""
        return any(change is not None and change.verdict == "worse" for change in self.changes)

    @property
    def lines(self) -> tuple[str, ...]:
        """What there is to say, a line a direction."""
        whose = f"{self.table}, {self.modality}"
        if not self.found:
            why = "held nothing out" if not self.held else f"none of {self.held} held-out latents is in the cache: evaluate it"
            return (f"{whose}: {why}",)
        part = "" if self.found == self.held else f", {self.found} of {self.held} held-out items"
        changes = self.changes or (None,) * len(self.rankings)
        return tuple(
            f"{whose}, {ranking.name}: R@1 {recall:.3f}{_told(change)}{part}"
            for ranking, change in zip(self.rankings, changes, strict=True)
            if (recall := ranking.recall(1)) is not None
        )


def again(space: Space, *, before: Space | None = None, runtime: Runtime | None = None) -> tuple[Again, ...]:
    """Each remembered table by itself; with `before` what changed since, on the tables that it remembers too.

    Nothing is encoded but texts. What the space was fitted or selected on since is left out.
    """
    known = None if before is None else {(one.table, one.modality) for one in before.memory}
    tables = [one for one in space.memory if known is None or (one.table, one.modality) in known]
    return tuple(_again(space, one, before, runtime or space.runtime) for one in tables)


def _again(space: Space, one: Remembered, before: Space | None, runtime: Runtime) -> Again:
    held = [content for content in one.on("test") if content not in space.seen.contents]
    latents = recalled(held, space.encoder(one.modality), runtime)
    nothing = Again(table=one.table, modality=one.modality, held=len(held), found=0)
    if not len(latents):
        return nothing
    anchors = embed_texts(space, one.texts, modality=one.modality, wording=space.wording(one.modality), runtime=runtime)
    pairs = {one.modality: one.paired(latents, anchors, "test")}
    rankings = judge(space.geometry, pairs).alignment
    former: Sequence[Ranking] = judge(before.geometry, pairs).alignment if before is not None else ()
    changes = tuple(difference(mine, other) for mine, other in zip(rankings, former, strict=False))
    return replace(nothing, found=len(latents), rankings=rankings, changes=changes)


def _told(change: Difference | None) -> str:
    return "" if change is None else f", {change.size} since: {change.verdict}"
