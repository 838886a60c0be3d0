"""Which of some texts says best what an item is, as probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from textanchor.data.wording import plain_name
from textanchor.errors import InputError
from textanchor.metrics.calibration import Probabilities, probabilities
from textanchor.progress import Silent
from textanchor.records import Item, Skipped, Vectors
from textanchor.runtime import Runtime, Simple, settled
from textanchor.space.items import TEXT, as_items
from textanchor.space.space import Space
from textanchor.space.texts import embed_texts

TEMPERATURE = 0.05  # where nothing is known: about the spread of cosines of what does not belong together


@dataclass(frozen=True, kw_only=True, repr=False)
class Classified:
    """Probabilities [items, texts], rows that sum to 1; `notes` say which of them no validation pairs have calibrated."""

    items: tuple[Item, ...]
    texts: tuple[str, ...]
    probabilities: Probabilities
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Classified({len(self.items)} items among {len(self.texts)} texts, {len(self.skipped)} skipped)"


def classify(
    space: Space,
    items: Any,
    texts: Sequence[str],
    *,
    modality: str | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Probabilities:
    """How probable it is that each text is the item's, if one of them is. *Shape:* [items, texts], rows sum to 1, float32.

    p(t | i) = exp(s(i, t) / T) / sum over all texts u of exp(s(i, u) / T), where s is the score by which items are searched,
    and T the temperature that was fitted on validation pairs, one a modality (`Choice.temperature`). `items` is whatever
    `Space.embed` takes; texts are put into the words that the modality was fitted with. Where no validation pairs were there,
    as with composed modalities, T is the spread of random scores, and a warning says so.
    Raises `InputError` for fewer than two texts, or one given twice, and what `Space.embed` raises.
    """
    how = replace(settled(runtime or space.runtime, simple), strict=True, progress=Silent())
    given = as_items(items, modality)
    if not given:
        return np.empty((0, len(_distinct(texts))), dtype=np.float32)
    found = classified(space, given, texts, runtime=how, store=False)
    for note in found.notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    return found.probabilities


def classified(
    space: Space, items: Sequence[Item], texts: Sequence[str], *, runtime: Runtime | None = None, store: bool = True
) -> Classified:
    """`classify` of many items of any modalities; what cannot be read is skipped and named."""
    wanted = _distinct(texts)
    embedded = space.embed_all(items, store=store, runtime=runtime)
    kinds = [item.modality for item in embedded.items]
    found, notes = among(space, embedded.vectors, kinds, wanted, runtime=runtime)
    return Classified(items=embedded.items, texts=wanted, probabilities=found, skipped=embedded.skipped, notes=notes)


def among(
    space: Space, vectors: Vectors, kinds: Sequence[str], texts: Sequence[str], *, runtime: Runtime | None = None
) -> tuple[Probabilities, tuple[str, ...]]:
    """`classify` of items whose raw vectors are at hand, by the modality of each, and notes as in `Classified`."""
    wanted = _distinct(texts)
    found = np.empty((len(kinds), len(wanted)), dtype=np.float32)
    notes = []
    for kind in dict.fromkeys(kinds):
        rows = [row for row, name in enumerate(kinds) if name == kind]
        words = space.wording(kind) if kind != TEXT else None
        names = [plain_name(text) for text in wanted]
        anchors = embed_texts(space, names, modality=kind, wording=words, runtime=runtime)
        comparison = space.geometry.between(kind, TEXT)
        heat, calibrated = temperature(space, kind)
        found[rows] = probabilities(comparison.query(vectors[rows]) @ comparison.gallery(anchors).T, heat)
        if not calibrated:
            notes.append(
                f"probabilities of {kind} are not calibrated: the space holds no temperature of it from validation pairs"
            )
    return found, tuple(notes)


def temperature(space: Space, modality: str) -> tuple[float, bool]:
    """T of a modality, and whether it was fitted on validation pairs; if not, the spread of random scores stands for it."""
    if modality in space.modalities and (fitted := space.modalities[modality].choice.temperature) is not None:
        return fitted, True
    if modality in space.compositions:
        parts = [temperature(space, kind)[0] for kind in dict.fromkeys(space.compositions[modality].kinds)]
        return float(np.exp(np.mean(np.log(parts)))), False
    scale = space.geometry.between(modality, TEXT).scale
    return (TEMPERATURE if scale is None else scale[1]), False


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    if isinstance(texts, str) or len(wanted := [" ".join(str(text).split()) for text in texts]) < 2:
        raise InputError("give at least two texts, as a list: a probability is a share among them")
    twice = next((text for place, text in enumerate(wanted) if text in wanted[:place]), "")
    if twice or "" in wanted:
        raise InputError(f"the text '{twice}' is given twice" if twice else "one of the texts is empty")
    return tuple(wanted)
