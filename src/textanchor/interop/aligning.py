"""Vectors that were made elsewhere and texts, to a space: whoever has arrays needs no encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from textanchor import registry
from textanchor.data.arrays import as_array
from textanchor.data.wording import Wording
from textanchor.encoders.naming import named
from textanchor.errors import InputError
from textanchor.grammar import Call
from textanchor.records import Item, Pair, Pairs, Single
from textanchor.runtime import Runtime, SimpleSplit, Splitting
from textanchor.space import TEXT, Space
from textanchor.space.fitting import fit

VECTORS = "vectors"
Texts = Sequence[str | Sequence[str] | None]
"""What describes each row: a text, several, or None for a row without a partner."""


def align(
    latents: Any,
    texts: Texts,
    *,
    modality: str = VECTORS,
    groups: Sequence[str | None] | None = None,
    sides: Sequence[str | None] | None = None,
    names: Sequence[str] | None = None,
    source: str = "",
    anchor: str | None = None,
    aligner: str = "auto",
    into: Space | None = None,
    wording: Wording | None = None,
    splitting: Splitting | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleSplit],
) -> Space:
    """A space whose modality is vectors that some other model made: arrays in, space out, no encoder.

    `latents` are numbers [n, d] (an array, or a tensor of another library), `texts` says what describes each row: a text,
    several of them, or None for a row without a partner. `groups` names what never stands on two sides of the split, `sides` is
    a split of one's own ("train", "val", "test"), `names` calls the rows. `modality` is any name that no reader has; `source`
    says who made the vectors, and tells those of two models apart. All else is as in `fit`: a split without leaks, validation
    chooses, the test side is left alone. `space.embed(array, modality=modality)` takes vectors of the same model.
    Raises `InputError` for arrays that do not fit together, and what `fit` raises.
    """
    pairs = vector_pairs(latents, texts, modality=modality, groups=groups, sides=sides, names=names)
    width = _numbers(latents).shape[1]
    return fit(
        pairs,
        anchor=anchor,
        encoders={modality: encoder_of(width, source)},
        aligner=aligner,
        into=into,
        wording=wording,
        splitting=splitting,
        runtime=runtime,
        **simple,
    )


def vector_pairs(
    latents: Any,
    texts: Texts,
    *,
    modality: str = VECTORS,
    groups: Sequence[str | None] | None = None,
    sides: Sequence[str | None] | None = None,
    names: Sequence[str] | None = None,
) -> Pairs:
    """The pairs that `align` fits, for `fit`, `evaluate`, `diagnose` and all else that takes pairs; see there."""
    _check_name(modality)
    rows = _numbers(latents)
    told = {"texts": texts, "groups": groups, "sides": sides, "names": names}
    for what, values in told.items():
        if values is not None and len(values) != len(rows):
            raise InputError(f"{len(values)} {what} for {len(rows)} vectors: expected one a row")
    found: list[Pair] = []
    lone: list[Single] = []
    for row, vector in enumerate(rows):
        item = Item(id=names[row] if names else f"{modality} {row}", modality=modality, value=vector)
        held = {"group": groups[row] if groups else None, "split": sides[row] if sides else None}
        own = _texts_of(texts[row], row)
        found += (Pair(item=item, text=text, **held) for text in own)
        if not own:
            lone.append(Single(item=item, modality=modality, **held))
    return Pairs(rows=tuple(found), singles=tuple(lone), source=f"arrays {list(rows.shape)}")


def encoder_of(width: int, source: str = "") -> str:
    """The name of the encoder that takes vectors of a length as they are."""
    settings: dict[str, str] = {"dim": str(width), **({"source": source} if source else {})}
    return named(Call(name="vectors", settings=settings))


def _numbers(latents: Any) -> np.ndarray:
    """*Shape:* [n, d], float32. Raises `InputError`."""
    rows = as_array(latents)
    rows = np.asarray(latents) if rows is None else rows
    if rows.ndim != 2 or rows.dtype.kind not in "biuf" or not rows.size:
        raise InputError(f"latents are an array {list(rows.shape)} of {rows.dtype}; expected numbers [rows, dimensions]")
    return np.asarray(rows, dtype=np.float32)


def _texts_of(told: str | Sequence[str] | None, row: int) -> list[str]:
    if told is None:
        return []
    own = [told] if isinstance(told, str) else list(told) if isinstance(told, Sequence) else [told]
    if not all(isinstance(text, str) for text in own):
        raise InputError(f"row {row}: texts={told!r:.80}; expected a text, a list of texts or None")
    return [text.strip() for text in own if text.strip()]


def _check_name(modality: str) -> None:
    if modality == TEXT or modality in registry.names("reader"):
        raise InputError(
            f"modality={modality}: {modality} items are files with a reader; give vectors a name of their own, such as "
            f"{modality}-vectors"
        )
    if not modality.replace("-", "").replace("_", "").isalnum() or not modality.isascii():
        raise InputError(f"modality={modality!r}: expected letters, digits, - and _")
