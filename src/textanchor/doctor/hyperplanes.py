"""Pairs of vectors that point nearly the same way, without comparing all with all.

On which side of a random hyperplane through the origin a vector lies is one bit; two vectors at an angle t differ in it with
probability t / pi. Sorted by some of the bits, vectors at a small angle come to stand side by side in one of several orders.
Time and memory grow with the number of vectors (sorting aside) and not with that of pairs, however crowded a region is.
Sources: Charikar 2002, doi:10.1145/509907.509965, section 3; sorted orders: Bawa et al. 2005 (LSH forest),
doi:10.1145/1060745.1060840; Ravichandran et al. 2005, doi:10.3115/1219840.1219917, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Bool, Int, UInt8, UInt64

from textanchor.records import Vectors

BITS, ORDERS, REACH = 256, 32, 8  # bits a vector, orders in which they are sorted, neighbours looked at in each
ENOUGH = 24  # partners after which a vector asks for no more: of a thousand equal ones a chain is known, not every pair
DEVIATIONS = 3.0  # by so much may the number of differing bits exceed what the angle makes expect
RECALL = 0.98  # of pairs at the threshold, at least; tests/test_doctor.py measures it
_ONES = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)

Rows = Int[np.ndarray, " m"]
Confirm = Callable[[Rows, Rows], Bool[np.ndarray, " m"]]


def beside(chunks: Iterable[Vectors], cosine: float, confirm: Confirm, *, seed: int = 0) -> tuple[Rows, Rows]:
    """Rows of pairs whose cosine is at least `cosine`, each once and the lower row first; a few are missed.

    `confirm(left, right)` says which of the likely pairs are some: it has the vectors themselves.
    """
    bits = _bits(chunks, np.random.default_rng(seed))
    count, share = len(bits), np.arccos(cosine) / np.pi
    most = int(BITS * share + DEVIATIONS * np.sqrt(BITS * share * (1 - share)))
    partners = np.zeros(count, dtype=np.int64)
    asked, confirmed = np.empty(0, dtype=np.int64), [np.empty(0, dtype=np.int64)]
    for number in range(ORDERS):
        likely = np.setdiff1d(_neighbours(bits, _order(bits, number), most), asked, assume_unique=True)
        likely = likely[np.minimum(partners[likely // count], partners[likely % count]) < ENOUGH]
        asked = np.union1d(asked, likely)
        confirmed.append(likely[confirm(likely // count, likely % count)])
        for ends in (confirmed[-1] // count, confirmed[-1] % count):
            partners += np.bincount(ends, minlength=count)
    pairs = np.sort(np.concatenate(confirmed))
    return pairs // count, pairs % count


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
    return np.argsort(keys, kind="stable")


def _neighbours(bits: UInt8[np.ndarray, "n bytes"], order: Int[np.ndarray, " n"], most: int) -> Int[np.ndarray, " m"]:
    """Pairs that stand near each other in an order and differ in at most so many bits; each as one number."""
    words = bits[order].view(np.uint16)
    pairs = []
    for step in range(1, min(REACH, len(order) - 1) + 1):
        likely = np.flatnonzero(_differing(words[:-step, :4], words[step:, :4]) <= most)
        likely = likely[_differing(words[likely], words[likely + step]) <= most]
        left, right = order[likely], order[likely + step]
        pairs.append(np.minimum(left, right) * len(order) + np.maximum(left, right))
    return np.unique(np.concatenate(pairs)) if pairs else np.empty(0, dtype=np.int64)


def _differing(left: np.ndarray, right: np.ndarray) -> Int[np.ndarray, " m"]:
    """How many bits differ, row by row. *Shape:* [m, words] of 16 bits each."""
    return np.asarray(_ONES[left ^ right].sum(axis=1, dtype=np.int64))
