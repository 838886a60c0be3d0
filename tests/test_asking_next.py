"""Which items to ask a person about next."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import get_args

import numpy as np
import pytest

from textanchor import registry
from textanchor.errors import InputError, MissingError
from textanchor.labelling.asking import Strategy, clusters
from textanchor.labelling.asking.active import Query
from textanchor.labelling.asking.clusters import clustered, rounded, typical
from textanchor.labelling.asking.margin import margins
from textanchor.labelling.asking.once import once
from textanchor.labelling.asking.spread_then_margin import covered
from textanchor.labelling.pool import Features, Labelled, Pool
from textanchor.metrics.covering import NEAR

NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec("skactiveml") is None, reason="the extra [active] is not installed"))
    if name == "active"
    else name
    for name in registry.names("strategy")
]
ONCE = [name for name in NAMES if name != "random"]


def pool_of(values: np.ndarray, classes: int = 3, contents: np.ndarray | None = None) -> Pool:
    sight = Features(name="image", values=values.astype(np.float32), present=np.ones(len(values), dtype=bool))
    own = np.arange(len(values)) if contents is None else contents
    return Pool(features=(sight,), classes=tuple("abcdefghij"[:classes]), groups=np.arange(len(values)), contents=own)


def blobs(sizes: tuple[int, ...] = (40, 25, 15), seed: int = 0) -> tuple[Pool, np.ndarray]:
    """Clouds in directions of their own, one a class."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return pool_of(np.eye(24)[truth] + 0.15 * rng.normal(size=(len(truth), 24)), len(sizes)), truth


def labels(truth: np.ndarray, rows: list[int]) -> Labelled:
    return Labelled(rows=np.asarray(rows, dtype=np.int64), classes=truth[rows], drawn=np.ones(len(rows), dtype=bool))


def likely(pool: Pool, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).random((len(pool), len(pool.classes)))
    return (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str) -> None:
    pool, truth = blobs()
    strategy = registry.part("strategy", name)
    assert isinstance(strategy, Strategy)
    assert strategy.name == name
    for rows in ([], [0], [3, 50, 70]):
        known = labels(truth, rows)
        for count in (1, 7, 1000):
            asked = strategy.ask(pool, known, likely(pool), count, seed=1)
            assert asked.dtype.kind == "i"
            assert len(np.unique(asked)) == len(asked) == min(count, len(pool) - len(rows))
            assert not np.isin(asked, rows).any()
            again = registry.part("strategy", name).ask(pool, known, likely(pool), count, seed=1)
            np.testing.assert_array_equal(asked, again, err_msg="what it has kept changes nothing")
        few, many = (strategy.ask(pool, known, likely(pool), count, seed=1) for count in (0, len(pool)))
        assert len(few) == 0
        assert len(many) == len(pool) - len(rows)
    everything = labels(truth, list(range(len(pool))))
    assert len(strategy.ask(pool, everything, likely(pool), 5)) == 0


@pytest.mark.parametrize("name", ONCE)
def test_near_duplicates_are_asked_once(name: str) -> None:
    values = blobs()[0].features[0].values
    nearly = values + 1e-3
    pool, truth = pool_of(np.concatenate([values, values, nearly])), np.tile(blobs()[1], 3)
    asked = registry.part("strategy", name).ask(pool, labels(truth, [0, 45]), likely(pool), 1000)
    assert len(np.unique(asked % len(values))) == len(asked) == len(values) - 2
    assert not np.isin(asked % len(values), [0, 45]).any()
    contents = np.arange(len(values)) // 2
    by_content = pool_of(values, contents=contents)
    asked = registry.part("strategy", name).ask(by_content, labels(truth, [1]), likely(by_content), 1000)
    assert sorted(contents[asked]) == list(range(1, len(values) // 2))


def test_random_is_drawn_from_all() -> None:
    pool, truth = blobs()
    known = labels(truth, [0, 1])
    counts = np.zeros(len(pool))
    for seed in range(3000):
        counts[registry.part("strategy", "random").ask(pool, known, None, 10, seed=seed)] += 1
    rest = counts[2:] / 3000
    assert np.abs(rest - 10 / 78).max() < 5 * np.sqrt(10 / 78 * 68 / 78 / 3000), "each as often as any other"


@pytest.mark.parametrize("name", ["covering", "typical", "k-centre", "spread-then-margin"])
def test_what_spreads_finds_every_class_at_once(name: str) -> None:
    pool, truth = blobs()
    asked = registry.part("strategy", name).ask(pool, labels(truth, []), None, 3)
    assert set(truth[asked]) == {0, 1, 2}
    two = registry.part("strategy", name).ask(pool, labels(truth, [0]), None, 2)
    assert set(truth[two]) == {1, 2}, "what has a label is covered"


def test_typical_prefers_large_clusters_and_their_middle() -> None:
    pool, truth = blobs()
    asked = registry.part("strategy", "typical").ask(pool, labels(truth, []), None, 3)
    assert truth[asked].tolist() == [0, 1, 2]
    for row in asked:
        own = pool.places[truth == truth[row]]
        away = np.linalg.norm(own - own.mean(axis=0), axis=1)
        mine = np.linalg.norm(pool.places[row] - own.mean(axis=0))
        assert mine < np.median(away), "no outlier"


def test_typicality_is_that_of_plain_python() -> None:
    for count in (1, 2, 10, 40):
        places = np.random.default_rng(count).normal(size=(count, 4)).astype(np.float32)
        expected = []
        for row in range(count):
            away = sorted(float(np.linalg.norm(places[row] - places[other])) for other in range(count) if other != row)[:20]
            expected.append(len(away) / sum(away) if away else 1.0)
        np.testing.assert_allclose(typical(places), expected, rtol=1e-4)


def test_k_centre_is_that_of_plain_python() -> None:
    pool, truth = blobs()
    chosen = [5, 6]
    for _ in range(6):
        free = [row for row in range(len(pool)) if row not in chosen]
        chosen.append(max(free, key=lambda row: min(np.linalg.norm(pool.places[row] - pool.places[one]) for one in chosen)))
    asked = registry.part("strategy", "k-centre").ask(pool, labels(truth, [5, 6]), None, 6)
    assert asked.tolist() == chosen[2:]


def test_margins_are_those_of_plain_python() -> None:
    pool, _ = blobs()
    given = likely(pool)
    np.testing.assert_allclose(margins(given), [sorted(row)[-1] - sorted(row)[-2] for row in given.tolist()], atol=1e-6)
    assert margins(np.ones((4, 1), dtype=np.float32)).tolist() == [1, 1, 1, 1]
    asked = registry.part("strategy", "margin").ask(pool, labels(blobs()[1], []), given, 5)
    assert asked.tolist() == np.argsort(margins(given))[:5].tolist()


@pytest.mark.parametrize("query", get_args(Query))
def test_strategies_of_the_library_are_those_of_the_library(query: str) -> None:
    library = pytest.importorskip("skactiveml.pool", reason="the extra [active] is not installed")
    pool, truth = blobs()
    known = np.full(len(pool), np.nan)
    known[[0, 50]] = truth[[0, 50]]
    expected = getattr(library, query)(random_state=3).query(X=pool.places, y=known, batch_size=6)
    asked = registry.part("strategy", f"active(query={query})").ask(pool, labels(truth, [0, 50]), None, 6, seed=3)
    assert asked.tolist() == expected.tolist()
    if query == "CoreSet":
        assert registry.part("strategy", "k-centre").ask(pool, labels(truth, [0, 50]), None, 6).tolist() == asked.tolist()


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skactiveml", None)
    pool, truth = blobs()
    with pytest.raises(MissingError, match=r"python -m pip install 'textanchor\[active\]'"):
        registry.part("strategy", "active").ask(pool, labels(truth, []), None, 2)
    with pytest.raises(InputError, match="query=Nonsense"):
        registry.part("strategy", "active(query=Nonsense)")


def test_margin_needs_proposals() -> None:
    pool, truth = blobs()
    with pytest.raises(InputError, match="expected the probabilities of a proposer"):
        registry.part("strategy", "margin").ask(pool, labels(truth, []), None, 3)


def test_doubts_count_when_the_classes_are_covered() -> None:
    pool, truth = blobs()
    strategy, sure = registry.part("strategy", "spread-then-margin"), np.eye(3, dtype=np.float32)[truth]
    sure[41:44] = [0.0, 0.5, 0.5]  # what is asked then is near these three
    before, after = labels(truth, [0, 40]), labels(truth, [0, 40, 70])
    plain = registry.part("strategy", "covering").ask(pool, before, None, 5, seed=2)
    np.testing.assert_array_equal(strategy.ask(pool, before, sure, 5, seed=2), plain)
    assert set(strategy.ask(pool, after, sure, 3, seed=2)) == {41, 42, 43}
    unlike = registry.part("strategy", "covering").ask(pool, after, None, 3, seed=2)
    np.testing.assert_array_equal(strategy.ask(pool, after, None, 3, seed=2), unlike)


def test_classes_that_may_be_nowhere_are_not_waited_for() -> None:
    pool, one_class = pool_of(np.eye(24), 3), np.zeros(24, dtype=int)
    assert not covered(pool, labels(one_class, list(range(8))))
    assert covered(pool, labels(one_class, list(range(9))))
    assert covered(pool, labels(np.arange(3), [0, 1, 2]))


def test_once_passes_over_what_is_as_near_as_said() -> None:
    angles = np.arccos(NEAR) * np.array([0, 0.9, 1.8, 1.95, 3.5])
    pool = pool_of(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert once(pool, labels(np.zeros(5, int), []), np.arange(5), 5).tolist() == [0, 2, 4]
    assert once(pool, labels(np.zeros(5, int), [1]), np.arange(5), 5).tolist() == [3, 4]


def test_the_number_of_clusters_grows_in_steps() -> None:
    steps = sorted({rounded(count) for count in range(1, 200)})
    assert steps[:8] == [1, 2, 3, 4, 5, 6, 8, 10]
    assert all(rounded(count) >= count for count in range(1, 200))
    assert max(later / earlier for earlier, later in itertools.pairwise(steps[4:])) < 1.4


def test_items_without_features_have_a_place_of_their_own() -> None:
    pool, truth = blobs()
    values = pool.features[0].values.copy()
    values[:3] = 0
    lacking = replace(pool, features=(replace(pool.features[0], values=values), pool.features[0]))
    assert lacking.places.shape == (80, 48)
    np.testing.assert_allclose(np.linalg.norm(lacking.places, axis=1), 1, atol=1e-5)
    for name in ("random", "covering", "typical", "k-centre", "margin", "spread-then-margin"):
        assert len(registry.part("strategy", name).ask(lacking, labels(truth, []), likely(lacking), 80)) == 80


def test_clusters_are_made_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes the time; how much it is among 100,000 items, the benchmark says."""
    pool, truth = blobs((60, 60, 60))
    made: list[int] = []
    monkeypatch.setattr(clusters, "clustered", lambda *given, **more: (made.append(given[1]), clustered(*given, **more))[1])
    strategy = registry.part("strategy", "typical")
    first = strategy.ask(pool, labels(truth, []), None, 40)
    for known in (0, 20, 37, 40):
        strategy.ask(pool, labels(truth, first[:known].tolist()), None, 40 - known)
    assert made == [rounded(40)], "labels alone need no new ones"
    strategy.ask(pool, labels(truth, first.tolist()), None, 40)
    assert made == [rounded(40), rounded(80)]
    strategy.ask(replace(pool), labels(truth, []), None, 80)
    assert len(made) == 3, "another pool does"


def test_many_items_are_clustered_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "FITTED", 100)
    pool, truth = blobs((200, 150, 100))
    asked = registry.part("strategy", "typical").ask(pool, labels(truth, []), None, 3)
    assert set(truth[asked]) == {0, 1, 2}
