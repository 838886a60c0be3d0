"""What of a task's unpaired data takes part: items that look for a text, and the texts that they may find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from textanchor.aligners.comparison import drawn
from textanchor.errors import InputError, LeakError
from textanchor.latents.paired_latents import are_classes
from textanchor.records import PairedLatents, Pooled, Task, Vectors

ITEMS, TEXTS = 5000, 10_000  # at most; a plan has a cell for each item and text


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Unpaired items with their groups, and texts [t, d], each with the share of items that it is expected to describe."""

    items: Pooled
    groups: tuple[str, ...]
    anchors: Vectors
    shares: Float32[np.ndarray, " t"]


def candidates(task: Task) -> Candidates | None:
    """None without unpaired items; else a random 5000 of them at most, and 10,000 texts.

    Texts are the unpaired ones. Where there are none, or texts are class names, at most half as many as items, those of the
    pairs that the task fits count too, by how many items they have. Raises `LeakError` for items that validate too, or share a
    group with what does, and `InputError` for tokens.
    """
    given = task.unpaired
    if given.items is None or not len(given.items):
        return None
    apart_from_validation(task)
    if not isinstance(given.items, Pooled):
        raise InputError("the latents are tokens, several vectors an item; name an encoder with a pool")
    anchors, shares = _texts(task.fitted, given.anchors)
    if not len(anchors):
        return None
    rows, columns = drawn(len(given.items), ITEMS, seed=task.seed), drawn(len(anchors), TEXTS, seed=task.seed)
    return Candidates(
        items=given.items.take(rows),
        groups=tuple(given.groups[row] for row in rows),
        anchors=anchors[columns],
        shares=shares[columns],
    )


def apart_from_validation(task: Task) -> None:
    """Raise `LeakError` if unpaired items judge as well: what is fitted to them would choose."""
    given, val = task.unpaired, task.val
    if val is None or given.items is None:
        return
    for what, mine, others in (
        ("hold what validation items hold", given.items.contents, val.items.contents),
        ("stand in groups of validation items", given.groups, val.groups),
    ):
        if both := set(mine) & set(others):
            count = sum(one in both for one in mine)
            raise LeakError(f"{count} unpaired items {what}; leave them out, or split by group (--resplit)")


def _texts(pairs: PairedLatents, lone: Vectors | None) -> tuple[Vectors, Float32[np.ndarray, " t"]]:
    vectors = np.empty((0, pairs.anchors.shape[1]), np.float32) if lone is None else lone
    shares = np.ones(len(vectors), np.float32)
    if len(pairs.texts) and (not len(vectors) or are_classes(pairs)):
        owners = np.bincount(pairs.edges[:, 1], weights=pairs.weights, minlength=len(pairs.texts)).astype(np.float32)
        vectors, shares = np.concatenate([vectors, pairs.anchors]), np.concatenate([shares * owners.mean(), owners])
    return vectors, shares
