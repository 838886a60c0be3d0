"""What classes' names alone say of items: by a space, or by encoders whose own classifiers know names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from textanchor.collections.taking import own_modality
from textanchor.encoders import head_of
from textanchor.errors import InputError, MissingError
from textanchor.escaping import written_back
from textanchor.labelling.pool import Probabilities
from textanchor.labelling.project.sights import Eyes
from textanchor.records import Item, Vectors
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.classifying import among
from textanchor.space.starting import start
from textanchor.space.storage import load


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """Raw vectors of items in the anchor's space, the modality that each was taken for, and whether it has any."""

    vectors: Vectors
    kinds: tuple[str, ...]
    present: Bool[np.ndarray, " n"]


def naming_space(eyes: Eyes, kinds: Sequence[str]) -> Space | None:
    """The space that was given, or one of what the encoders' classifiers know; None where none of them knows names."""
    if eyes.space is not None:
        return eyes.space
    knowing = {kind: eyes.name(kind) for kind in kinds if head_of(eyes.encoder(kind)) is not None}
    return start(encoders=knowing, runtime=eyes.runtime) if knowing else None


def opened_space(place: str, encoders: Mapping[str, str], named: Sequence[str], runtime: Runtime) -> Space | None:
    """The space of a project again. `named` are the kinds whose encoders know names. Raises `InputError` where it is gone."""
    if place:
        return load(Path(written_back(place)), runtime=runtime)
    knowing = {kind: encoders[kind] for kind in named}
    return start(encoders=knowing, runtime=runtime) if knowing else None


def anchored(space: Space, items: Sequence[Item], runtime: Runtime) -> Anchored:
    """Vectors of all items that the space knows; zero of the others. Latents come from the cache."""
    kinds = tuple(own_modality(space, item.modality) or "" for item in items)
    vectors = np.zeros((len(items), space.dim), dtype=np.float32)
    present = np.zeros(len(items), dtype=bool)
    known = [item for item, kind in zip(items, kinds, strict=True) if kind]
    if known:
        embedded = space.embed_all(known, runtime=runtime)
        place = {item.id: row for row, item in enumerate(items)}
        rows = [place[item.id] for item in embedded.items]
        vectors[rows], present[rows] = embedded.vectors, True
    return Anchored(vectors=vectors, kinds=kinds, present=present)


def by_names(space: Space, held: Anchored, texts: Sequence[str], runtime: Runtime) -> Probabilities | None:
    """Probabilities of classes by their texts, NaN for items that the space does not know; None for fewer than two texts."""
    if len(set(texts)) < 2 or len(set(texts)) < len(texts) or not held.present.any():
        return None
    rows = np.flatnonzero(held.present)
    found = np.full((len(held.kinds), len(texts)), np.nan, dtype=np.float32)
    try:
        found[rows], _ = among(space, held.vectors[rows], [held.kinds[row] for row in rows], texts, runtime=runtime)
    except (InputError, MissingError) as why:
        raise InputError(f"the classes' texts cannot be compared with the items: {why}") from None
    return found
