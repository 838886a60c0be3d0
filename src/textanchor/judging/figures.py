"""What judging gives: rankings of queries against galleries, and the shape of what was compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from textanchor.metrics.balance import macro
from textanchor.metrics.cosine import PositiveCosine
from textanchor.metrics.interval import Interval, of_share
from textanchor.metrics.retrieval import Retrieval
from textanchor.records.showing import short


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Queries of one modality against a gallery of another: its figures, and the group of each query that counts.

    `cosine` and the number of `items` stand beside items that ask for texts, and are None for every other direction. `classes`
    are the queries' classes, their texts by number; None where a query has several texts, or none but itself.
    """

    __repr__ = short

    query: str
    gallery: str
    retrieval: Retrieval
    groups: tuple[str, ...]
    cosine: PositiveCosine | None = None
    items: int | None = None
    classes: Int[np.ndarray, " q"] | None = None

    @property
    def name(self) -> str:
        """Such as `image->text`."""
        return f"{self.query}->{self.gallery}"

    @property
    def hits(self) -> Bool[np.ndarray, " q"]:
        """Whether each query that counts has a relevant first hit."""
        return np.asarray(self.retrieval.rank < 1)

    def recall(self, k: int) -> float | None:
        """Share of queries with a relevant hit among the first k; None where k reaches the gallery's size."""
        return self.retrieval.recall(k)

    @cached_property
    def interval(self) -> Interval | None:
        """95 % interval of recall@1 over groups; None for fewer than two groups, or where recall@1 is None."""
        return None if self.recall(1) is None else of_share(self.hits, self.groups)

    @property
    def macro(self) -> float | None:
        """Mean over classes of recall@1; None where there are no classes, or they are about even."""
        return None if self.classes is None or self.recall(1) is None else macro(self.hits, self.classes)

    def measures(self) -> dict[str, float]:
        """What says how good it is, by name, and beside recall@1 the largest class's: no counts, no chance, no interval; what
        does not apply is left out."""
        cosine = self.cosine
        cosines = {"positive cosine": cosine.mean, "floor": cosine.floor, "AUC": cosine.auc} if cosine else {}
        recalls = {f"R@{k}": self.recall(k) for k in (1, 5, 10)}
        beside = {"macro R@1": self.macro, "largest class R@1": None if self.recall(1) is None else self.retrieval.constant}
        measures = {**cosines, **recalls, "mAP@10": self.retrieval.mean_average_precision, **beside}
        return {name: value for name, value in measures.items() if value is not None}

    def row(self) -> dict[str, Any]:
        """A table's row, JSON-ready: who asks whom, all measures, counts, chance and the interval."""
        cosine = self.cosine
        row: dict[str, Any] = {"query": self.query, "gallery": self.gallery}
        if cosine:
            row |= {"positive cosine": cosine.mean, "floor": cosine.floor, "AUC": cosine.auc, "items": self.items}
        for name, value in self.retrieval.table().items():
            row[name] = value
            if name == "R@1" and self.macro is not None:
                row["macro R@1"] = self.macro
        if "R@1" in row:
            row["R@1 interval"] = self.interval
        return row


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How items of a modality and their texts lie in the space in which they are compared.

    `text_hubness` is the skew of how often each text is found, `item_hubness` of how often each item is; None where a gallery
    is too small, as `uniformity` is for a single item.
    """

    text_hubness: float | None
    item_hubness: float | None
    gap: float
    alignment: float
    uniformity: float | None

    def measures(self, modality: str) -> dict[str, float]:
        """By name; what does not apply is left out."""
        measures = {
            f"{modality}->text hubness skew": self.text_hubness,
            f"text->{modality} hubness skew": self.item_hubness,
            f"{modality} modality gap": self.gap,
            f"{modality} alignment": self.alignment,
            f"{modality} uniformity": self.uniformity,
        }
        return {name: value for name, value in measures.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Items against their texts both ways (`alignment`), modalities that were never paired (`emergent`), shapes by modality.

    `scores` are by modality what aligners choose by: the mean of item->text reciprocal rank and text->item mAP@10.
    """

    __repr__ = short

    alignment: tuple[Ranking, ...]
    emergent: tuple[Ranking, ...]
    scores: Mapping[str, float]
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def rankings(self) -> tuple[Ranking, ...]:
        """All of them; names are unique."""
        return (*self.alignment, *self.emergent)

    @property
    def score(self) -> float:
        """Mean over the modalities."""
        return float(np.mean(list(self.scores.values())))

    def plain(self) -> dict[str, float]:
        """Every measure by name, such as `image->text R@1` or `image modality gap`, the score first."""
        plain = {"score": self.score}
        for ranking in self.rankings:
            plain |= {f"{ranking.name} {measure}": value for measure, value in ranking.measures().items()}
        for modality, shape in self.shapes.items():
            plain |= shape.measures(modality)
        return plain
