"""Which unpaired items to describe next: diverse first, uncertain later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Unpack

import numpy as np
from jaxtyping import Float32
from sklearn.preprocessing import normalize

from textanchor.data.pairs import read_pairs
from textanchor.data.wording import Wording
from textanchor.errors import InputError
from textanchor.files import write_csv
from textanchor.judging import trial
from textanchor.metrics.covering import NEAR, covering, nearest
from textanchor.records import Pairs, Pooled, Vectors
from textanchor.runtime import Reading, Runtime, SimpleSplit, Splitting, settled, settled_split
from textanchor.space.items import TEXT
from textanchor.space.preparing import Encoding, Sides, prepare

METHOD = "kernel-cca"  # what is asked how much it knows
LATER = 0.1  # share of items with texts from which on uncertain ones are asked for too, as docs/findings.md measures


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """An unpaired item whose text would help, the first being the best, and why."""

    item: str
    modality: str
    reason: str


def next_pairs(
    pairs: object,
    count: int,
    *,
    method: str = METHOD,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    wording: Wording | None = None,
    reading: Reading | None = None,
    splitting: Splitting | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleSplit],
) -> list[Proposal]:
    """The `count` unpaired items of each modality whose text would help most.

    First come items that stand for many others which no paired item stands for (`covering`): all of them while fewer than a
    tenth of the items have texts, half of them later. The rest are those whose best text in a fit of `method` on the pairs is
    the worst. What nearly repeats a paired or chosen item is never among them, so there may be fewer. Raises `InputError` if
    there is none, and what `fit` raises for unusable input.
    """
    if count < 1:
        raise InputError(f"the next {count} items: expected at least 1")
    split, work = settled_split(splitting, simple), settled(runtime, simple)
    encoding = Encoding(anchor=anchor, encoders=encoders or {}, wording=wording or Wording())
    ready = prepare(read_pairs(pairs, split_name=split.name, reading=reading), encoding, split, work)
    opened = [ready.sides(modality, ("train", "val")) for modality in ready.encoders]
    asked = [sides for sides in opened if sides is not None and sides.unpaired.items is not None]
    if not asked:
        raise InputError(
            f"{ready.given.source} has no unpaired item on its training side to choose from: expected rows with a path and "
            "no text; add the files that have none yet"
        )
    found = [one for sides in asked for one in proposed(sides, count, method=method, device=ready.device, seed=split.seed)]
    if not found:
        raise InputError(
            f"every unpaired item of {ready.given.source} nearly repeats one that has a text (cosine of centred latents at "
            f"least {NEAR}): expected some that do not; add other files"
        )
    return found


def proposed(
    sides: Sides, count: int, *, method: str, diverse: float | None = None, device: str = "cpu", seed: int = 0
) -> list[Proposal]:
    """`next_pairs` of one modality's latents; `diverse` is the share of those that stand for many, if somebody sets it."""
    items = sides.unpaired.items
    if not isinstance(items, Pooled):
        raise InputError("items are chosen by one vector each; name an encoder with a pool")
    modality = sides.train.modality
    known = sides.train.joined(sides.val if len(sides.val.items) else None)
    paired, lone = centred(known.means, items.vectors)
    first = _first(len(paired), len(lone), count) if diverse is None else ceil(diverse * count)
    chosen = covering(paired, lone, first, seed=seed).tolist()
    told = [
        Proposal(item=items.ids[row], modality=modality, reason="diverse: many items like it have no text") for row in chosen
    ]
    if len(chosen) < count:
        confidence = _confidence(sides, items.vectors, method, device, seed)
        rest = uncertain(paired, lone, confidence, chosen, count - len(chosen))
        told += [
            Proposal(item=items.ids[row], modality=modality, reason="uncertain: no known text comes near it") for row in rest
        ]
    return told


def _first(paired: int, lone: int, count: int) -> int:
    """How many come before the uncertain ones: all until a tenth of the items have texts, then every second one.

    Where pairs are few what a fit is sure of says little. Source: Hacohen, Dekel and Weinshall 2022, arXiv:2202.02794.
    """
    early = min(count, max(0, ceil(LATER * (paired + lone)) - paired))
    return early + ceil((count - early) / 2)


def centred(paired: Vectors, lone: Vectors) -> tuple[Vectors, Vectors]:
    """Both of unit length after the mean of all is subtracted, so that inner products are cosines."""
    mean = np.concatenate([paired, lone]).mean(axis=0)
    return normalize(paired - mean), normalize(lone - mean)


def uncertain(
    paired: Vectors, lone: Vectors, confidence: Float32[np.ndarray, " n"], chosen: Sequence[int], count: int
) -> list[int]:
    """Rows of the least confident items that nearly repeat neither a paired nor a chosen one, nor each other."""
    known = [paired, *(lone[[row]] for row in chosen)]
    found: list[int] = []
    taken = set(chosen)
    closest = nearest(lone, np.concatenate(known))
    for row in np.argsort(confidence, kind="stable").tolist():
        if len(found) == count:
            break
        if row not in taken and closest[row] < NEAR:
            found.append(row)
            closest = np.maximum(closest, lone @ lone[row])
    return found


def write_next(proposals: Sequence[Proposal], pairs: Pairs, place: Path) -> None:
    """A table to fill in: path, reason, and text, which is empty. Items that are no files are named by their ids."""
    paths = {item.id: item.path for item in pairs.lone_items}
    rows = [(str(paths.get(one.item) or one.item), one.reason, "") for one in proposals]
    write_csv(place, [("path", "reason", "text"), *rows])


def _confidence(sides: Sides, vectors: Vectors, method: str, device: str, seed: int) -> Float32[np.ndarray, " n"]:
    """Each unpaired item's score with its best known text, in a fit on the pairs."""
    modality = sides.train.modality
    geometry = trial(method, {modality: sides.task(device=device, seed=seed)}).geometry
    to_texts = geometry.between(modality, TEXT)
    queries, gallery = to_texts.query(geometry.project(modality, vectors)), to_texts.gallery(sides.train.anchors)
    best = [(queries[start : start + 1024] @ gallery.T).max(axis=1) for start in range(0, len(queries), 1024)]
    return np.concatenate(best).astype(np.float32)
