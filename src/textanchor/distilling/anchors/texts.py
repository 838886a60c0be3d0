"""The texts that a student of a text anchor learns from: lines of a file, or the texts of a table's training side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from textanchor.data.pairs import read_pairs
from textanchor.data.splits import split
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.latents.engine import contents
from textanchor.records import Vectors
from textanchor.runtime import Reading, Runtime, Splitting

LINES = (".txt", ".lst")
HELD, MOST_HELD = 0.1, 2000  # share of the owners whose texts judge the student
FEWEST = 50


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Distinct texts, by number what each is of (texts of one item share it), and where they come from in a line."""

    texts: tuple[str, ...]
    owners: np.ndarray
    source: str

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Texts:
        """Some of them."""
        return Texts(texts=tuple(self.texts[row] for row in rows), owners=self.owners[rows], source=self.source)


@dataclass(frozen=True, kw_only=True)
class Taught:
    """Texts with the teacher's vectors [n, d], each of length 1."""

    texts: Texts
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Taught:
        """Some of them."""
        return Taught(texts=self.texts.take(rows), vectors=self.vectors[rows])

    def parted(self, seed: int) -> tuple[Taught, Taught]:
        """Those that teach and those that are held back to judge and to choose by; texts of one item stay together."""
        rng = np.random.default_rng(seed)
        owners = rng.permutation(np.unique(self.texts.owners))
        held = np.isin(self.texts.owners, owners[: max(1, round(HELD * len(owners)))])
        return self.take(np.flatnonzero(~held)), self.take(np.flatnonzero(held)[:MOST_HELD])


def texts_of(
    given: object, *, splitting: Splitting | None = None, reading: Reading | None = None, runtime: Runtime | None = None
) -> Texts:
    """Lines of a .txt file, a sequence of strings, or the texts of the training side of pairs, split as `fit` splits them.

    Texts of what is held out teach nothing, so that figures on it stay honest. Raises `InputError` for fewer than 50.
    """
    asked = splitting or Splitting()
    lines = _lines(given)
    if lines is not None:
        distinct = tuple(dict.fromkeys(line for text in lines if (line := text.strip())))
        found = Texts(texts=distinct, owners=np.arange(len(distinct)), source=_named(given))
    else:
        found = _of_pairs(given, asked, reading, runtime or Runtime())
    if len(found) < FEWEST:
        raise InputError(f"{found.source}: {len(found)} distinct texts; a student needs at least {FEWEST} to learn from")
    return found


def _lines(given: object) -> Sequence[str] | None:
    if isinstance(given, str | Path) and located(given).suffix.lower() in LINES and located(given).is_file():
        return located(given).read_text(encoding="utf-8", errors="replace").splitlines()
    if isinstance(given, list | tuple) and all(isinstance(text, str) for text in given):
        return given
    return None


def _named(given: object) -> str:
    return str(given) if isinstance(given, str | Path) else "texts that were given"


def _of_pairs(given: object, splitting: Splitting, reading: Reading | None, runtime: Runtime) -> Texts:
    pairs = read_pairs(given, split_name=splitting.name, reading=reading)
    hashes, _ = contents([*pairs.items, *pairs.lone_items], runtime)
    train = split(pairs, hashes, splitting).train
    numbers = {item.id: number for number, item in enumerate(pairs.items)}
    owners: dict[str, int] = {}
    for pair in pairs.rows:
        if pair.item.id in train:
            owners.setdefault(pair.text, numbers[pair.item.id])
    held = {pair.text for pair in pairs.rows if pair.item.id in hashes and pair.item.id not in train}
    classes = 2 * len(owners) < len(train)  # names recur on every side; captions that do are copies
    kept = {text: owner for text, owner in owners.items() if classes or text not in held}
    return Texts(texts=tuple(kept), owners=np.fromiter(kept.values(), dtype=np.int64), source=f"{pairs.source}, training side")
