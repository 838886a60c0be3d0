"""The labelled sets on which labelling is measured: latents by the shared encoders, classes, groups. Not a benchmark itself."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from textanchor.config import DEFAULT_ANCHOR
from textanchor.encoders import make_single
from textanchor.labelling.features import half_whitened
from textanchor.labelling.pool import Labelled, Pool
from textanchor.latents.engine import encode
from textanchor.records import Item
from textanchor.runtime import Runtime
from textanchor.space.preparing import base_of
from textanchor.space.texts import embed_texts

SHARED = Path(__file__).parents[2] / "shared"
IMAGES = f"hub:{SHARED}/models/mobilenet_v1_0.75_224"
SOUNDS = f"onnx:{SHARED}/models/audioset_mn04"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """A pool of which all labels are known. `held_by` says whether splits keep groups together."""

    name: str
    pool: Pool
    truth: np.ndarray
    by_group: bool = False
    items: tuple[Item, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def splits(self, share: float = 0.2, count: int = 20) -> list[np.ndarray]:
        """Rows that are labelled, `share` of the items (or of whole groups until they hold as many), a split a seed."""
        return [self._split(share, seed) for seed in range(count)]

    def known(self, rows: np.ndarray) -> Labelled:
        """These rows with their labels, as if they had been drawn at random."""
        return Labelled(rows=rows, classes=self.truth[rows], drawn=np.ones(len(rows), dtype=bool))

    def _split(self, share: float, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        wanted = round(share * len(self.pool))
        if not self.by_group:
            return rng.permutation(len(self.pool))[:wanted]
        rows: list[int] = []
        for group in rng.permutation(np.unique(self.pool.groups)):
            if len(rows) >= wanted:
                break
            rows += np.flatnonzero(self.pool.groups == group).tolist()
        return np.asarray(rows[:])


@cache
def label_set(name: str) -> LabelSet:
    """esc, esc-by-source, caltech, fsdd, fsdd-by-speaker, mnist."""
    base = name.partition("-by-")[0]
    items, classes, groups = {"esc": _esc, "caltech": _caltech, "fsdd": _fsdd, "mnist": _mnist}[base]()
    kind = items[0].modality
    encoder = make_single(
        SOUNDS if kind == "audio" else IMAGES + ("@size=96,pool=mean" if base == "mnist" else ""), kind, Runtime()
    )
    encoded = encode(items, encoder, Runtime())
    assert not encoded.skipped, encoded.skipped[:1]
    names = tuple(dict.fromkeys(classes)) if base == "fsdd" else tuple(sorted(set(classes)))
    names = DIGITS if base in ("fsdd", "mnist") else names
    truth = np.asarray([names.index(one) for one in classes])
    codes = np.unique(groups, return_inverse=True)[1]
    pool = Pool(
        features=(half_whitened(kind, np.asarray(encoded.latents.vectors, dtype=np.float32)),),
        classes=names,
        groups=codes if name != base else np.arange(len(items)),
        contents=np.arange(len(items)),
        texts=texts_of(names),
    )
    return LabelSet(name=name, pool=pool, truth=truth, by_group=name != base, items=tuple(items))


def all_sets() -> list[LabelSet]:
    """The five that the tables show."""
    return [label_set(name) for name in ("esc", "esc-by-source", "caltech", "fsdd", "mnist")]


def unseen(given: LabelSet, rows: np.ndarray) -> np.ndarray:
    """The rest of a set."""
    return np.setdiff1d(np.arange(len(given.pool)), rows)


def best_share(scores: np.ndarray, wrong: np.ndarray, level: float) -> float:
    """The largest share of the surest of which at most the level is wrong, for whoever knows which are wrong."""
    errors = np.cumsum(wrong[np.argsort(-scores, kind="stable")]) / np.arange(1, len(wrong) + 1)
    within = np.flatnonzero(errors <= level)
    return float(within[-1] + 1) / len(wrong) if len(within) else 0.0


def grouped(given: LabelSet, groups: np.ndarray) -> LabelSet:
    """The same set with other groups."""
    return replace(given, pool=replace(given.pool, groups=groups))


@cache
def texts_of(names: tuple[str, ...]) -> np.ndarray:
    """The default anchor's vectors."""
    return embed_texts(base_of(DEFAULT_ANCHOR, Runtime()), names).astype(np.float32)


def _esc() -> tuple[list[Item], list[str], list[str]]:
    folder = SHARED / "data" / "esc50_part"
    with open(folder / "meta.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column = "file_name" if "file_name" in rows[0] else "filename"
    text = next(name for name in ("category", "text", "label", "class") if name in rows[0])
    files = {path.stem: path for path in folder.rglob("*.flac")}
    items = [Item(id=Path(row[column]).stem, modality="audio", path=files[Path(row[column]).stem]) for row in rows]
    return items, [row[text].replace("_", " ") for row in rows], [item.id.split("-")[1] for item in items]


def _caltech() -> tuple[list[Item], list[str], list[str]]:
    paths = sorted((SHARED / "data" / "caltech101_part" / "images").rglob("*.jpg"))
    items = [Item(id=f"{path.parent.name}/{path.name}", modality="image", path=path) for path in paths]
    return items, [path.parent.name.replace("_", " ") for path in paths], [item.id for item in items]


def _fsdd() -> tuple[list[Item], list[str], list[str]]:
    paths = sorted((SHARED / "data" / "fsdd" / "recordings").glob("*.wav"))
    items = [Item(id=path.name, modality="audio", path=path) for path in paths]
    return items, [DIGITS[int(path.name[0])] for path in paths], [path.stem.split("_")[1] for path in paths]


def _mnist() -> tuple[list[Item], list[str], list[str]]:
    with np.load(SHARED / "data" / "mnist" / "mnist.npz") as held:
        images, labels = held["x_train"], held["y_train"]
    chosen = np.random.default_rng(0).permutation(len(images))[:4000]
    items = [Item(id=str(row), modality="image", value=Image.fromarray(images[row].copy())) for row in chosen]
    return items, [DIGITS[int(labels[row])] for row in chosen], [item.id for item in items]
