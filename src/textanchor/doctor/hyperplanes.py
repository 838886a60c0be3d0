"""Pairs of vectors that point nearly the same way, without comparing all with all.

On which side of a random hyperplane through the origin a vector lies is one bit; two vectors at an angle t differ in it with
probability t / pi. Sorted by some of the bits, vectors at a small angle come to stand side by side in one of several orders.
Time and memory grow with the number of vectors (sorting aside) and not with that of pairs, however crowded a region is.
Sources: Charikar 2002, doi:10.1145/509907.509965, section 3; sorted orders: Bawa et al. 2005 (LSH forest),
doi:10.1145/1060745.1060840; Ravichandran et al. 2005, doi:10.3115/1219840.1219917, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Int, UInt8, UInt64

from textanchor.records import Vectors

BITS, ORDERS, REACH = 256, 32, 8  # bits a vector, orders in which they are sorted, neighbours looked at in each
DEVIATIONS = 4.0  # by so much may the number of differing bits exceed what the angle makes expect
RECALL = 0.95  # of pairs at the threshold; tests/test_doctor.py measures it
_ONES = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)


def candidates(
    chunks: Iterable[Vectors], cosine: float, *, seed: int = 0
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Rows of pairs, each once and the lower row first, whose cosine is likely to be at least `cosine`.

    What they miss is pairs at the threshold in crowded regions, above all; what they have too much the caller weeds out.
    """
    bits = _bits(chunks, np.random.default_rng(seed))
    share = np.arccos(cosine) / np.pi
    most = int(BITS * share + DEVIATIONS * np.sqrt(BITS * share * (1 - share)))
    known = np.empty(0, dtype=np.int64)
    for number in range(ORDERS):
        known = np.union1d(known, _beside(bits, _order(bits, number), most))
    return known // max(len(bits), 1), known % max(len(bits), 1)


def _bits(chunks: Iterable[Vectors], rng: np.random.Generator) -> UInt8[np.ndarray, "n bytes"]:
    """The sides of the hyperplanes on which vectors lie, packed."""
    packed, planes = [], None
    for chunk in chunks:
        if planes is None:
            planes = rng.standard_normal((chunk.shape[1], BITS), dtype=np.float32)
        packed.append(np.packbits(chunk @ planes > 0, axis=1))
    return np.concatenate(packed)


def _order(bits: UInt8[np.ndarray, "n bytes"], number: int) -> Int[np.ndarray, " n"]:
    """Rows sorted by 64 of their bits: those from byte `number` on, at a stride of its own."""
    count = bits.shape[1]
    stride = 1 + 2 * (number // count)
    leading = [(number + place * (stride + 2 * place)) % count for place in range(8)]
    keys: UInt64[np.ndarray, " n"] = np.ascontiguousarray(bits[:, leading]).view(">u8").ravel().astype(np.uint64)
    return np.argsort(keys)


def _beside(bits: UInt8[np.ndarray, "n bytes"], order: Int[np.ndarray, " n"], most: int) -> Int[np.ndarray, " m"]:
    """Pairs that stand near each other in an order and differ in at most so many bits; each as one number."""
    words = bits[order].view(np.uint16)
    pairs = []
    for step in range(1, min(REACH, len(order) - 1) + 1):
        likely = np.flatnonzero(_differing(words[:-step, :4], words[step:, :4]) <= most)
        likely = likely[_differing(words[likely], words[likely + step]) <= most]
        one, other = order[likely], order[likely + step]
        pairs.append(np.minimum(one, other) * len(order) + np.maximum(one, other))
    return np.unique(np.concatenate(pairs)) if pairs else np.empty(0, dtype=np.int64)


def _differing(left: np.ndarray, right: np.ndarray) -> Int[np.ndarray, " m"]:
    """How many bits differ, row by row. *Shape:* [m, words] of 16 bits each."""
    return np.asarray(_ONES[left ^ right].sum(axis=1, dtype=np.int64))
