"""Which shard holds which key: 16 bytes a key in memory, added to in any number of steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8, UInt64

KEY = 32  # bytes of a sha256
_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype="<u8")


def as_bytes(keys: Sequence[str]) -> UInt8[np.ndarray, "n 32"]:
    """Keys in hexadecimal as rows of bytes."""
    return np.frombuffer(bytes.fromhex("".join(keys)), dtype=np.uint8).reshape(-1, KEY)


def short(keys: UInt8[np.ndarray, "n 32"]) -> UInt64[np.ndarray, " n"]:
    """Eight bytes mixed from each key. Two keys may share them, so a hit is compared with the whole key where it is stored."""
    return (np.ascontiguousarray(keys).view("<u8") * _ODD).sum(axis=1, dtype="<u8")


class KeyIndex:
    """Short keys, sorted, with the number of their shard and their row in it.

    What is added becomes a sorted run; runs are joined when one is less than twice as long as its follower, so there are few of
    them, and filling an index shard by shard costs n log n. Readers need no lock: a run never changes, and the runs are
    replaced all at once. Writers must not work at the same time.
    """

    def __init__(self) -> None:
        self._runs: tuple[_Run, ...] = ()

    def add(self, shards: Mapping[int, UInt64[np.ndarray, " n"]]) -> None:
        """The short keys of every row of some shards, by the shard's number."""
        if not shards:
            return
        runs = [*self._runs, _sorted(shards)]
        while len(runs) > 1 and len(runs[-2].short) < 2 * len(runs[-1].short):
            last = runs.pop()
            runs[-1] = _joined(runs[-1], last)
        self._runs = tuple(runs)

    def drop(self, numbers: Collection[int]) -> None:
        """Forget shards."""
        if numbers:
            left = (_without(run, numbers) for run in self._runs)
            self._runs = tuple(run for run in left if len(run.short))

    def find(self, keys: Sequence[str]) -> Iterator[tuple[int, Int[np.ndarray, " m"], Int[np.ndarray, " m"]]]:
        """A shard's number, the places in `keys` that it may hold, and their rows in it, in the order of its rows."""
        wanted = short(as_bytes(keys))
        numbers, rows = np.full(len(wanted), -1, "<i4"), np.zeros(len(wanted), "<i4")
        for run in self._runs:
            place = np.minimum(np.searchsorted(run.short, wanted), len(run.short) - 1)
            hit = (run.short[place] == wanted) & (numbers < 0)
            numbers[hit], rows[hit] = run.number[place[hit]], run.row[place[hit]]
        order = np.lexsort((rows, numbers))
        order = order[numbers[order] >= 0]
        for places in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            if len(places):
                yield int(numbers[places[0]]), places, rows[places]


class _Run(NamedTuple):
    short: np.ndarray
    number: np.ndarray
    row: np.ndarray


def _sorted(shards: Mapping[int, np.ndarray]) -> _Run:
    counts = [len(one) for one in shards.values()]
    joined = np.concatenate(list(shards.values()))
    order = np.argsort(joined).astype("<i4")
    number = np.repeat(np.array(list(shards), "<i4"), counts)[order]
    row = np.concatenate([np.arange(count, dtype="<i4") for count in counts])[order]
    return _Run(joined[order], number, row)


def _joined(first: _Run, second: _Run) -> _Run:
    joined = np.concatenate([first.short, second.short])
    order = np.argsort(joined, kind="stable").astype("<i4")  # which merges two sorted runs in linear time
    number, row = np.concatenate([first.number, second.number]), np.concatenate([first.row, second.row])
    return _Run(joined[order], number[order], row[order])


def _without(run: _Run, numbers: Collection[int]) -> _Run:
    kept = np.isin(run.number, list(numbers), invert=True)
    return _Run(*(column[kept] for column in run))
