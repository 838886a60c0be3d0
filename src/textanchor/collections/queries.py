"""Queries as somebody gives them, as raw vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from textanchor.collections.asking.composing import APART, Part
from textanchor.data.arrays import as_array
from textanchor.errors import InputError
from textanchor.progress import Silent
from textanchor.records import Vectors
from textanchor.runtime import Runtime
from textanchor.space import TEXT, Space, as_items, single


class Query:
    """Several things that are asked for together, such as `Query("a dog", Part("a ball", weight=-1))`.

    `way` says how negatives count: see `asking.composing.WAYS`.
    """

    def __init__(self, *parts: Any, way: str = APART) -> None:
        self.parts = tuple(part if isinstance(part, Part) else Part(part) for part in parts)
        self.way = way


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A query's parts as raw vectors [m, d], with their modalities and weights."""

    vectors: Vectors
    kinds: tuple[str, ...]
    weights: tuple[float, ...] = (1.0,)
    way: str = APART

    @property
    def plain(self) -> bool:
        """Whether it is one part, whose scores are like any query's."""
        return len(self.kinds) == 1


def asked(space: Space, query: Any, modality: str | None, runtime: Runtime) -> tuple[list[Asked], bool]:
    """All queries, and whether there is but one that was not in a list.

    Raises `InputError` for a vector of another length or with NaN, and what `Space.embed` raises.
    """
    if isinstance(query, Query):
        return [_composed(space, query, modality, runtime)], True
    if isinstance(query, list | tuple) and any(isinstance(one, Query) for one in query):
        return [asked(space, one, modality, runtime)[0][0] for one in query], False
    vectors, kinds, one = _raw(space, query, modality, runtime)
    return [Asked(vectors=vectors[row : row + 1], kinds=(kind,)) for row, kind in enumerate(kinds)], one


def _composed(space: Space, query: Query, modality: str | None, runtime: Runtime) -> Asked:
    if not query.parts:
        raise InputError("the query has no part; give what is asked for")
    told = [_raw(space, part.value, part.modality or modality, runtime) for part in query.parts]
    if several := [row for row, (vectors, _, _) in enumerate(told) if len(vectors) != 1]:
        raise InputError(f"part {several[0] + 1} of the query is {len(told[several[0]][0])} items; give each a part of its own")
    return Asked(
        vectors=np.concatenate([vectors for vectors, _, _ in told]),
        kinds=tuple(kinds[0] for _, kinds, _ in told),
        weights=tuple(part.weight for part in query.parts),
        way=query.way,
    )


def _raw(space: Space, query: Any, modality: str | None, runtime: Runtime) -> tuple[Vectors, Sequence[str], bool]:
    """Raw vectors, their modalities, and whether it is a single query. A vector of the space's length is one already."""
    array = as_array(query)
    if array is not None and array.dtype.kind != "f":
        array = None
    fits = array is not None and array.ndim in (1, 2) and array.shape[-1] == space.dim
    if array is not None and fits and not (modality == "series" and array.ndim == 1):
        with np.errstate(over="ignore", invalid="ignore"):
            vectors = np.ascontiguousarray(array.reshape(-1, space.dim), dtype=np.float32)
            lengths = np.linalg.norm(vectors, axis=1)
        if not np.isfinite(lengths).all():
            raise InputError("the query vector holds NaN or infinite numbers, or such as are too large for float32")
        if not lengths.all():
            raise InputError("the query vector is 0 and points nowhere")
        return vectors, (modality or TEXT,) * len(vectors), array.ndim == 1
    if array is not None and array.ndim == 1 and modality is None:
        raise InputError(f"a query vector has {space.dim} numbers, as this space's vectors have, and not {len(array)}")
    items = as_items(query, modality)
    if not items:
        return np.empty((0, space.dim), dtype=np.float32), (), False
    embedded = space.embed_all(items, store=False, runtime=replace(runtime, strict=True, progress=Silent()))
    return embedded.vectors, [item.modality for item in embedded.items], single(query, modality)
