"""What a reader of the tables must know and cannot see in them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from textanchor.evaluation.held_out import HELD_OUT, Judged
from textanchor.evaluation.tables import EMERGENT, Row
from textanchor.records import Pairs
from textanchor.space import Space, Story


def split_notes(space: Space, judged: Judged) -> list[str]:
    """With which split each modality was fitted, and how much was left out because the space has seen it."""
    stories = _stories(space)
    if len(stories) < 2:
        story = stories[0][1] if stories else None
        notes = [f"fitted with the split: {story.split if story else 'unknown'}", *(story.notes if story else ())]
    else:
        notes = []
        for modalities, story in stories:
            names = ", ".join(modalities)
            notes.append(f"{names} fitted with the split: {story.split if story else 'unknown'}")
            notes += [f"{names}: {note}" for note in (story.notes if story else ())]
    seen = ", ".join(f"{count} {side}" for side, count in judged.excluded.items() if count)
    return [*notes, f"left out because the space has seen them: {seen}"] if seen else notes


def unjudged(space: Space, table: Pairs, judged: Judged, rows: Sequence[Row]) -> list[str]:
    """What a reader would miss in the tables, and why it is not there."""
    held_out = judged.pairs[HELD_OUT]
    known = [name for name in table.modalities if name in space.kinds]
    seen = [f"no held-out {name}: the space has seen all that could be read" for name in known if name not in held_out]
    foreign = [f"no figure for {name}: the space has no such modality" for name in table.modalities if name not in known]
    ranked = {(row.ranking.query, row.ranking.gallery) for row in rows if row.table == EMERGENT and row.split == HELD_OUT}
    apart = [both for both in permutations(held_out, 2) if both not in ranked]
    return [*seen, *foreign, *(f"no {query}->{gallery} figure: they share no held-out text" for query, gallery in apart)]


def _stories(space: Space) -> list[tuple[list[str], Story | None]]:
    """Fits in order, each with the modalities that are still as it left them; None for those that no story tells of."""
    last = {modality: story for story in space.stories for modality in story.modalities}
    grouped: list[tuple[list[str], Story | None]] = []
    for modality in space.modalities:
        story = last.get(modality)
        same = next((names for names, other in grouped if other is story), None)
        if same is None:
            grouped.append(([modality], story))
        else:
            same.append(modality)
    return grouped
