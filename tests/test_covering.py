"""Few items that stand for many."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from textanchor.metrics import covering as module
from textanchor.metrics.covering import covering, nearest


def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Two known items in the first direction; of others 6, 30 and 10 near three directions, and an outlier."""
    rng = np.random.default_rng(0)
    middles = np.eye(8)[[0] * 8 + [1] * 30 + [2] * 10 + [3]]
    rows = normalize(middles + 0.15 * rng.normal(size=middles.shape)).astype(np.float32)
    return rows[:2], rows[2:]


def test_what_is_chosen_covers_what_nothing_covers() -> None:
    known, lone = clusters()
    first, second = covering(known, lone, 2)
    assert 6 <= first < 36, "the largest region without a known item comes first"
    assert 36 <= second < 46, "then the next"


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("few", [0, 2])
def test_covering_is_greedy_facility_location(weighted: bool, few: int) -> None:
    known, lone = clusters()
    known = known[:few]
    weights = np.random.default_rng(1).random(len(lone)).astype(np.float32) if weighted else np.ones(len(lone), np.float32)
    alike, chosen = lone @ lone.T, []
    covered = [max([-1.0, *(float(row @ one) for one in known)]) for row in lone]
    for _ in range(12):
        totals = {}
        for candidate in range(len(lone)):
            if covered[candidate] < 0.98:
                gains = [max(0.0, float(alike[candidate, row]) - covered[row]) for row in range(len(lone))]
                totals[candidate] = sum(gain * float(weights[row]) for row, gain in enumerate(gains))
        best = max(totals, key=totals.__getitem__)
        chosen.append(best)
        covered = [max(old, float(alike[best, row])) for row, old in enumerate(covered)]
    found = covering(known, lone, 12, weights=weights if weighted else None)
    np.testing.assert_array_equal(found, chosen)


def test_what_counts_more_is_covered_first() -> None:
    known, lone = clusters()
    weights = np.where(np.arange(len(lone)) >= 36, 1.0, 0.01).astype(np.float32)
    assert covering(known, lone, 1, weights=weights)[0] >= 36


def test_of_many_a_part_is_drawn_by_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    rng = np.random.default_rng(0)
    lone = normalize(rng.normal(size=(200, 16))).astype(np.float32)
    weights = np.where(np.arange(200) < 100, 1.0, 0.0).astype(np.float32)
    drawn = [covering(lone[:0], lone, 10, weights=weights, seed=seed) for seed in range(40)]
    assert all(len(rows) == 10 and rows.max() < 100 for rows in drawn)
    assert len(np.unique(drawn)) > 95, "another part with another seed"
    unweighted = np.concatenate([covering(lone[:0], lone, 10, seed=seed) for seed in range(40)])
    assert 0.3 < (unweighted < 100).mean() < 0.7


def test_nearest_is_that_of_plain_python() -> None:
    known, lone = clusters()
    np.testing.assert_allclose(nearest(lone, known), [max(float(row @ one) for one in known) for row in lone], atol=1e-6)
    assert nearest(lone, known[:0]).tolist() == [-1] * len(lone)
    assert nearest(lone[:0], known).shape == (0,)
