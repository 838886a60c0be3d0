"""From a pool and labels to what is let through: who teaches, who examines, copies, groups, and how sure proposals are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from textanchor import registry
from textanchor.labelling.features import half_whitened
from textanchor.labelling.guarantee import Promise, let_through
from textanchor.labelling.guarantee.examining import Asked, examined, kept_apart
from textanchor.labelling.guarantee.promise import Scored
from textanchor.labelling.guarantee.sureness import evidence, standing, telling
from textanchor.labelling.pool import Labelled, Pool


@pytest.fixture(scope="module")
def digits() -> tuple[Pool, np.ndarray]:
    data, truth = load_digits(return_X_y=True)
    data, truth = data[:900].astype(np.float32), truth[:900]
    pool = Pool(
        features=(half_whitened("image", data),),
        classes=tuple("0123456789"),
        groups=np.arange(900),
        contents=np.arange(900),
    )
    return pool, truth


def known(truth: np.ndarray, rows: np.ndarray) -> Labelled:
    return Labelled(rows=rows, classes=truth[rows], drawn=np.ones(len(rows), dtype=bool))


def some(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(900)[:count]


@pytest.mark.parametrize("form", ["average", "confidence", "audit"])
def test_most_digits_are_let_through_and_right(digits: tuple[Pool, np.ndarray], form: str) -> None:
    pool, truth = digits
    told = let_through(pool, known(truth, some(300)), Promise(form=form), proposer=registry.part("proposer", "kernel-ridge"))
    found, through = told.examined, told.decision.accepted
    assert found.proposer == "kernel-ridge"
    assert sorted([*found.rows.tolist(), *some(300).tolist()]) == list(range(900))
    assert len(found.exams) == (138 if form == "confidence" else 300)
    assert through.mean() > 0.7
    assert (found.classes != truth[found.rows])[through].mean() < 0.05
    assert found.calibration.scored == ("held apart" if form == "confidence" else "out of fold")
    assert told.decision.promised == (form != "audit")
    assert len(told.unheard) == 0


def test_labels_that_examine_do_not_teach(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    labels, promise = known(truth, some(200)), Promise(form="confidence")
    proposer = registry.part("proposer", "kernel-ridge")
    told = examined(Asked(pool=pool, labelled=labels, proposer=proposer, scored="held apart"), promise)
    lied = replace(labels, classes=np.where(np.isin(labels.rows, told.exams), 9 - labels.classes, labels.classes))
    again = examined(Asked(pool=pool, labelled=lied, proposer=proposer, scored="held apart"), promise)
    np.testing.assert_array_equal(again.rest.scores, told.rest.scores)
    np.testing.assert_array_equal(again.classes, told.classes)
    np.testing.assert_array_equal(again.calibration.scores, told.calibration.scores)
    assert again.calibration.wrong.mean() > 0.8 > 0.2 > told.calibration.wrong.mean()


def test_a_label_does_not_say_how_sure_its_own_proposal_is(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    labels, proposer = known(truth, some(120)), registry.part("proposer", "kernel-ridge")
    told = examined(Asked(pool=pool, labelled=labels, proposer=proposer), Promise())
    lied = replace(labels, classes=np.where(np.arange(120) == 7, (labels.classes + 1) % 10, labels.classes))
    again = examined(Asked(pool=pool, labelled=lied, proposer=proposer), Promise())
    assert again.said.classes[labels.rows[7]] == told.said.classes[labels.rows[7]]
    assert again.calibration.scores[7] == pytest.approx(told.calibration.scores[7], abs=0.03), "but for the weights"


def test_few_labels_are_halved_and_many_quartered(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    for count, kept in ((60, 30), (200, 100), (276, 138), (400, 138), (800, 200)):
        teaching, exams = kept_apart(pool, known(truth, some(count)), Promise())
        assert len(exams) == kept
        assert sorted([*teaching.rows, *exams.rows]) == sorted(some(count))
    chosen = replace(known(truth, some(200)), drawn=np.arange(200) < 50)
    assert set(kept_apart(pool, chosen, Promise())[1].rows) <= set(some(200)[:50]), "only what was drawn examines"
    grouped = replace(pool, groups=np.arange(900) // 9)
    teaching, exams = kept_apart(grouped, known(truth, some(400)), Promise())
    assert not set(grouped.groups[teaching.rows]) & set(grouped.groups[exams.rows])


def test_a_copy_takes_the_label_and_none_of_the_classes_counts_as_wrong(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    contents = np.arange(900)
    contents[some(300)[:100]] = contents[some(300)[100:200]]  # a hundred pairs of equal content, of which one is labelled
    pool, rows = replace(pool, contents=contents), some(300)[100:]
    odd = known(truth, rows)
    odd = replace(odd, classes=np.where(np.arange(200) % 10 == 9, -1, (odd.classes + 3) % 10))
    found = let_through(pool, odd, Promise(), proposer=registry.part("proposer", "kernel-ridge")).examined
    label = dict(zip(contents[rows].tolist(), odd.classes.tolist(), strict=True))
    assert set(found.copies) == {row for row in some(300)[:100].tolist() if label[contents[row]] >= 0}
    assert found.copied.tolist() == [label[contents[row]] for row in found.copies.tolist()]
    assert not set(found.copies) & set(found.rows), "no promise is needed, nor made better by them"
    assert found.calibration.wrong[odd.classes[np.isin(rows, found.exams)] == -1].all()


def test_groups_without_a_label_are_left_out_or_vouched_for_by_many(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    proposer = registry.part("proposer", "kernel-ridge")
    speakers = replace(pool, groups=np.arange(900) // 150)  # six, of which four have labels
    rows = np.random.default_rng(0).permutation(600)[:200]
    told = let_through(speakers, known(truth, rows), Promise(), proposer=proposer)
    assert told.unheard.tolist() == list(range(600, 900))
    assert told.examined.calibration.groups is None
    assert set(told.examined.rows) == set(range(600)) - set(rows)
    sources = replace(pool, groups=np.arange(900) // 5)  # 180, of which 60 are labelled as a whole
    rows = np.flatnonzero(np.isin(sources.groups, np.random.default_rng(0).permutation(180)[:60]))
    told = let_through(sources, known(truth, rows), Promise(), proposer=proposer)
    assert told.examined.calibration.units == 60
    assert len(told.unheard) == 0
    assert told.decision.accepted.any()
    alone = let_through(speakers, known(truth, np.arange(150)), Promise(form="audit"), proposer=proposer)
    assert alone.decision.accepted.any(), "an audit assumes nothing of groups"


@pytest.mark.parametrize("form", ["average", "confidence"])
@pytest.mark.parametrize("scored", ["out of fold", "held apart"])
def test_one_group_with_labels_promises_nothing_of_the_others(
    digits: tuple[Pool, np.ndarray], form: str, scored: Scored
) -> None:
    pool, truth = digits
    speakers = replace(pool, groups=np.arange(900) // 150)
    told = let_through(
        speakers,
        known(truth, np.arange(150)),
        Promise(form=form),
        proposer=registry.part("proposer", "kernel-ridge"),
        scored=scored,
    ).decision
    assert not told.accepted.any()
    assert told.reason.startswith("no promise can be made:")
    assert "groups" in told.reason


def test_labels_that_were_chosen_promise_nothing_and_may_be_audited(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    chosen = replace(known(truth, some(200)), drawn=np.zeros(200, dtype=bool))
    proposer = registry.part("proposer", "kernel-ridge")
    told = let_through(pool, chosen, Promise(), proposer=proposer).decision
    assert not told.accepted.any()
    assert told.reason.startswith("no promise can be made: 0 labels drawn at random are too few")
    assert let_through(pool, chosen, Promise(form="audit"), proposer=proposer).decision.accepted.mean() > 0.3


def test_evidence_and_standing_by_loops(digits: tuple[Pool, np.ndarray]) -> None:
    pool, truth = digits
    labels, rows = known(truth, some(40)), np.arange(860, 880)
    chance = np.random.default_rng(0).dirichlet(np.ones(10), size=20).astype(np.float32)
    classes = chance.argmax(axis=1)
    found = evidence(pool, labels, rows, classes, {"one": chance})
    values = pool.features[0].values / np.linalg.norm(pool.features[0].values, axis=1, keepdims=True)
    for place, row in enumerate(rows):
        own = [
            values[row] @ values[one] for one, label in zip(labels.rows, labels.classes, strict=True) if label == classes[place]
        ]
        other = [
            values[row] @ values[one] for one, label in zip(labels.rows, labels.classes, strict=True) if label != classes[place]
        ]
        near = max(own, default=0.0)
        top = float(chance[place].max())
        assert found[place] == pytest.approx([np.log(top / (1 - top)), near, near - max(other)], abs=1e-4)
    right = np.random.default_rng(1).random(20) < 0.6
    weights = telling(found, right)
    assert weights == pytest.approx([max(0, 2 * roc_auc_score(right, one) - 1) ** 2 for one in found.T])
    assert telling(found, np.ones(20, dtype=bool)).tolist() == [1, 1, 1]
    total = (found / found.std(axis=0)) @ weights
    expected = [np.mean([(one > other) + 0.5 * (one == other) for other in total]) for one in total]
    assert standing(found, found, weights) == pytest.approx(expected)
    assert standing(found, found[:0], weights).tolist() == [0.5] * 20
