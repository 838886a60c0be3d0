"""Proposers, and how one of them is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.choosing import choose, fold_of, out_of_fold
from textanchor.labelling.pool import Features, Labelled, Pool
from textanchor.labelling.proposers import Proposer
from textanchor.labelling.proposers.class_means import Sums, posterior_means, trust
from textanchor.labelling.proposers.kernel_ridge import gaussian, left_out

NAMES = registry.names("proposer")


def pool_of(values: np.ndarray, classes: int, **more: object) -> Pool:
    sight = Features(name="image", values=values.astype(np.float32), present=np.ones(len(values), dtype=bool))
    rows = np.arange(len(values))
    return replace(Pool(features=(sight,), classes=tuple("abcdefghijkl"[:classes]), groups=rows, contents=rows), **more)


def blobs(classes: int = 4, each: int = 30, noise: float = 0.15, seed: int = 0) -> tuple[Pool, np.ndarray]:
    """Clouds in directions of their own, one a class, with names that lie as the clouds do."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(classes), each)
    centres = rng.normal(size=(classes, 16)) / 4
    texts = (centres @ rng.normal(size=(16, 24))).astype(np.float32)
    values = centres[truth] + noise * rng.normal(size=(len(truth), 16))
    by_names = np.full((len(truth), classes), 0.2 / (classes - 1), dtype=np.float32)
    by_names[np.arange(len(truth)), truth] = 0.8
    return pool_of(values, classes, texts=texts, by_names=by_names), truth


def labels(truth: np.ndarray, rows: np.ndarray | list[int]) -> Labelled:
    rows = np.asarray(rows, dtype=np.int64)
    return Labelled(rows=rows, classes=truth[rows], drawn=np.ones(len(rows), dtype=bool))


def sound(found: np.ndarray, pool: Pool) -> None:
    assert found.shape == (len(pool), len(pool.classes))
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str) -> None:
    pool, truth = blobs()
    proposer = registry.part("proposer", name)
    assert isinstance(proposer, Proposer)
    assert proposer.name == name
    known = labels(truth, np.random.default_rng(1).permutation(len(truth))[:24])
    found = proposer.propose(pool, known, seed=3)
    sound(found, pool)
    np.testing.assert_array_equal(found, registry.part("proposer", name).propose(pool, known, seed=3))
    rest = np.setdiff1d(np.arange(len(truth)), known.rows)
    assert (found.argmax(axis=1) == truth)[rest].mean() > 0.8, "clouds are told apart"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [[], [5], [0, 1, 2], [0, 40], [0, 30, 60, 90]], ids=str)
def test_few_labels_are_no_crash(name: str, rows: list[int]) -> None:
    pool, truth = blobs()
    bare = replace(pool, texts=None, by_names=None)
    for given in (pool, bare, replace(bare, features=(replace(bare.features[0], values=0 * bare.features[0].values),))):
        sound(registry.part("proposer", name).propose(given, labels(truth, rows)), given)


@pytest.mark.parametrize("name", NAMES)
def test_odd_pools_are_no_crash(name: str) -> None:
    """Equal items, a class alone, more classes than items, names that are all alike, items that are partly nan by name."""
    pool, truth = blobs()
    proposer = registry.part("proposer", name)
    known = labels(truth, np.arange(0, len(truth), 5))
    twice = pool.taken(np.repeat(np.arange(len(truth)), 2))
    sound(proposer.propose(twice, labels(np.repeat(truth, 2), np.arange(0, 240, 3))), twice)
    alone = pool_of(pool.features[0].values, 1, texts=pool.texts[:1])
    sound(proposer.propose(alone, labels(0 * truth, [1, 2, 3])), alone)
    many = pool_of(pool.features[0].values[::12], 12)
    sound(proposer.propose(many, labels(np.arange(10), [0, 3])), many)
    alike = replace(pool, texts=np.ones_like(pool.texts))
    sound(proposer.propose(alike, known), alike)
    names = np.full((len(pool), 4), 0.25, dtype=np.float32)
    names[::2] = np.nan
    sound(proposer.propose(replace(pool, by_names=names), known), pool)


@pytest.mark.parametrize("name", NAMES)
def test_an_item_that_lacks_a_sight_is_judged_by_the_others(name: str) -> None:
    pool, truth = blobs(noise=0.05)
    image, sound_of = pool.features[0], replace(pool.features[0], name="audio")
    lost, both, blind = np.zeros(len(pool), bool), np.zeros(len(pool), bool), np.zeros(len(pool), bool)
    lost[1::3], both[2::3], blind[7] = True, True, True
    image = replace(image, present=~(lost | blind), values=np.where((lost | blind)[:, None], 0, image.values))
    sound_of = replace(sound_of, present=~(both | blind), values=np.where((both | blind)[:, None], 0, sound_of.values))
    seen = replace(pool, features=(image, sound_of))
    known = labels(truth, np.random.default_rng(1).permutation(len(truth))[:60])
    found = registry.part("proposer", name).propose(seen, known)
    sound(found, seen)
    rest = np.setdiff1d(np.arange(len(truth)), [*known.rows, 7])
    assert (found.argmax(axis=1) == truth)[rest].mean() > 0.8


@pytest.mark.parametrize("name", ["em", "name-shots"])
def test_names_lead_to_a_class_without_a_label(name: str) -> None:
    pool, truth = blobs(classes=8, noise=0.05)
    seen = np.flatnonzero(truth != 3)
    known = labels(truth, seen[np.random.default_rng(0).permutation(len(seen))[:70]])
    proposer = registry.part("proposer", name)
    for named in (replace(pool, texts=None), replace(pool, by_names=None)):
        assert (proposer.propose(named, known)[truth == 3].argmax(axis=1) == 3).mean() > 0.6
    without = proposer.propose(replace(pool, texts=None, by_names=None), known)
    assert (without[:, 3] < 1e-9).all(), "no name, no label, no proposal"


def test_names_count_as_far_as_labels_bear_them_out() -> None:
    """Against the integral as a sum; names that are no better than chance give way to labels."""
    rng = np.random.default_rng(0)
    for hits, count, classes in (
        (0, 0, 4),
        (1, 1, 4),
        (0, 1, 4),
        (1, 10, 10),
        (0, 10, 10),
        (3, 10, 10),
        (2, 20, 10),
        (2, 40, 2),
    ):
        truth = rng.integers(classes, size=count)
        said = np.eye(classes, dtype=np.float32)[(truth + (np.arange(count) >= hits)) % classes]
        said = np.vstack([said, np.full((1, classes), np.nan, dtype=np.float32)])  # of which names know nothing
        rates = 1 / classes + (1 - 1 / classes) * (np.arange(100_000) + 0.5) / 100_000
        above = np.mean(rates**hits * (1 - rates) ** (count - hits))
        expected = min(1.0, above * classes**hits / (1 - 1 / classes) ** (count - hits))
        assert trust(said, np.append(truth, 0)) == pytest.approx(expected, rel=1e-3)
    assert trust(np.eye(4, dtype=np.float32)[np.zeros(9000, int)], np.ones(9000, int)) == 0


def test_names_that_mislead_give_way() -> None:
    pool, truth = blobs(classes=8, noise=0.2)
    wrong = replace(pool, texts=None, by_names=pool.by_names[:, np.roll(np.arange(8), 1)])
    known = labels(truth, np.concatenate([np.flatnonzero(truth == one)[:2] for one in range(8)]))
    found, bare = (
        registry.part("proposer", "name-shots").propose(one, known) for one in (wrong, replace(wrong, by_names=None))
    )
    rest = np.setdiff1d(np.arange(len(truth)), known.rows)
    with_names, without = ((one.argmax(axis=1) == truth)[rest].mean() for one in (found, bare))
    assert with_names > without - 0.02


def test_posterior_means_are_those_of_a_gaussian_process_over_items() -> None:
    rng = np.random.default_rng(0)
    item_class = np.array([0, 0, 1, 3, 3, 3])
    root = rng.normal(size=(5, 5))
    covariance, values = root @ root.T, rng.normal(size=(6, 2))
    member = np.eye(5)[item_class]
    expected = covariance @ member.T @ np.linalg.inv(member @ covariance @ member.T + 0.7 * np.eye(6)) @ values
    np.testing.assert_allclose(posterior_means(Sums.of(values, member), covariance, 0.7), expected, atol=1e-9)


def test_left_out_is_a_fit_without_the_unit() -> None:
    rng = np.random.default_rng(0)
    values, units = rng.normal(size=(12, 3)), np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 0])
    targets, penalty = np.eye(3)[rng.integers(3, size=12)], 0.3
    kernel = gaussian(values, values, 1.5)
    spread, left = np.linalg.eigh(kernel)
    found = left_out(left, spread / (spread + penalty), targets, units)
    for row in range(12):
        others = np.flatnonzero(units != units[row])
        weights = np.linalg.solve(kernel[np.ix_(others, others)] + penalty * np.eye(len(others)), targets[others])
        np.testing.assert_allclose(found[row], kernel[row, others] @ weights, atol=1e-6)


def test_out_of_fold_sees_no_label_of_the_units_own() -> None:
    pool, truth = blobs()
    grouped = replace(pool, groups=np.arange(len(truth)) // 3)
    known = labels(truth, np.arange(0, len(truth), 2))
    told: list[tuple[np.ndarray, np.ndarray]] = []

    class Spy:
        name = "spy"

        def propose(self, pool: Pool, labelled: Labelled, *, seed: int = 0) -> np.ndarray:
            found = np.zeros((len(pool), 4), dtype=np.float32)
            found[:, 0] = 1
            told.append((pool.units[labelled.rows], labelled.rows))
            return found

    found = out_of_fold(Spy(), grouped, known)
    assert found.shape == (60, 4)
    assert len(told) == 10
    for units, rows in told:
        held = np.setdiff1d(known.rows, rows)
        assert not np.isin(grouped.groups[held], units).any()
    assert sum(60 - len(rows) for _, rows in told) == 60


def test_folds_hold_about_as_many_items() -> None:
    units = np.repeat(np.arange(15), np.arange(1, 16))
    fold = fold_of(units, 5, 0)
    assert set(np.bincount(fold)) <= set(range(22, 27))
    assert all(len(set(fold[units == one])) == 1 for one in range(15))
    with pytest.raises(InputError, match="1 folds"):
        fold_of(units, 1, 0)


def test_the_best_out_of_fold_is_chosen_and_the_table_tells_of_all() -> None:
    pool, truth = blobs(classes=8, each=20)
    known = labels(truth, np.random.default_rng(0).permutation(len(truth))[:12])
    chosen = choose(pool, known)
    assert chosen.name == "em"
    assert [row.accuracy for row in chosen.table] == sorted((row.accuracy for row in chosen.table), reverse=True)
    np.testing.assert_array_equal(chosen.out_of_fold, out_of_fold(chosen.proposer, pool, known))
    assert chosen.accuracy == (chosen.out_of_fold.argmax(axis=1) == known.classes).mean()
    assert choose(pool, known, names=("logistic",)).name == "logistic"


def test_one_label_a_class_leaves_the_choice_to_what_needs_fewest() -> None:
    pool, truth = blobs(classes=8, each=20)
    known = labels(truth, np.arange(0, 160, 20))
    chosen = choose(replace(pool, texts=None, by_names=None), known)
    assert {row.accuracy for row in chosen.table} == {0.0}, "a fold lacks the class of what it judges"
    assert chosen.name == "em"
    assert choose(replace(pool, texts=None, by_names=None), known, names=("logistic", "kernel-ridge")).name != "em"


def test_choosing_from_one_label_and_from_none() -> None:
    pool, truth = blobs()
    assert choose(pool, labels(truth, [3])).out_of_fold.shape == (1, 4)
    with pytest.raises(InputError, match="label some"):
        choose(pool, labels(truth, []))


def test_many_items_are_chosen_among_as_few_are() -> None:
    pool, truth = blobs(each=4000)
    known = labels(truth, np.random.default_rng(0).permutation(len(truth))[:20])
    chosen = choose(pool, known, names=("em",))
    assert chosen.accuracy > 0.8
    sound(chosen.proposer.propose(pool, known), pool)
