"""Each metric against the slow and obvious way."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from textanchor.metrics.agreement import linear_cka, mutual_knn
from textanchor.metrics.cosine import positive_cosine
from textanchor.metrics.geometry import alignment, modality_gap, uniformity
from textanchor.metrics.hubness import occurrence_skew
from textanchor.metrics.interval import bootstrap
from textanchor.metrics.neighbours import knn_hits
from textanchor.metrics.retrieval import Relevant, retrieval


def case(seed: int, queries: int, gallery: int, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integer vectors, so that ties abound."""
    rng = np.random.default_rng(seed)
    left, right = (rng.integers(-levels, levels + 1, size=(n, 3)).astype(np.float32) for n in (queries, gallery))
    return left, right, rng.random((queries, gallery)) < 0.25


def same_label(queries: Sequence[str], gallery: Sequence[str]) -> Relevant:
    return np.array([[one == other for other in gallery] for one in queries]).__getitem__


def slow_rank(scores: list[float], own: list[bool]) -> int:
    best = max(score for score, mine in zip(scores, own, strict=True) if mine)
    return sum(score >= best and not mine for score, mine in zip(scores, own, strict=True))


def slow_precision(scores: list[float], own: list[bool]) -> float:
    order = sorted(range(len(scores)), key=lambda j: (-scores[j], own[j]))[:10]
    hits, total = 0, 0.0
    for place, j in enumerate(order, start=1):
        if own[j]:
            hits += 1
            total += hits / place
    return total / min(10, sum(own))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(2, 30), st.integers(1, 3))
def test_retrieval_equals_its_slow_twin(seed: int, queries: int, gallery: int, levels: int) -> None:
    left, right, own = case(seed, queries, gallery, levels)
    found = retrieval(left, right, own.__getitem__)
    rows = [i for i in range(queries) if own[i].any()]
    scores = (left @ right.T).tolist()
    assert found.rows.tolist() == rows
    assert found.rank.tolist() == [slow_rank(scores[i], own[i].tolist()) for i in rows]
    expected = [slow_precision(scores[i], own[i].tolist()) for i in rows]
    np.testing.assert_allclose(found.precision, expected, atol=1e-9)
    if rows:
        assert found.chance == pytest.approx(float(np.mean([own[i].mean() for i in rows])))


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.metrics import retrieval as module

    left, right, own = case(5, 40, 20, 2)
    whole = retrieval(left, right, own.__getitem__)
    monkeypatch.setattr(module, "CELLS", 7 * 20)
    parts = retrieval(left, right, own.__getitem__)
    np.testing.assert_array_equal(whole.rank, parts.rank)
    assert whole.chance == pytest.approx(parts.chance)


def test_chance_is_what_a_random_order_reaches() -> None:
    rng = np.random.default_rng(0)
    labels = [str(k) for k in rng.integers(4, size=400)]
    found = retrieval(*(rng.normal(size=(400, 8)).astype(np.float32) for _ in range(2)), same_label(labels, labels))
    assert found.recall(1) == pytest.approx(found.chance, abs=0.07)
    assert found.chance == pytest.approx(0.25, abs=0.02)


def test_recall_is_left_out_where_k_reaches_the_gallery() -> None:
    found = retrieval(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), same_label("abc", "abc"))
    assert found.recall(1) == 1.0
    assert found.recall(3) is None
    assert set(found.table()) == {"R@1", "mAP@10", "chance R@1", "largest class R@1", "queries", "gallery size"}
    nothing = retrieval(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), same_label("ab", "cd"))
    assert nothing.recall(1) is None
    assert nothing.mean_average_precision is None
    assert nothing.reciprocal_rank is None


def test_equal_vectors_for_all_are_no_hit() -> None:
    same = np.ones((4, 2), np.float32)
    assert retrieval(same, same, same_label("abcd", "abcd")).recall(1) == 0.0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_positive_cosine_equals_its_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    items, texts = rng.normal(size=(9, 4)).astype(np.float32), rng.normal(size=(4, 4)).astype(np.float32)
    items, texts = (held / np.linalg.norm(held, axis=1, keepdims=True) for held in (items, texts))
    edges = np.array(sorted({(i, int(t)) for i in range(9) for t in rng.integers(4, size=2)}), dtype=np.int64)
    own = np.zeros((9, 4), bool)
    own[edges[:, 0], edges[:, 1]] = True
    found = positive_cosine(items, texts, edges, csr_array(own))
    positive = [float(items[i] @ texts[t]) for i, t in edges]
    negative = [float(items[i] @ texts[t]) for i in range(9) for _, t in edges if not own[i, t]]
    assert found.mean == pytest.approx(np.mean(positive), abs=1e-5)
    assert found.floor == pytest.approx(np.mean(negative), abs=1e-5)
    pairs = [(float(items[i] @ texts[t]), own[i, t], (edges[:, 1] == t).sum()) for i in range(9) for t in range(4)]
    pairs = [(score, mine, weight) for score, mine, weight in pairs if weight]
    above = sum(a[2] * b[2] * ((a[0] > b[0]) + 0.5 * (a[0] == b[0])) for a in pairs if a[1] for b in pairs if not b[1])
    total = sum(a[2] * b[2] for a in pairs if a[1] for b in pairs if not b[1])
    assert found.auc == pytest.approx(above / total, abs=1e-5)


def test_a_floor_needs_a_mismatch() -> None:
    one = np.ones((3, 2), np.float32)
    found = positive_cosine(one, one[:1], np.array([[0, 0], [1, 0], [2, 0]]), csr_array(np.ones((3, 1), bool)))
    assert (found.floor, found.auc) == (None, None)


def test_bootstrap_draws_whole_groups() -> None:
    values = np.repeat([0.0, 1.0], 50)
    tied = bootstrap(values, ["a"] * 50 + ["b"] * 50)
    loose = bootstrap(values, [str(k) for k in range(100)])
    assert tied == (0.0, 1.0), "two groups are two observations"
    assert loose[0] == pytest.approx(0.4, abs=0.03)
    assert loose[1] == pytest.approx(0.6, abs=0.03)
    assert bootstrap(values, ["a"] * 100) is None
    assert bootstrap(values, [str(k) for k in range(100)], seed=3) == bootstrap(values, [str(k) for k in range(100)], seed=3)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        low, high = bootstrap(rng.random(80) < 0.3, [str(k) for k in range(80)])
        inside += low <= 0.3 <= high
    assert 0.88 <= inside / 200 <= 0.99


def test_neighbours_equal_their_slow_twin() -> None:
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(40, 2)), [str(k) for k in rng.integers(3, size=40)]
    right = 0
    for i in range(40):
        near = sorted((float(np.linalg.norm(points[i] - points[j])), j) for j in range(40) if j != i)[:5]
        votes = {name: sum(labels[j] == name for _, j in near) for name in sorted(set(labels))}
        right += max(votes, key=lambda name: votes[name]) == labels[i]
    assert knn_hits(points, labels).mean() == pytest.approx(right / 40)
    assert knn_hits(points[:5], labels[:5]) is None
    assert knn_hits(points, [str(k // 2) for k in range(40)]) is None, "no vote of five among labels of two"


def test_hubness_is_the_skew_of_occurrences() -> None:
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(40, 5)), rng.normal(size=(30, 5))
    counts = np.zeros(30)
    for query in queries:
        for best in sorted(range(30), key=lambda j: -float(query @ gallery[j]))[:4]:
            counts[best] += 1
    centred = counts - counts.mean()
    slow = (centred**3).mean() / (centred**2).mean() ** 1.5
    found = occurrence_skew(queries.astype(np.float32), gallery.astype(np.float32), k=4)
    assert found == pytest.approx(slow, rel=1e-5)
    assert occurrence_skew(queries.astype(np.float32), gallery[:4].astype(np.float32), k=4) is None
    hub = gallery.copy()
    hub[0] = 0
    shifted = (queries + 3).astype(np.float32)
    hub[0] = 9
    assert occurrence_skew(shifted, hub.astype(np.float32), k=4) > 2


def test_geometry_is_its_formulas() -> None:
    rng = np.random.default_rng(0)
    items, texts = (rng.normal(size=(n, 4)) for n in (12, 7))
    items, texts = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (items, texts))
    edges = np.stack([np.arange(12), rng.integers(7, size=12)], axis=1)
    small = [side.astype(np.float32) for side in (items, texts)]
    slow = np.mean([((items[i] - texts[t]) ** 2).sum() for i, t in edges])
    assert alignment(small[0], small[1], edges) == pytest.approx(slow, rel=1e-5)
    pairs = [np.exp(-2 * ((items[i] - items[j]) ** 2).sum()) for i in range(12) for j in range(12) if i != j]
    assert uniformity(small[0]) == pytest.approx(np.log(np.mean(pairs)), rel=1e-5)
    assert uniformity(small[0][:1]) is None
    assert modality_gap(small[0], small[1]) == pytest.approx(np.linalg.norm(items.mean(axis=0) - texts.mean(axis=0)), rel=1e-5)
    assert modality_gap(small[0], small[0]) == 0


def test_agreement_is_one_for_a_rotation_and_chance_for_noise() -> None:
    rng = np.random.default_rng(0)
    left = rng.normal(size=(200, 8)).astype(np.float32)
    turn, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    turned = (3 * left @ turn).astype(np.float32)
    assert mutual_knn(left, turned) == pytest.approx(1)
    assert linear_cka(left, turned) == pytest.approx(1)
    noise = rng.normal(size=(200, 5)).astype(np.float32)
    assert mutual_knn(left, noise) == pytest.approx(10 / 199, abs=0.03)
    assert abs(linear_cka(left, noise)) < 0.05
    assert mutual_knn(left[:11], noise[:11]) is None
    assert linear_cka(left[:3], noise[:3]) is None


def test_mutual_neighbours_by_hand() -> None:
    rng = np.random.default_rng(3)
    sides = [rng.normal(size=(9, 3)).astype(np.float32) for _ in range(2)]
    near = []
    for side in sides:
        held = side - side.mean(axis=0)
        held /= np.linalg.norm(held, axis=1, keepdims=True)
        near.append(
            [set(sorted((j for j in range(9) if j != i), key=lambda j: -float(held[i] @ held[j]))[:2]) for i in range(9)]
        )
    slow = np.mean([len(near[0][i] & near[1][i]) / 2 for i in range(9)])
    assert mutual_knn(sides[0], sides[1], k=2) == pytest.approx(slow)


def test_agreement_needs_no_square_matrix_and_equals_the_one_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.metrics import agreement

    rng = np.random.default_rng(4)
    left = rng.normal(size=(60, 7)).astype(np.float32)
    right = (left[:, :5] + rng.normal(size=(60, 5))).astype(np.float32)
    grams = []
    for vectors in (left, right):
        centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
        gram = centred @ centred.T
        np.fill_diagonal(gram, 0)
        grams.append(gram)

    def hsic(k: np.ndarray, m: np.ndarray) -> float:  # Song et al. 2012, equation 5, as it stands there
        n, ones = len(k), np.ones(len(k))
        terms = (
            np.trace(k @ m) + (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2)) - 2 / (n - 2) * ones @ k @ m @ ones
        )
        return float(terms / (n * (n - 3)))

    slow = hsic(*grams) / np.sqrt(hsic(grams[0], grams[0]) * hsic(grams[1], grams[1]))
    assert linear_cka(left, right) == pytest.approx(slow, abs=1e-9)
    whole = mutual_knn(left, right)
    monkeypatch.setattr(agreement, "BLOCK", 7)
    assert mutual_knn(left, right) == whole
    many = rng.normal(size=(4000, 8)).astype(np.float32)
    tracemalloc.start()
    linear_cka(many, many)
    assert tracemalloc.get_traced_memory()[1] < 4000 * 4000
    tracemalloc.stop()
