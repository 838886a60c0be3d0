"""Queries of several parts: what is asked for and what is not wanted, each with a weight.

Parts that ask one gallery become one query vector, so that an index answers them like any other query. A score is the sum of
what its parts contribute; where parts ask galleries of their own (a photo and a sentence), standard scores are summed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from textanchor.errors import InputError
from textanchor.records import Vectors
from textanchor.records.showing import short
from textanchor.space import Comparison
from textanchor.views import unit

APART, SAME = "apart", 1e-3
_WEIGHTED = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*\*(.*)", re.DOTALL)
Taken = tuple[
    Vectors, Float32[np.ndarray, " m"]
]  # what each negative takes from the query's direction, and of the gallery's bias


@dataclass(frozen=True)
class Part:
    """One thing that is asked for: a value as `Space.embed` takes it, its modality where it does not say so, its weight.

    A weight below 0 makes it a negative: what is not wanted. Raises `InputError` for a weight that is 0 or no number.
    """

    value: object
    modality: str | None = None
    weight: float = 1.0

    __repr__ = short

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or self.weight == 0:
            raise InputError(
                f"a part of a query has weight {self.weight}; expected a number above 0, or below 0 for a negative"
            )


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A part as the asked modality meets it: raw vector [d] and the comparison of the part's modality with the asked one."""

    comparison: Comparison
    vector: Float32[np.ndarray, " d"]
    weight: float

    __repr__ = short


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The parts that ask one gallery. `rows[i]` is the share of part `parts[i]` in the query vector, `counts[i]` how many times
    it counts a score's mean."""

    comparison: Comparison
    parts: tuple[int, ...]
    rows: Vectors
    counts: Float32[np.ndarray, " m"]

    __repr__ = short

    @property
    def query(self) -> Vectors:
        """The one vector that asks `comparison.gallery`. *Shape:* [1, d]."""
        return self.rows.sum(axis=0, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A query of several parts, ready to score the items of one modality; `galleries` below are by `Comparison.key`."""

    voices: tuple[Voice, ...]
    count: int

    __repr__ = short

    def scores(self, galleries: Mapping[str, Vectors]) -> Float32[np.ndarray, " n"]:
        """The sum over parts. Raises what `contributions` raises."""
        return self.contributions(galleries).sum(axis=0)

    def contributions(self, galleries: Mapping[str, Vectors]) -> Float32[np.ndarray, "parts n"]:
        """What each part, in the order given, adds to each item's score, or to its standard score if there are several voices.

        Raises `InputError` where voices have no common scale.
        """
        several = len(self.voices) > 1
        found = np.zeros((self.count, len(next(iter(galleries.values())))), dtype=np.float32)
        for voice in self.voices:
            own = voice.rows @ galleries[voice.comparison.key].T
            if several:
                mean, deviation = _scale(voice.comparison)
                own = (own - voice.counts[:, None] * mean) / deviation
            found[list(voice.parts)] = own
        return found


def parse_part(text: str, *, negative: bool = False) -> Part:
    """A part as typed: `a red car`, or with a weight `0.5*a red car`. Raises `InputError`.

    A text that begins with a number and a star is written with a weight: `1*2*3 on a blackboard`.
    """
    match = _WEIGHTED.fullmatch(text)
    weight, value = (float(match[1]), match[2]) if match else (1.0, text)
    if not value.strip():
        raise InputError(f"'{text}': a part of the query is empty; expected a text or a file, such as 0.5*a red car")
    if negative and weight < 0:
        raise InputError(f"'{text}' is negated twice; give a weight above 0 to what is not wanted")
    return Part(value=value.strip(), weight=-weight if negative else weight)


def compose(parts: Sequence[Asking], *, way: str = APART) -> Composed:
    """What scores items of the modality that all comparisons ask. `way` names how negatives count (`WAYS`).

    Weights are relative: they are divided by the sum of the positive ones. Raises `InputError` if nothing positive is asked, if
    parts cancel out, or if a negative says what is asked for.
    """
    if way not in WAYS:
        raise InputError(f"no way '{way}' for negatives; expected one of {', '.join(WAYS)}")
    total = sum(part.weight for part in parts if part.weight > 0)
    if not total:
        raise InputError("a query of negatives only finds nothing in particular; add a part that is asked for")
    groups: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        groups.setdefault(part.comparison.key, []).append(place)
    voices = tuple(_voice([parts[place] for place in own], tuple(own), total, way) for own in groups.values())
    return Composed(voices=voices, count=len(parts))


def subtract(positive: Float32[np.ndarray, " d"], negatives: Vectors, weights: Float32[np.ndarray, " m"]) -> Taken:
    """The negative's score is subtracted, by weight."""
    return weights[:, None] * negatives, weights


def apart(positive: Float32[np.ndarray, " d"], negatives: Vectors, weights: Float32[np.ndarray, " m"]) -> Taken:
    """What a negative has and the positive has not is subtracted: its part orthogonal to the positive, at length 1.

    What both share, such as what every photo of a park has, is not held against an item. Raises `InputError` where hardly
    anything is left.
    """
    rest = negatives - (negatives @ positive)[:, None] * positive
    if (np.linalg.norm(rest, axis=1) < SAME).any():
        raise InputError("a negative says the same as what is asked for; leave one of them out")
    return weights[:, None] * unit(rest), weights


def project(positive: Float32[np.ndarray, " d"], negatives: Vectors, weights: Float32[np.ndarray, " m"]) -> Taken:
    """The positive's projection on what the negatives span is taken out of it; a weight below 1 takes out a share.

    The gallery's bias stays whole. Source: Widdows 2003, doi:10.3115/1075096.1075114, section 3 (orthogonal negation).
    """
    shares = np.linalg.lstsq(negatives.T, positive, rcond=None)[0] * np.minimum(weights, 1)
    return (shares[:, None] * negatives).astype(np.float32), np.zeros_like(weights)


WAYS: Mapping[str, Callable[..., Taken]] = {APART: apart, "subtract": subtract, "project": project}


def _voice(parts: Sequence[Asking], places: tuple[int, ...], total: float, way: str) -> Voice:
    """One query vector of parts that share a gallery."""
    units = np.concatenate([part.comparison.query_unit(part.vector[None]) for part in parts])
    one = parts[0]
    carried = one.comparison.query(one.vector[None])[0, units.shape[1] :]  # a 1 where the gallery carries a bias
    weights = np.array([part.weight / total for part in parts], dtype=np.float32)
    rows, counts = np.zeros_like(units), np.zeros_like(weights)
    wanted, unwanted = np.flatnonzero(weights > 0), np.flatnonzero(weights < 0)
    if len(wanted):
        rows[wanted], counts[wanted] = _mean(units[wanted], weights[wanted]), weights[wanted]
    if len(unwanted):
        taken, given = _taken(rows.sum(axis=0), float(counts.sum()), units[unwanted], -weights[unwanted], way)
        rows[unwanted], counts[unwanted] = -taken, -given
    return Voice(
        comparison=one.comparison,
        parts=places,
        rows=np.concatenate([rows, counts[:, None] * carried], axis=1),
        counts=counts,
    )


def _mean(units: Vectors, weights: Float32[np.ndarray, " m"]) -> Vectors:
    """Each unit's share in the weighted mean, which is as long as its weights together: so is a bias of the gallery."""
    shares = weights[:, None] * units
    length = float(np.linalg.norm(shares.sum(axis=0)))
    if length < SAME * float(weights.sum()):
        raise InputError("the parts of the query cancel out; leave some out or change their weights")
    return shares * (float(weights.sum()) / length)


def _taken(
    direction: Float32[np.ndarray, " d"], length: float, negatives: Vectors, weights: Float32[np.ndarray, " m"], way: str
) -> Taken:
    """By `way`, or where this gallery is asked for nothing positive, the plain score: there is nothing to stand apart from."""
    if not length:
        return subtract(direction, negatives, weights)
    taken, counts = WAYS[way](direction / length, negatives, weights / length)
    return taken * length, counts * length


def _scale(comparison: Comparison) -> tuple[float, float]:
    if comparison.scale is None:
        raise InputError(
            f"{comparison.asking} and other parts cannot be weighed against each other: the space keeps no training vectors "
            f"for {comparison.asking} -> {comparison.asked}; ask with parts of one modality, or fit the space again"
        )
    return comparison.scale
