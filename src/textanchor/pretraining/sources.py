"""What an encoder may learn from: items of one modality, their classes if there are any, and what chooses and judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from textanchor.data.pairs import read_collection, read_pairs
from textanchor.data.splits import Split, split
from textanchor.errors import InputError, NothingUsableError
from textanchor.latents.engine import contents
from textanchor.records import Item, Pairs
from textanchor.runtime import Reading, Runtime, Splitting
from textanchor.space.composition import DEFAULTS, expanded

UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class Side:
    """Items of one side of a split, the place of each one's text among `Source.classes` (-1: none or several), its group."""

    items: tuple[Item, ...]
    labels: np.ndarray
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def told(self) -> np.ndarray:
        """Rows that have a class."""
        return np.flatnonzero(self.labels >= 0)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One modality of a table or folder. `classes` are texts that name two items of train or more, where all do."""

    name: str
    modality: str
    classes: tuple[str, ...]
    train: Side
    val: Side
    test: Side
    split: str

    @property
    def judged(self) -> bool:
        """Whether classes and a test side can say what a representation is worth."""
        return len(self.classes) > 1 and len(self.test.told) > 0


def source_of(given: object, *, splitting: Splitting, reading: Reading | None, runtime: Runtime) -> Source:
    """Read and split items of one modality, the one that `reading` names if there are several. Items without a text only teach,
    on train; where all have one text, that is no text.

    Raises `InputError` or `NothingUsableError`.
    """
    modality = reading.modality[0] if reading is not None and len(reading.modality) == 1 else None
    try:
        pairs = read_pairs(given, split_name=splitting.name, reading=reading)
    except NothingUsableError:
        return _unlabelled(given, modality, reading, runtime)
    pairs = expanded(pairs, dict(DEFAULTS))
    kind = _kind(modality, pairs.modalities, pairs.source)
    own = pairs.only(kind)
    hashes, _ = contents([*own.items, *own.lone_items], runtime)
    if len({pair.text for pair in own.rows if pair.item.id in hashes}) < 2:
        kept = {pair.item.id for pair in own.rows if pair.split in ("val", "test")}
        return _all_teach(own.source, kind, [item for item in (*own.items, *own.lone_items) if item.id not in kept], hashes)
    return source_from(own, hashes, split(own, hashes, splitting))


def source_from(own: Pairs, hashes: Mapping[str, str], sides: Split) -> Source:
    """Of one modality's pairs that are hashed and split."""
    classes = _classes(own, sides)
    names = {text: place for place, text in enumerate(classes)}
    told: dict[str, set[int]] = {}
    for pair in own.rows:
        told.setdefault(pair.item.id, set()).add(names.get(pair.text, UNKNOWN))

    def side(ids: frozenset[str], beside: Sequence[Item] = ()) -> Side:
        items = tuple(item for item in (*own.items, *beside) if item.id in ids and item.id in hashes)
        return Side(items=items, labels=_labels(items, told), groups=tuple(_group(own, item, hashes) for item in items))

    return Source(
        name=own.source,
        modality=own.modalities[0],
        classes=classes,
        train=side(sides.train, own.lone_items),
        val=side(sides.val),
        test=side(sides.test),
        split=sides.name,
    )


def _unlabelled(given: object, modality: str | None, reading: Reading | None, runtime: Runtime) -> Source:
    """A folder of items that nobody described: all of them teach."""
    found, _ = read_collection(given, modality=modality, reading=reading)
    items = [item for item in found if modality in (None, item.modality)]
    kind = _kind(modality, tuple(dict.fromkeys(item.modality for item in items)), str(given))
    return _all_teach(str(given), kind, items, contents(items, runtime)[0])


def _all_teach(name: str, kind: str, items: Sequence[Item], hashes: Mapping[str, str]) -> Source:
    """Without texts that tell items apart."""
    kept = tuple({hashes[item.id]: item for item in items if item.id in hashes}.values())  # a copy teaches nothing new
    everything = Side(items=kept, labels=np.full(len(kept), UNKNOWN), groups=tuple(item.id for item in kept))
    nothing = Side(items=(), labels=np.empty(0, dtype=np.int64), groups=())
    return Source(
        name=name, modality=kind, classes=(), train=everything, val=nothing, test=nothing, split="no texts, all teach"
    )


def _kind(asked: str | None, there: Sequence[str], name: str) -> str:
    if asked is not None and asked not in there:
        raise InputError(f"{name} holds {', '.join(there) or 'nothing that can be read'}, no {asked}")
    if asked is None and len(there) != 1:
        raise InputError(f"{name} holds {', '.join(there) or 'nothing'}; an encoder is of one modality: say --modality")
    return asked or there[0]


def _classes(pairs: Pairs, sides: Split) -> tuple[str, ...]:
    """Texts of train if they are class names: fewer than half as many as items, and each of two items or more on average."""
    texts = [pair.text for pair in pairs.rows if pair.item.id in sides.train]
    distinct = tuple(dict.fromkeys(texts))
    return distinct if 2 * len(distinct) <= len({pair.item.id for pair in pairs.rows if pair.item.id in sides.train}) else ()


def _labels(items: Sequence[Item], told: Mapping[str, set[int]]) -> np.ndarray:
    ones = [told.get(item.id, {UNKNOWN}) for item in items]
    return np.asarray([next(iter(one)) if len(one) == 1 else UNKNOWN for one in ones], dtype=np.int64)


def _group(pairs: Pairs, item: Item, hashes: Mapping[str, str]) -> str:
    return pairs.joined_groups.get(item.id) or hashes[item.id]
