"""What a student of a text anchor costs and keeps, beside its teacher, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from textanchor.distilling.anchors.protocol import agreement
from textanchor.distilling.timing import seconds
from textanchor.encoders import Encoder
from textanchor.records import Vectors
from textanchor.views import unit

TIMED = 512
NEIGHBOURS = 10


@dataclass(frozen=True, kw_only=True)
class Cost:
    """An anchor's size on disk in megabytes (1e6 bytes) and how many texts a second it encodes here, the best of three."""

    megabytes: float
    texts_a_second: float


@dataclass(frozen=True, kw_only=True)
class Kept:
    """On texts held back: the mean cosine to the teacher's vectors, where both have as many numbers, and the share of a text's
    ten nearest texts that stay among them."""

    texts: int
    neighbours: float
    cosine: float | None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Student and teacher."""

    student: Cost
    teacher: Cost
    kept: Kept

    @property
    def smaller(self) -> float:
        """The student's size as a share of the teacher's."""
        return self.student.megabytes / self.teacher.megabytes

    @property
    def faster(self) -> float:
        """Texts a second, in multiples of the teacher's."""
        return self.student.texts_a_second / self.teacher.texts_a_second


def costs(student: tuple[Encoder, Path], teacher: tuple[Encoder, Path], texts: Sequence[str]) -> tuple[Cost, Cost]:
    """On the same texts."""
    some = list(texts[:TIMED])
    mine, theirs = seconds([student[0], teacher[0]], some)
    return (
        Cost(megabytes=size(student[1]), texts_a_second=len(some) / mine),
        Cost(megabytes=size(teacher[1]), texts_a_second=len(some) / theirs),
    )


def size(folder: Path) -> float:
    """Megabytes of what is read of a model: weights and tokenizer."""
    files = [*folder.rglob("*.safetensors"), folder / "tokenizer.json"]
    return sum(file.stat().st_size for file in files if file.is_file() and file.name != "map.safetensors") / 1e6


def kept(student: Vectors, teacher: Vectors) -> Kept:
    """Rows are the same texts."""
    near = [_nearest(unit(one)) for one in (student, teacher)]
    shares = [len(np.intersect1d(mine, theirs)) / len(theirs) for mine, theirs in zip(*near, strict=True)]
    same = student.shape[1] == teacher.shape[1]
    return Kept(texts=len(student), neighbours=float(np.mean(shares)), cosine=agreement(student, teacher) if same else None)


def _nearest(vectors: Vectors) -> np.ndarray:
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    found: np.ndarray = np.argsort(-scores, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(vectors) - 1)]
    return found
