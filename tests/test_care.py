"""Care for the labels."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import cohen_kappa_score, f1_score, roc_auc_score
from sklearn.preprocessing import normalize

from textanchor import registry
from textanchor.errors import InputError, MissingError
from textanchor.labelling.care import (
    ManyLabelled,
    Vocabulary,
    agreement,
    discover,
    lint_classes,
    repeated,
    several,
    suspects,
    unknowns,
)
from textanchor.labelling.care.agreement import alphas, fleiss, kappas
from textanchor.labelling.care.discovering import best_threshold, called, cut
from textanchor.labelling.choosing import out_of_fold
from textanchor.labelling.features import half_whitened
from textanchor.labelling.guarantee import Promise
from textanchor.labelling.pool import Labelled, Pool


def digits(count: int = 600) -> tuple[Pool, np.ndarray]:
    """scikit-learn's, small and real."""
    given = load_digits()
    own = np.arange(count)
    features = (half_whitened("image", given.data[:count].astype(np.float32)),)
    return Pool(features=features, classes=tuple("0123456789"), groups=own, contents=own), given.target[:count]


def labels(truth: np.ndarray, rows: np.ndarray) -> Labelled:
    return Labelled(rows=rows, classes=truth[rows], drawn=np.ones(len(rows), dtype=bool))


# --- wrong labels


@pytest.mark.parametrize("by", ["self-confidence", "cleanlab"])
def test_wrong_labels_are_among_the_first(by: str) -> None:
    if by == "cleanlab":
        pytest.importorskip("cleanlab", reason="the extra [care] is not installed")
    pool, truth = digits()
    rng = np.random.default_rng(0)
    wrong = rng.permutation(len(pool))[:30]
    told = truth.copy()
    told[wrong] = (truth[wrong] + rng.integers(1, 10, size=30)) % 10
    known = labels(told, np.arange(len(pool)))
    unseen = out_of_fold(registry.part("proposer", "kernel-ridge"), pool, known, folds=5)
    found = suspects(unseen, known, by=by)  # type: ignore[arg-type]
    first = found.first(0.1)
    assert len(first) == 60
    assert np.isin(wrong, first).mean() > 0.9
    assert sorted(found.rows) == list(range(len(pool)))
    np.testing.assert_array_equal(found.given, told[found.rows])
    assert (found.instead[:30] == truth[found.rows[:30]]).mean() > 0.8


def test_self_confidence_is_the_probability_of_the_label() -> None:
    given = np.array([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5]], dtype=np.float32)
    known = Labelled(rows=np.array([4, 9, 2]), classes=np.array([1, 1, 0]), drawn=np.ones(3, dtype=bool))
    found = suspects(given, known)
    assert found.rows.tolist() == [4, 2, 9]
    np.testing.assert_allclose(found.confidence, [0.3, 0.5, 0.8])
    assert found.instead.tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="2 rows of probabilities for 3 labels; expected one a label"):
        suspects(given[:2], known)


def test_without_cleanlab_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.rank", None)
    known = labels(np.zeros(3, dtype=int), np.arange(3))
    with pytest.raises(MissingError, match=r"python -m pip install 'textanchor\[care\]'"):
        suspects(np.ones((3, 1), dtype=np.float32), known, by="cleanlab")


# --- none of these


def left_out(seed: int = 0) -> tuple[Pool, np.ndarray, Labelled, np.ndarray]:
    """A fifth of the digits is labelled, but none of two kinds."""
    pool, truth = digits(900)
    rows = np.sort(np.random.default_rng(seed).permutation(900)[:180])
    return pool, truth, labels(truth, rows[~np.isin(truth[rows], [3, 7])]), np.isin(truth, [3, 7])


def test_what_is_of_no_class_looks_strange() -> None:
    pool, _, known, new = left_out()
    found = unknowns(pool, known)
    rest = np.setdiff1d(np.arange(len(pool)), known.rows)
    assert roc_auc_score(new[rest], found.strangeness[rest]) > 0.95
    assert (found.p[known.rows] == 1).all()
    flagged = found.rows(0.05)
    assert (found.p[flagged] <= 0.05).all()
    assert (np.diff(found.strangeness[flagged]) <= 0).all()
    assert new[flagged].mean() > 0.7


def test_of_known_classes_no_more_are_strange_than_said() -> None:
    shares = []
    for seed in range(8):
        pool, _, known, new = left_out(seed)
        rest = np.setdiff1d(np.flatnonzero(~new), known.rows)
        shares.append([(unknowns(pool, known).p[rest] <= level).mean() for level in (0.05, 0.2)])
    mean, error = np.mean(shares, axis=0), np.std(shares, axis=0) / np.sqrt(len(shares))
    assert (mean <= np.array([0.05, 0.2]) + 3 * error).all(), mean
    assert mean[1] > 0.1, "nor is it all swallowed"


def test_strangeness_is_that_of_plain_python() -> None:
    pool, truth = digits(40)
    pool = replace(pool, contents=np.arange(40) // 2)
    known = Labelled(rows=np.arange(0, 20), classes=truth[:20], drawn=np.arange(20) < 10)
    places = pool.places.astype(float)

    def strangeness(row: int, others: list[int]) -> float:
        near = sorted((one for one in range(40) if one != row), key=lambda one: -float(places[row] @ places[one]))[:5]
        alike = {one: max(float(places[one] @ places[other]) for other in others) for one in (row, *near)}
        return -(alike[row] + sum(alike[one] for one in near) / 5) / 2

    own = [strangeness(row, [other for other in range(20) if other // 2 != row // 2]) for row in range(10)]
    found = unknowns(pool, known)
    for row in range(20, 40):
        expected = strangeness(row, list(range(20)))
        assert found.strangeness[row] == pytest.approx(expected, abs=1e-5)
        assert found.p[row] == pytest.approx((1 + sum(one >= expected - 1e-6 for one in own)) / 11)


def test_strangeness_needs_drawn_labels() -> None:
    pool, truth = digits(40)
    chosen = Labelled(rows=np.arange(20), classes=truth[:20], drawn=np.zeros(20, dtype=bool))
    with pytest.raises(InputError, match="no label was drawn at random"):
        unknowns(pool, chosen)


# --- new classes


def test_left_out_classes_are_found_again() -> None:
    pool, truth, known, _ = left_out()
    found = discover(pool, known, unknowns(pool, known))
    kinds = [np.bincount(truth[one.rows], minlength=10) for one in found]
    assert {int(kind.argmax()) for kind in kinds[:4] if kind.max() / kind.sum() > 0.7} >= {3, 7}
    sizes = [len(one.rows) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 3
    assert not np.isin(np.concatenate([one.rows for one in found]), known.rows).any()
    middle = normalize(pool.places[found[0].rows].mean(axis=0, keepdims=True))[0]
    alike = pool.places[found[0].rows] @ middle
    assert (np.diff(alike) <= 1e-6).all(), "the most central first"
    assert found[0].alike == pytest.approx(alike.mean(), abs=1e-5)
    assert found[0].names == ()


def test_they_are_called_by_the_nearest_text_that_is_no_class_yet() -> None:
    pool, truth, known, _ = left_out()
    rng = np.random.default_rng(1)
    texts = (*(f"digit {number}" for number in range(10)), "nothing", "something")
    own = rng.normal(size=(12, 32)).astype(np.float32)
    items = (own[truth] + 0.3 * rng.normal(size=(len(pool), 32)) + 2).astype(np.float32)
    found = discover(pool, known, unknowns(pool, known), vectors=items, vocabulary=Vocabulary(texts=texts, vectors=own))
    for one in found[:2]:
        assert one.names[0][0] == f"digit {np.bincount(truth[one.rows]).argmax()}"
        assert len(one.names) == 3
        scores = [score for _, score in one.names]
        assert scores == sorted(scores, reverse=True)
    named = called(np.flatnonzero(truth == 3), items, Vocabulary(texts=texts, vectors=own), ["DIGIT 3"])
    assert "digit 3" not in [text for text, _ in named], "it is a class already"
    with pytest.raises(InputError, match="give both or none"):
        discover(pool, known, unknowns(pool, known), vectors=items)


def test_the_threshold_is_that_of_the_highest_f1() -> None:
    rng = np.random.default_rng(0)
    for levels in (5, 1000):
        scores = (rng.integers(levels, size=200) / levels).astype(np.float32)
        right = rng.random(200) < scores
        values = {float(one): f1_score(right, scores >= one) for one in np.unique(scores)}
        best = best_threshold(scores, right)
        assert values[best] == pytest.approx(max(values.values()))
    pool, truth = digits(40)
    with pytest.raises(InputError, match="no two of 1 labelled items are of one class"):
        cut(pool, labels(truth, np.array([0])))


def test_nothing_strange_is_nothing_new() -> None:
    pool, truth = digits(60)
    known = labels(truth, np.arange(60))
    assert discover(pool, known, unknowns(pool, known)) == ()


# --- several classes


def pairs_of_digits(count: int = 900, seed: int = 0) -> tuple[Pool, np.ndarray]:
    """Two digits side by side; which of the digits 0 to 4 are among them."""
    given = load_digits()
    two = np.random.default_rng(seed).integers(len(given.data), size=(count, 2))
    features = (half_whitened("image", np.concatenate(given.data[two].transpose(1, 0, 2), axis=1).astype(np.float32)),)
    has = (given.target[two][:, :, None] == np.arange(5)).any(axis=1)
    own = np.arange(count)
    return Pool(features=features, classes=tuple("01234"), groups=own, contents=own), has


def test_each_class_keeps_its_promise_by_itself() -> None:
    pool, has = pairs_of_digits()
    shares, errors = [], []
    for seed in range(4):
        rows = np.random.default_rng(seed).permutation(900)[:300]
        known = ManyLabelled(rows=rows, has=has[rows], drawn=np.ones(300, dtype=bool))
        found = several(pool, known, Promise(level=0.1, seed=seed))
        for one, decision in enumerate(found.decisions):
            assert decision is not None
            right = has[found.rest, one]
            errors.append((~right[decision.accepted]).mean() if decision.accepted.any() else 0.0)
            shares.append((decision.accepted & right).sum() / right.sum())
    assert np.mean(errors) < 0.1 + 3 * np.std(errors) / np.sqrt(len(errors))
    assert np.mean(shares) > 0.3
    rest = found.rest
    assert f1_score(has[rest], found.proposed[rest], average="macro") > 0.75


def test_of_rare_classes_nothing_is_said() -> None:
    pool, has = pairs_of_digits(200)
    has[:, 0], has[:, 1], has[:, 2] = False, True, False
    has[:2, 2] = True
    known = ManyLabelled(rows=np.arange(100), has=has[:100], drawn=np.ones(100, dtype=bool))
    found = several(pool, known, Promise())
    assert [one is None for one in found.decisions] == [True, True, True, False, False]
    assert np.isnan(found.thresholds[:3]).all()
    assert not found.proposed[:, :3].any()
    assert (found.probabilities[:, 0] == 0).all()
    with pytest.raises(InputError, match="labels of 4 classes for a pool of 5"):
        several(pool, replace(known, has=known.has[:, :4]), Promise())


# --- agreement


def rated(seed: int = 0, people: int = 3, missing: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=(60, 1))
    said = np.where(rng.random((60, people)) < 0.7, truth, rng.integers(4, size=(60, people)))
    return np.where(rng.random((60, people)) < missing, -1, said)


def alpha_by_hand(ratings: np.ndarray) -> float:
    """Over all pairs of labels of one item, and over all pairs of labels at all."""
    items = [[int(one) for one in row if one != -1] for row in ratings]
    items = [row for row in items if len(row) > 1]
    seen = [
        (1 / (len(row) - 1), row[one] != row[other])
        for row in items
        for one in range(len(row))
        for other in range(len(row))
        if one != other
    ]
    every = [one for row in items for one in row]
    observed = sum(weight * differ for weight, differ in seen) / len(every)
    apart = sum(every[one] != every[other] for one in range(len(every)) for other in range(len(every)) if one != other)
    return 1 - observed / (apart / (len(every) * (len(every) - 1)))


def test_alpha_is_that_of_plain_python_and_of_its_author() -> None:
    for seed in range(3):
        ratings = rated(seed)
        assert agreement(ratings, ("a", "b", "c")).alpha.value == pytest.approx(alpha_by_hand(ratings))
    reliability = np.array(  # Krippendorff 2011, section C: .743
        [
            [0, 1, 2, 2, 1, 0, 3, 0, 1, -1, -1, -1],
            [0, 1, 2, 2, 1, 1, 3, 0, 1, 4, -1, 2],
            [-1, 2, 2, 2, 1, 2, 3, 1, 1, 4, 0, -1],
            [0, 1, 2, 2, 1, 3, 3, 0, 1, 4, 0, -1],
        ]
    ).T
    assert agreement(reliability, tuple("abcd")).alpha.value == pytest.approx(0.743, abs=5e-4)


def test_fleiss_is_that_of_his_paper() -> None:
    counts = np.array(  # the example of Wikipedia's article on Fleiss' kappa: .210
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ],
        dtype=float,
    )  # fmt: skip
    assert fleiss(counts, np.ones((1, 10)))[0] == pytest.approx(0.210, abs=5e-4)
    told = agreement(rated(missing=0.0), ("a", "b", "c"))
    assert told.fleiss.value == pytest.approx(told.alpha.value, abs=0.01)
    assert agreement(rated(), ("a", "b", "c")).fleiss.value is None, "people labelled unlike numbers of items"


def test_kappa_is_that_of_scikit_learn() -> None:
    ratings = rated()
    told = agreement(ratings, ("ann", "bob", "cem"))
    assert [one.people for one in told.couples] == [("ann", "bob"), ("ann", "cem"), ("bob", "cem")]
    both = ratings[(ratings[:, [0, 2]] != -1).all(axis=1)][:, [0, 2]]
    couple = told.couples[1]
    assert couple.items == len(both)
    assert couple.share == pytest.approx((both[:, 0] == both[:, 1]).mean())
    assert couple.kappa.value == pytest.approx(cohen_kappa_score(both[:, 0], both[:, 1]))
    assert couple.kappa.interval is not None
    assert couple.kappa.interval[0] < couple.kappa.value < couple.kappa.interval[1]


@pytest.mark.parametrize("coefficient", [alphas, fleiss, kappas])
def test_an_item_that_counts_twice_is_there_twice(coefficient: object) -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(3, [0.5, 0.3, 0.2], size=20).astype(float)
    if coefficient is kappas:
        counts = np.concatenate([np.eye(3)[rng.integers(3, size=20)], np.eye(3)[rng.integers(3, size=20)]], axis=1)
    weights = rng.integers(0, 3, size=(1, 20)).astype(float)
    repeats = np.repeat(counts, weights[0].astype(int), axis=0)
    expected = coefficient(repeats, np.ones((1, len(repeats))))  # type: ignore[operator]
    np.testing.assert_allclose(coefficient(counts, weights), expected)  # type: ignore[operator]


def test_intervals_cover() -> None:
    """Of many draws of items nearly all intervals hold what very many items say."""
    truth = agreement(np.concatenate([rated(seed) for seed in range(1000, 1100)]), tuple("abc")).alpha.value
    assert truth is not None
    ends = [agreement(rated(seed), tuple("abc"), seed=seed).alpha.interval for seed in range(60)]
    assert np.mean([end is not None and end[0] <= truth <= end[1] for end in ends]) > 0.85


def test_agreement_that_says_nothing_says_so() -> None:
    alone = np.array([[0, -1], [-1, 1], [2, -1]])
    told = agreement(alone, ("a", "b"))
    assert (told.items, told.alpha.value, told.couples) == (0, None, ())
    same = np.zeros((5, 2), dtype=int)
    assert agreement(same, ("a", "b")).alpha.value is None, "one class only: no chance to disagree"
    assert agreement(same, ("a", "b")).couples[0].share == 1
    with pytest.raises(InputError, match="ratings by 2 people and 3 names"):
        agreement(same, ("a", "b", "c"))


def test_a_person_against_himself() -> None:
    first, again = np.array([0, 1, 2, 2, 1, 0]), np.array([0, 1, 2, 1, 1, -1])
    told = repeated(first, again, "ann")
    assert told is not None
    assert (told.people, told.items, told.share) == (("ann", "ann"), 5, 0.8)
    assert told.interval[0] < 0.8 < told.interval[1] < 1
    assert repeated(first, np.full(6, -1), "ann") is None


# --- class texts


@pytest.mark.parametrize(
    ("text", "problem", "proposal"),
    [
        ("cls_03", "is a key", ""),
        ("class 7", "is a key", ""),
        ("Label12", "is a key", ""),
        ("n02084071", "is a WordNet id", ""),
        ("washing_machine", "is written like a name of a file", "washing machine"),
        ("car.horn", "is written like a name of a file", "car horn"),
        ("food/fruit", "is written like a name of a file", "food fruit"),
        ("GlassBreaking", "is written like a name of a file", "Glass Breaking"),
        ("CRYING BABY", "is written like a name of a file", "crying baby"),
        ("a", "is a single letter", ""),
        ("3", "is a number", "three"),
        ("415", "is a number", ""),
        ("B12", "is a code", ""),
        ("x7b", "is a code", ""),
        ("dog 2", "ends in a number", "dog"),
        ("scratch no. 4", "ends in a number", "scratch"),
        ("  ", "is empty", ""),
        ("two  blanks", "is written like a name of a file", "two blanks"),
    ],
)
def test_texts_that_say_little(text: str, problem: str, proposal: str) -> None:
    (remark,) = lint_classes([text])
    assert remark.problem.startswith(problem)
    assert (remark.text, remark.proposal) == (text, proposal)


def test_good_texts_pass() -> None:
    texts = [
        "dog",
        "washing machine",
        "a photo of a cat",
        "MRI",
        "rock'n'roll",
        "café",
        "Katze",
        "犬",
        "two dogs",
        "L-shaped part",
    ]
    assert lint_classes(texts) == ()


def test_doubles_are_named() -> None:
    told = lint_classes(["dog", "Dog", "crying baby", "crying_baby", "cat", "T-shirt", "t shirt"])
    assert [(one.text, one.problem) for one in told if "the same" in one.problem] == [
        ("Dog", "says the same as 'dog'; merge the two or say what sets them apart"),
        ("crying_baby", "says the same as 'crying baby'; merge the two or say what sets them apart"),
        ("t shirt", "says the same as 'T-shirt'; merge the two or say what sets them apart"),
    ]


def test_texts_that_the_anchor_cannot_tell_apart() -> None:
    vectors = np.array([[1, 0, 0], [0.99, 0.1, 0], [0, 1, 0], [0, 0.5, 0.5]], dtype=np.float32)
    told = lint_classes(["rain", "rainfall", "cat", "dog"], vectors)
    assert [(one.text, one.problem) for one in told] == [
        ("rainfall", "is nearly 'rain' to the anchor (cosine 0.99); say what sets them apart")
    ]
