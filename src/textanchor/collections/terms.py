"""What is asked of hits: how many, of which items, down to what score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from textanchor.collections.asking.filters import Filter, parse_filter
from textanchor.errors import InputError
from textanchor.runtime import Simple

MOST, MOST_COLLAPSED = 10_000, 500  # hits of one query, and of one whose near-duplicates are shown once
Order = Literal["chance", "score"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """`k` hits after the first `offset`, of one `modality` or of any, of items that pass the filter `where`.

    Only hits of at least the score `threshold` are given. `level` is the share of chance hits that is accepted above the line.
    `collapse` is the cosine from which on hits are shown once, with their `duplicates`; equal contents then always are.
    Lists of several modalities are ordered by p-values, or by bare scores with `order="score"`. `allowed` are rows of what was
    indexed in memory.
    """

    k: int = 10
    offset: int = 0
    modality: str | None = None
    where: Filter | str | None = None
    threshold: float | None = None
    level: float = 0.1
    collapse: float | None = None
    order: Order = "chance"
    allowed: Sequence[int] | None = None

    def __post_init__(self) -> None:
        """Raises `InputError` for what cannot be meant; a filter as text is read."""
        if self.k < 1:
            raise InputError(f"k={self.k}: at least 1 hit must be asked for")
        if self.offset < 0 or self.k + self.offset > MOST:
            raise InputError(
                f"k={self.k} and offset={self.offset}: hits 1 to {MOST} can be asked for; narrow the search by a filter"
            )
        if not 0 < self.level < 1:
            raise InputError(f"level={self.level}: expected a share between 0 and 1, such as 0.1")
        if self.collapse is not None and not 0 < self.collapse <= 1:
            raise InputError(f"collapse={self.collapse}: expected a cosine above 0 and up to 1, such as 0.95")
        if self.collapse is not None and self.k + self.offset > MOST_COLLAPSED:
            raise InputError(
                f"near-duplicates are collapsed among {MOST_COLLAPSED} hits at most; ask for fewer, or without collapse"
            )
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise InputError(f"threshold={self.threshold}: expected a score")
        if self.order not in ("chance", "score"):
            raise InputError(f"order='{self.order}': expected chance or score")
        if isinstance(self.where, str):
            object.__setattr__(self, "where", parse_filter(self.where))

    @property
    def filter(self) -> Filter | None:
        """The filter as it was read."""
        assert not isinstance(self.where, str)
        return self.where


class SimpleTerms(Simple, total=False):
    """The same as keywords, beside those of `Simple`."""

    k: int
    offset: int
    modality: str | None
    where: Filter | str | None
    threshold: float | None
    level: float
    collapse: float | None
    order: Order
    allowed: Sequence[int] | None


NAMES = tuple(Terms.__dataclass_fields__)


def settled_terms(terms: Terms | None, given: Any) -> Terms:
    """The record with what was given by keyword."""
    return replace(terms or Terms(), **{name: value for name, value in given.items() if name in NAMES})
