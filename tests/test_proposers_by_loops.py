"""Neighbours, smoothing, label spreading and nearest class means, against their formulas in loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from test_proposers import blobs, labels
from textanchor.labelling import neighbours as near
from textanchor.labelling.pool import Labelled, Pool
from textanchor.labelling.proposers.name_shots import NameShots
from textanchor.labelling.proposers.names import Names
from textanchor.labelling.proposers.spreading import Spreading


def length(vector: np.ndarray) -> float:
    return float(np.sqrt(sum(float(one) ** 2 for one in vector)))


def weights_by_loops(values: np.ndarray, crowd: list[int], count: int = 5) -> np.ndarray:
    """exp(-|x - y|^2 / (s t)) where either is among the other's `count` nearest of the crowd, s and t away."""
    directions = [row / length(row) for row in values.astype(np.float64)]
    apart = [[length(one - other) for other in directions] for one in directions]
    reach = [
        sorted(apart[row][other] for other in crowd if other != row)[min(count, len(crowd) - 1) - 1]
        for row in range(len(values))
    ]
    found = np.zeros((len(values), len(crowd)))
    for row in range(len(values)):
        for place, other in enumerate(crowd):
            if other != row and (apart[row][other] <= reach[row] or apart[row][other] <= reach[other]):
                found[row, place] = np.exp(-(apart[row][other] ** 2) / (reach[row] * reach[other]))
    return found


def smoothed_by_loops(values: np.ndarray, crowd: list[int]) -> np.ndarray:
    """Half a direction and half the mean of its neighbours', then a root mean square length of 1."""
    weights, found = weights_by_loops(values, crowd), np.zeros(values.shape)
    for row, value in enumerate(values.astype(np.float64)):
        mean = sum(weights[row, place] * values[other] / length(values[other]) for place, other in enumerate(crowd))
        found[row] = 0.5 * value / length(value) + 0.5 * mean / weights[row].sum()
    return found / np.sqrt(np.mean([length(row) ** 2 for row in found]))


def spread_by_loops(pool: Pool, known: Labelled, crowd: list[int], spread: float, rounds: int) -> np.ndarray:
    """F = a S F + (1 - a) Y in rounds, S = D^-1/2 W D^-1/2; then each item takes the mean of its neighbours'; all alike where
    nothing comes."""
    items, classes = len(pool), len(pool.classes)
    weights = weights_by_loops(pool.features[0].values, crowd)
    said = np.zeros((items, classes))
    for row, own in zip(known.rows, known.classes, strict=True):
        said[row, own] = 1 / (known.classes == own).sum()
    source = np.array([said[row] for row in crowd])
    for row in known.rows:
        if row not in crowd:
            for place in range(len(crowd)):
                source[place] += weights[row, place] / weights[row].sum() * said[row]
    both = [[max(weights[one, b], weights[other, a]) for b, other in enumerate(crowd)] for a, one in enumerate(crowd)]
    degree = [sum(row) for row in both]
    found = source
    for _ in range(rounds):
        found = np.array(
            [
                spread * sum(both[a][b] / np.sqrt(degree[a] * degree[b]) * found[b] for b in range(len(crowd)))
                + (1 - spread) * source[a]
                for a in range(len(crowd))
            ]
        )
    reached = np.array([sum(weights[row, b] * found[b] for b in range(len(crowd))) for row in range(items)])
    return np.array([row / row.sum() if row.sum() else np.full(classes, 1 / classes) for row in reached])


@pytest.fixture(params=[1000, 20], ids=["all are the crowd", "a crowd of 20"])
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of a pool of 36 among which neighbours are sought."""
    monkeypatch.setattr(near, "CROWD", request.param)
    return list(range(36)) if request.param > 36 else sorted(np.random.default_rng(0).permutation(36)[:20].tolist())


def test_neighbours_by_loops(crowd: list[int]) -> None:
    values = blobs(each=9)[0].features[0].values
    found = near.neighbours(values)
    assert found.crowd.tolist() == crowd
    np.testing.assert_allclose(found.weights.toarray(), weights_by_loops(values, crowd), atol=1e-5)


def test_smoothing_by_loops(crowd: list[int]) -> None:
    sight = blobs(each=9)[0].features[0]
    np.testing.assert_allclose(sight.smoothed, smoothed_by_loops(sight.values, crowd), atol=1e-5)


@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_spreading_by_loops(crowd: list[int], spread: float) -> None:
    pool, truth = blobs(each=9, noise=0.3)
    known = labels(truth, [0, 4, 5, 10, 19, 20, 28, 33])
    found = Spreading(spread=spread, rounds=7).propose(pool, known)
    np.testing.assert_allclose(found, spread_by_loops(pool, known, crowd, spread, 7), atol=1e-4)


def test_spreading_settles_where_its_equation_does() -> None:
    """F = (1 - a) (I - a S)^-1 Y: Zhou et al. 2003, eq. 3 up to the factor."""
    pool, truth = blobs(each=9, noise=0.3)
    known = labels(truth, [0, 4, 10, 19, 28])
    weights = weights_by_loops(pool.features[0].values, list(range(36)))
    root = np.diag(weights.sum(axis=1) ** -0.5)
    said = np.zeros((36, 4))
    said[known.rows, known.classes] = [0.5, 0.5, 1, 1, 1]
    reached = weights @ np.linalg.solve(np.eye(36) - 0.8 * root @ weights @ root, said)
    found = Spreading(rounds=200).propose(pool, known)
    np.testing.assert_allclose(found, reached / reached.sum(axis=1, keepdims=True), atol=1e-4)


def test_name_shots_by_loops() -> None:
    """softmax of `concentration` cos(x, m), with m the labelled items and one item that the name points at."""
    pool, truth = blobs(each=9, noise=0.3)
    pool, known = replace(pool, texts=None), labels(truth, [0, 4, 10, 19])  # none of the last class
    assert pool.by_names is not None
    items = [row / length(row) for row in pool.features[0].values.astype(np.float64)]
    scores = np.zeros((36, 4))
    for own in range(4):
        likely = pool.by_names[:, own].astype(np.float64)
        named = sum(share * item for share, item in zip(likely, items, strict=True)) / likely.sum() - np.mean(items, axis=0)
        total = named / length(named) + sum((items[row] for row in known.rows if truth[row] == own), np.zeros(16))
        scores[:, own] = [7 * float(item @ total) / length(total) for item in items]
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    found = NameShots(concentration=7, smoothed=False).propose(pool, known)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("rows", [[], [5], [0, 9, 18, 27], list(range(36))], ids=["no label", "one", "one a class", "all"])
def test_labels_teach_names_nothing(rows: list[int]) -> None:
    pool, truth = blobs(each=9)
    assert pool.by_names is not None
    partly = pool.by_names.copy()
    partly[3] = np.nan
    found = Names().propose(replace(pool, by_names=partly), labels(truth, rows))
    np.testing.assert_array_equal(found[3], np.full(4, 0.25, dtype=np.float32))
    np.testing.assert_array_equal(np.delete(found, 3, axis=0), np.delete(partly, 3, axis=0))
