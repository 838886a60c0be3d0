"""Whether spaces can be aligned at all: agreement against shuffled partners, and the doctor's verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conftest import make_toy
from textanchor.doctor.alignability import NOTHING, UNTOLD, Alignability, Budget, alignability, smallest
from textanchor.doctor.checks.alignable import check
from textanchor.doctor.closed_forms import CLOSED, reached
from textanchor.metrics.agreement import (
    Permuted,
    cka_against_shuffled,
    knn_against_shuffled,
    linear_cka,
    mutual_knn,
)
from textanchor.space.preparing import Sides


def clouds(items: int, seed: int, *, turn: np.ndarray | None, dim: int = 8) -> Any:
    """Items with a text each: the texts turned, with a little noise, or a cloud of its own."""
    rng = np.random.default_rng(seed)
    texts = rng.normal(size=(items, dim))
    own = texts @ turn + 0.05 * rng.normal(size=(items, dim)) if turn is not None else rng.normal(size=(items, dim))
    toy = make_toy(items=items, texts=items, dim=dim, out=dim, seed=seed)
    return replace(
        toy, items=replace(toy.items, vectors=own.astype(np.float32)), anchors=texts.astype(np.float32), edges=_diagonal(items)
    )


def _diagonal(items: int) -> np.ndarray:
    return np.stack([np.arange(items)] * 2, axis=1)


def seen_in(train: Any, val: Any) -> Alignability:
    sides = Sides(pairs={"train": train, "val": val})
    fits = [reached(spec, sides) for spec in CLOSED[:2]]
    return alignability(sides, [*fits, fits[0]])


@pytest.fixture(scope="module")
def turned() -> Alignability:
    turn, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(8, 8)))
    return seen_in(clouds(120, 0, turn=turn), clouds(60, 1, turn=turn))


@pytest.fixture(scope="module")
def strangers() -> Alignability:
    return seen_in(clouds(120, 0, turn=None), clouds(60, 1, turn=None))


def said(seen: Alignability) -> tuple[str, str]:
    examined: Any = SimpleNamespace(alignability={"image": seen})
    (finding,) = check(examined)
    assert (finding.topic, finding.modality) == ("alignable", "image")
    return finding.level, finding.text


# The verdict


def test_rotated_copies_are_alignable(turned: Alignability) -> None:
    assert turned.verdict == "alignable"
    assert turned.knn is not None
    assert turned.knn.statistic > 0.8
    assert turned.full is not None
    assert turned.few is not None
    assert 15 <= turned.few.items <= 25
    assert turned.few.recall > 0.9, "twenty pairs are enough to find a rotation of eight dimensions"
    level, text = said(turned)
    assert level == "note"
    assert text.startswith("alignable: real partners agree beyond shuffled ones")
    assert "a rotation does as well" in text or "nothing that can be told to a rotation" in text
    json.dumps(turned.row(), allow_nan=False)


def test_independent_clouds_are_a_warning(strangers: Alignability) -> None:
    level, text = said(strangers)
    assert level == "warning"
    assert text.startswith("nothing here says that these spaces share structure: shuffled partners do as well; mutual 10-NN")
    assert "one by one" not in text
    assert strangers.row()["verdict"] == NOTHING


def test_items_of_one_group_are_shuffled_together() -> None:
    half = clouds(60, 0, turn=None)
    again = replace(half, items=replace(half.items, ids=tuple(f"again {name}" for name in half.items.ids)))
    both = half.joined(replace(again, texts=tuple(f"again {text}" for text in again.texts)))
    seen = alignability(Sides(pairs={"train": both, "val": half}), [])
    assert seen.things == 60
    assert seen.knn is not None
    assert seen.knn.p > 0.025, "each is the nearest of its copy on both sides, which says nothing"


def test_too_few_things_cannot_be_told(turned: Alignability) -> None:
    few = clouds(12, 0, turn=np.eye(8))
    seen = alignability(Sides(pairs={"train": few, "val": few}), [])
    assert (seen.things, seen.k, seen.verdict) == (12, 2, UNTOLD)
    assert said(seen)[1].startswith(
        "cannot be told: 12 items to compare with shuffled partners (at least 20 are needed); mutual"
    )
    assert replace(turned, few=None, full=None).text.startswith("cannot be told: too few items to fit and judge anything")
    two = alignability(Sides(pairs={"train": few.take([0, 1]), "val": few}), [])
    assert (two.knn, two.cka, two.verdict) == (None, None, UNTOLD)


def test_classes_that_are_learnt_one_by_one_say_nothing_of_structure() -> None:
    toys = [make_toy(items=400, texts=40, dim=64, seed=seed) for seed in (1, 2)]
    strange = np.random.default_rng(5).normal(size=toys[0].anchors.shape).astype(np.float32)
    seen = seen_in(*(replace(toy, anchors=strange) for toy in toys))
    assert seen.classes
    assert seen.things == 40
    assert seen.full is not None
    assert seen.full.beyond(5 * seen.floor), "the fit does well, and would under any other names"
    assert seen.knn is not None
    assert seen.cka is not None
    seen = replace(seen, knn=replace(seen.knn, p=0.5), cka=replace(seen.cka, p=0.5))  # one draw in twenty seems to agree
    assert seen.verdict == NOTHING
    assert said(seen)[1].endswith("a fit learns such classes one by one, and will not find names that no item had")


@pytest.mark.parametrize(
    ("p", "full", "few", "verdict"),
    [
        (0.005, 0.2, 0.1, "alignable"),
        (0.005, 0.2, 0.0, "weakly"),
        (0.005, 0.0, 0.0, "weakly"),
        (0.4, 0.2, 0.1, "weakly"),
        (0.4, 0.0, 0.0, NOTHING),
    ],
)
def test_each_verdict(p: float, full: float, few: float, verdict: str) -> None:
    budgets = [Budget(items=9, recall=low + 0.05, interval=(low, low + 0.1)) for low in (full, few)]
    knn = Permuted(statistic=0.1, mean=0.01, high=0.02, p=p)
    cka = Permuted(statistic=0.0, mean=0.0, high=0.01, p=0.5)
    seen = Alignability(things=99, classes=False, k=10, knn=knn, cka=cka, full=budgets[0], few=budgets[1], floor=0.01)
    assert seen.verdict == verdict
    assert replace(seen, things=19).verdict == UNTOLD


def test_the_smallest_budget_is_a_part_or_nothing() -> None:
    train, val = make_toy(items=2000, seed=1), make_toy(items=40, seed=2)
    held = smallest(Sides(pairs={"train": train, "val": val}), "ridge")
    assert held is not None
    assert held.items == 40
    assert held.interval is not None
    assert held.interval[0] <= held.recall <= held.interval[1]
    assert smallest(Sides(pairs={"train": train.take(range(39)), "val": val}), "ridge") is None, "more than half of the items"
    one_source = replace(train, groups=tuple(f"group {row % 3}" for row in range(2000)))
    assert smallest(Sides(pairs={"train": one_source, "val": val}), "ridge") is None, "one group: none is left to choose on"


def test_the_smallest_budget_is_the_mean_of_three_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([np.arange(40) < right for right in (10, 12, 32)])
    monkeypatch.setattr("textanchor.doctor.alignability.naming_hits", lambda *_: next(draws))
    held = smallest(Sides(pairs={"train": make_toy(items=400, seed=1), "val": make_toy(items=40, seed=2)}), "ridge")
    assert held is not None
    assert held.recall == pytest.approx(18 / 40)
    assert next(draws, None) is None


# The measures


def pair_of_sides(n: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    left = rng.normal(size=(n, 5)).astype(np.float32)
    return left, (left[:, :3] + rng.normal(size=(n, 3))).astype(np.float32)


def slow_knn(left: np.ndarray, right: np.ndarray, k: int) -> float:
    n, near = len(left), []
    for side in (left, right):
        held = side - side.mean(axis=0)
        held = held / np.linalg.norm(held, axis=1, keepdims=True)
        near.append(
            [set(sorted((j for j in range(n) if j != i), key=lambda j: -float(held[i] @ held[j]))[:k]) for i in range(n)]
        )
    return float(np.mean([len(near[0][i] & near[1][i]) / k for i in range(n)]))


def slow_hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Song et al. 2012: over all ordered quadruples of different things, K_ij (L_ij + L_qr - 2 L_iq) averaged."""
    n, k, m = len(x), x @ x.T, y @ y.T
    total, count = 0.0, 0
    for i in range(n):
        for j in range(n):
            for q in range(n):
                for r in range(n):
                    if len({i, j, q, r}) == 4:
                        total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
                        count += 1
    return total / count


def slow_cka(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    return float(slow_hsic(x, y) / np.sqrt(slow_hsic(x, x) * slow_hsic(y, y)))


def shuffles(n: int, count: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.permutation(n) for _ in range(count)]


def slow_p(real: float, null: list[float]) -> float:
    return (1 + sum(one >= real - 1e-9 for one in null)) / (1 + len(null))


def test_mutual_neighbours_against_shuffled_partners_by_loops() -> None:
    left, right = pair_of_sides()
    found = knn_against_shuffled(left, right, k=3, permutations=25, seed=6)
    assert found is not None
    null = [slow_knn(left, right[order], 3) for order in shuffles(14, 25, 6)]
    assert found.statistic == pytest.approx(slow_knn(left, right, 3)) == pytest.approx(mutual_knn(left, right, k=3))
    assert found.mean == pytest.approx(np.mean(null))
    assert found.high == pytest.approx(np.percentile(null, 95))
    assert found.p == slow_p(found.statistic, null)


def test_cka_against_shuffled_partners_by_loops() -> None:
    left, right = pair_of_sides(8)
    found = cka_against_shuffled(left, right, permutations=8, seed=6)
    assert found is not None
    null = [slow_cka(left, right[order]) for order in shuffles(8, 8, 6)]
    assert found.statistic == pytest.approx(slow_cka(left, right), abs=1e-6)
    assert found.statistic == pytest.approx(linear_cka(left, right), abs=1e-6)
    assert found.mean == pytest.approx(np.mean(null), abs=1e-6)
    assert found.high == pytest.approx(np.percentile(null, 95), abs=1e-6)
    assert found.p == slow_p(found.statistic, null)


def test_the_null_has_the_mean_that_theory_gives() -> None:
    left, right = pair_of_sides(40)
    knn, cka = (of(left, right, permutations=2000) for of in (knn_against_shuffled, cka_against_shuffled))
    assert knn is not None
    assert cka is not None
    assert knn.mean == pytest.approx(10 / 39, abs=0.003)
    assert cka.mean == pytest.approx(0, abs=0.005)
    assert max(knn.p, cka.p) < 0.05
    assert cka.high > cka.mean


def test_width_inflates_raw_cka_and_not_the_debiased_one() -> None:
    rng, n = np.random.default_rng(0), 40
    raw, debiased = [], []
    for width in (10, 100, 2000):
        x, y = (rng.normal(size=(n, width)).astype(np.float32) for _ in range(2))
        grams = [(held - held.mean(axis=0)) @ (held - held.mean(axis=0)).T for held in (x, y)]
        raw.append(float((grams[0] * grams[1]).sum() / np.linalg.norm(grams[0]) / np.linalg.norm(grams[1])))
        found = cka_against_shuffled(x, y)
        assert found is not None
        debiased.append(found.statistic)
    assert raw[0] < raw[1] < raw[2]
    assert raw[2] > 0.95, "two clouds that have nothing in common"
    assert max(abs(one) for one in debiased) < 0.1


@pytest.mark.parametrize("of", [knn_against_shuffled, cka_against_shuffled])
def test_the_null_is_calibrated(of: Any) -> None:
    ps = []
    for seed in range(300):
        rng = np.random.default_rng([1, seed])
        left, right = (rng.normal(size=(25, width)).astype(np.float32) for width in (40, 6))
        ps.append(of(left, right, permutations=99, seed=seed).p)
    assert 0.02 <= float(np.mean(np.array(ps) <= 0.05)) <= 0.09
    assert 0.4 <= float(np.mean(ps)) <= 0.6


def test_measures_that_cannot_be_taken_are_none() -> None:
    left, right = pair_of_sides(11)
    assert knn_against_shuffled(left, right) is None
    assert cka_against_shuffled(left[:3], right[:3]) is None
    assert cka_against_shuffled(np.zeros((9, 2), np.float32), right[:9]) is None
