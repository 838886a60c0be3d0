"""Few items that stand for many."""

from __future__ import annotations

import heapq

import numpy as np
from jaxtyping import Float32, Int

MOST = 5000  # candidates, and items to be covered, that are looked at; of more a part that is drawn
NEAR = 0.98  # cosine: the same thing once more

Known = Float32[np.ndarray, "m d"]
Vectors = Float32[np.ndarray, "n d"]
Amounts = Float32[np.ndarray, " n"]


def covering(
    known: Known, lone: Vectors, count: int, *, weights: Amounts | None = None, seed: int = 0
) -> Int[np.ndarray, " k"]:
    """Rows of lone items that, one after another, raise the mean cosine of all of them to the nearest known one most.

    Greedy maximization of the facility location function, which typical items of regions without any known one win and outliers
    do not; each item counts by its `weights`, all alike without. A gain never grows, so most are looked at again only where
    they may win (lazily; Minoux 1978, doi:10.1007/BFb0006528).
    Source: Wei, Iyer and Bilmes 2015, Submodularity in data subset selection and active learning, ICML, section 3.
    Items as near as .98 to a known or chosen one are passed over, so there may be fewer than `count`. Of more than 5000 a
    part is looked at that is drawn at random, by weight. *Shape:* known [m, d], lone [n, d], of unit length.
    """
    rows, weight = _drawn(len(lone), weights, seed)
    alike, covered = lone[rows] @ lone[rows].T, nearest(lone[rows], known)
    free = covered < NEAR
    waiting = [(-float(gain), place) for place, gain in enumerate(_gains(alike, covered, weight)) if free[place]]
    heapq.heapify(waiting)
    chosen: list[int] = []
    while waiting and len(chosen) < count:
        _, place = heapq.heappop(waiting)
        if not free[place]:
            continue
        gain = float(np.maximum(alike[place] - covered, 0) @ weight)
        if waiting and (-gain, place) > waiting[0]:
            heapq.heappush(waiting, (-gain, place))
            continue
        chosen.append(int(rows[place]))
        covered = np.maximum(covered, alike[place])
        free &= alike[place] < NEAR
        free[place] = False
    return np.array(chosen, dtype=np.int64)


def nearest(rows: Vectors, known: Known) -> Amounts:
    """The cosine of each row to the nearest known one; -1 where none is known."""
    if not len(known):
        return np.full(len(rows), -1, dtype=np.float32)
    blocks = [(rows[start : start + 1024] @ known.T).max(axis=1) for start in range(0, len(rows), 1024)]
    return np.concatenate([np.empty(0, dtype=np.float32), *blocks]).astype(np.float32)


def _drawn(count: int, weights: Amounts | None, seed: int) -> tuple[Int[np.ndarray, " k"], Float32[np.ndarray, " k"]]:
    """Which are looked at and what each counts; once drawn by weight, all count alike.

    Source: Efraimidis and Spirakis 2006, doi:10.1016/j.ipl.2005.11.003, algorithm A.
    """
    rng = np.random.default_rng(seed)
    alike = np.ones(min(count, MOST), dtype=np.float32)
    if weights is None:
        return np.sort(rng.permutation(count)[:MOST]), alike
    if count <= MOST:
        return np.arange(count), weights
    keys = rng.exponential(size=count) / np.maximum(weights, 1e-9)
    return np.sort(np.argpartition(keys, MOST)[:MOST]), alike


def _gains(alike: Float32[np.ndarray, "n n"], covered: Amounts, weight: Amounts) -> Amounts:
    """What each item would add, were it the first; in blocks, so that no second table of all pairs is made."""
    blocks = [np.maximum(alike[start : start + 256] - covered, 0) @ weight for start in range(0, len(alike), 256)]
    return np.concatenate([np.empty(0, dtype=np.float32), *blocks])
