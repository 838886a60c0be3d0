"""What classes' names alone say of items: by a space, or by encoders whose own classifiers know names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from textanchor.collections.taking import own_modality
from textanchor.data.wording import plain_name
from textanchor.encoders import head_of
from textanchor.escaping import written_back
from textanchor.labelling.pool import Probabilities
from textanchor.labelling.project.sights import Eyes
from textanchor.records import Item, Vectors
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.classifying import among
from textanchor.space.preparing import base_of
from textanchor.space.storage import load
from textanchor.space.texts import embed_texts


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """Raw vectors of items in the anchor's space, the modality that each was taken for, and whether it has any."""

    vectors: Vectors
    kinds: tuple[str, ...]
    present: Bool[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class NamedClasses:
    """The anchor's vectors of the classes' texts, and how probable each class is of each item by its text alone."""

    texts: Vectors
    by_names: Probabilities | None = None


def naming_space(eyes: Eyes, kinds: Sequence[str]) -> Space:
    """The space that was given, or one of what the encoders' classifiers know, or of the anchor alone."""
    if eyes.space is not None:
        return eyes.space
    return opened_space("", {kind: eyes.name(kind) for kind in kinds}, knowing(eyes, kinds), eyes.runtime)


def knowing(eyes: Eyes, kinds: Sequence[str]) -> list[str]:
    """Kinds whose encoder is a classifier of named classes."""
    return [] if eyes.space is not None else [kind for kind in kinds if head_of(eyes.encoder(kind)) is not None]


def opened_space(place: str, encoders: Mapping[str, str], named: Sequence[str], runtime: Runtime) -> Space:
    """The space of a project again, or one of what its encoders' names say, or of the anchor alone. `named` are the kinds whose
    encoders know names. Raises `InputError` where it is gone."""
    if place:
        return load(Path(written_back(place)), runtime=runtime)
    knowing = {kind: encoders[kind] for kind in named}
    from textanchor.space.starting import start  # which loads torch

    return start(encoders=knowing, runtime=runtime) if knowing else base_of(None, runtime)


def anchored(space: Space, items: Sequence[Item], runtime: Runtime) -> Anchored | None:
    """Vectors of all items that the space knows; None if it knows none of them. Latents come from the cache."""
    kinds = tuple(own_modality(space, item.modality) or "" for item in items)
    vectors = np.zeros((len(items), space.dim), dtype=np.float32)
    present = np.zeros(len(items), dtype=bool)
    known = [item for item, kind in zip(items, kinds, strict=True) if kind]
    if not known:
        return None
    embedded = space.embed_all(known, runtime=runtime)
    place = {item.id: row for row, item in enumerate(items)}
    rows = [place[item.id] for item in embedded.items]
    vectors[rows], present[rows] = embedded.vectors, True
    return Anchored(vectors=vectors, kinds=kinds, present=present)


def named_classes(space: Space, held: Anchored | None, texts: Sequence[str], runtime: Runtime) -> NamedClasses:
    """What the classes' texts say. Probabilities are NaN for items that the space does not know; there are none for fewer than
    two texts, or equal ones."""
    if not texts:
        return NamedClasses(texts=np.zeros((0, space.dim), dtype=np.float32))
    vectors = embed_texts(space, [plain_name(text) for text in texts], runtime=runtime)
    if held is None or len(set(texts)) < max(2, len(texts)) or not held.present.any():
        return NamedClasses(texts=vectors)
    rows = np.flatnonzero(held.present)
    found = np.full((len(held.kinds), len(texts)), np.nan, dtype=np.float32)
    found[rows], _ = among(space, held.vectors[rows], [held.kinds[row] for row in rows], texts, runtime=runtime)
    return NamedClasses(texts=vectors, by_names=found)
