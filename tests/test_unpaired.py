"""Items without a text and texts without an item: what may be whose, and closed forms that learn from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from textanchor.aligners import aligner, judged
from textanchor.aligners.selection import score
from textanchor.aligners.unpaired.candidates import candidates
from textanchor.aligners.unpaired.transport import matching, mutual, sinkhorn, softmax
from textanchor.aligners.unpaired.transported import balanced, divergence
from textanchor.errors import InputError, LeakError
from textanchor.projectors import project
from textanchor.records import PairedLatents, Pooled, Task, Unpaired


def captions(items: int, seed: int, *, noise: float = 2.0) -> PairedLatents:
    """A world in which every item has a text of its own about one of 40 topics, and latents are a noisy linear image of it."""
    world = np.random.default_rng(5)
    out, dim = 12, 20
    back, topics = world.normal(size=(out, dim)), world.normal(size=(40, out))
    rng = np.random.default_rng(seed)
    anchors = (topics[rng.integers(40, size=items)] + 0.3 * rng.normal(size=(items, out))).astype(np.float32)
    latents = (anchors @ back + noise * rng.normal(size=(items, dim))).astype(np.float32)
    names = tuple(f"{seed}-{row}" for row in range(items))
    rows = np.arange(items)
    return PairedLatents(
        modality="image",
        items=Pooled(vectors=latents, ids=names, contents=names, fingerprint="made"),
        texts=names,
        anchors=anchors,
        edges=np.stack([rows, rows], axis=1),
        weights=np.ones(items, np.float32),
        groups=names,
    )


def parted(items: PairedLatents, texts: PairedLatents) -> Unpaired:
    """Items of the one table and texts of the other, without their partners."""
    return Unpaired(items=items.items, groups=items.groups, texts=texts.texts, anchors=texts.anchors)


def few(seed: int = 0) -> Task:
    """Twenty pairs, and many items and texts of others."""
    unpaired = parted(captions(600, seed + 50), captions(600, seed + 90))
    return Task(train=captions(20, seed + 1), val=captions(40, seed + 2), unpaired=unpaired)


def test_sinkhorn_is_its_scaling_loop() -> None:
    rng = np.random.default_rng(0)
    scores, shares = rng.normal(size=(5, 7)).astype(np.float32), rng.uniform(0.5, 2, size=7).astype(np.float32)
    plan = sinkhorn(scores, shares, 0.3)
    top = scores.max(axis=0)
    kernel = [[float(np.exp((scores[i, j] - top[j]) / 0.3)) for j in range(7)] for i in range(5)]
    right = [1.0] * 7
    for _ in range(10):
        left = [1 / sum(kernel[i][j] * right[j] for j in range(7)) for i in range(5)]
        right = [shares[j] * 5 / shares.sum() / sum(kernel[i][j] * left[i] for i in range(5)) for j in range(7)]
    slow = np.array([[left[i] * kernel[i][j] * right[j] for j in range(7)] for i in range(5)])
    np.testing.assert_allclose(plan, slow / slow.sum(axis=1, keepdims=True), rtol=1e-4)
    np.testing.assert_allclose(plan.sum(axis=1), 1, rtol=1e-5)


def test_a_cold_plan_is_the_best_assignment_and_no_text_is_a_hub() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(size=(6, 6)).astype(np.float32)
    scores[:, 0] += 5  # everybody's nearest
    shares = np.ones(6, np.float32)
    assert (softmax(scores, shares, 0.02).argmax(axis=1) == 0).all()
    plan = sinkhorn(scores, shares, 0.02)
    for _ in range(30):  # from the logarithm of a plan the iterations go on where they were
        plan = sinkhorn(np.log(np.maximum(plan, 1e-30)), shares, 1.0)
    assert plan.argmax(axis=1).tolist() == linear_sum_assignment(-scores)[1].tolist()


def test_texts_receive_their_shares() -> None:
    scores, shares = np.zeros((40, 4), np.float32), np.array([4, 3, 2, 1], np.float32)
    np.testing.assert_allclose(sinkhorn(scores, shares, 0.1).sum(axis=0), [16, 12, 8, 4], rtol=1e-5)


def test_mutual_neighbours_are_found_by_loops() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(30, 20)).astype(np.float32)
    held = scores - np.array([np.mean(sorted(scores[:, j])[-10:]) for j in range(20)], np.float32) / 2
    plan = mutual(scores, np.ones(20, np.float32), 1.0)
    for i in range(30):
        best = int(np.argmax(held[i]))
        expected = best if int(np.argmax(held[:, best])) == i else None
        assert (np.flatnonzero(plan[i]).tolist() or [None]) == [expected]
    assert 0 < plan.sum() < 30


def test_an_unknown_matching_is_named() -> None:
    with pytest.raises(InputError, match="matching=hungarian: expected sinkhorn, softmax, mutual"):
        matching("hungarian")


@pytest.mark.parametrize("base", ["ridge(alpha=0.3)", "kernel-ridge(alpha=0.3)", "procrustes"])
def test_what_counts_twice_is_what_is_there_twice(base: str) -> None:
    train = captions(40, 1)
    counts = np.where(np.arange(40) < 15, 2, 1).astype(np.float32)
    first = train.take(np.arange(15))
    ids = tuple(f"again {name}" for name in first.items.ids)
    again = replace(first, items=replace(first.items, ids=ids, contents=ids))
    counted = aligner(base).fit(Task(train=replace(train, counts=counts))).projector
    repeated = aligner(base).fit(Task(train=train.joined(again))).projector
    test = captions(20, 2).items.vectors
    np.testing.assert_allclose(project(counted, test), project(repeated, test), atol=2e-3)


def test_counts_go_where_the_items_go() -> None:
    counted = replace(captions(4, 1), counts=np.array([1, 2, 3, 4], np.float32))
    assert counted.take([3, 1]).counts.tolist() == [4, 2]
    assert counted.joined(captions(2, 2)).counts.tolist() == [1, 2, 3, 4, 1, 1]
    assert captions(2, 2).joined(captions(2, 3)).counts is None


def test_soft_pairs_are_better_than_their_pairs_alone() -> None:
    gains = []
    for seed in range(5):
        task, test = replace(few(seed), refit=False), captions(200, seed + 3)
        spec = "soft-pairs(base=ridge(hubness=csls), rounds={})"
        fits = [aligner(spec.format(rounds)).fit(task) for rounds in (0, 2)]
        gains.append(score(fits[1].projector, fits[1].view, test) - score(fits[0].projector, fits[0].view, test))
    assert np.mean(gains) > 0.05, "partners that nobody named are of use"


@pytest.mark.parametrize("name", ["soft-pairs", "mutual-neighbours", "wasserstein-procrustes"])
def test_the_same_fit_comes_again_and_learns_from_unpaired_data(name: str) -> None:
    task, test = few(), captions(20, 3).items.vectors
    fit = aligner(name).fit(task)
    np.testing.assert_array_equal(project(fit.projector, test), project(aligner(name).fit(task).projector, test))
    fixed = aligner(fit.choice.fixed).fit(replace(task, train=task.fitted, val=None))
    np.testing.assert_allclose(project(fixed.projector, test), project(fit.projector, test), atol=1e-4)
    alone = aligner(name).fit(replace(task, unpaired=Unpaired()))
    assert not np.allclose(project(alone.projector, test), project(fit.projector, test))
    assert fit.choice.notes["unpaired items"] == 600
    assert alone.choice.notes["unpaired items"] == 0


def test_with_names_is_a_base_too(toy: Any, toy_named: Any) -> None:
    lone = toy(items=90, seed=8)
    task = Task(train=toy(items=40, seed=1), val=toy(items=40, seed=2), named=toy_named, unpaired=parted(lone, lone), seed=3)
    fit = aligner("soft-pairs").fit(task)
    assert score(fit.projector, fit.view, toy(items=60, seed=4)) > 0.9
    assert aligner("soft-pairs").by_names


def test_another_view_is_taken_only_if_clearly_better(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    for says in (False, True):
        monkeypatch.setattr(judged, "clearly_better", lambda *_, says=says: asked.append(says) or says)
        choice = aligner("soft-pairs(rounds=0)").fit(few()).choice
        assert choice.view == ("centring" if says else "canonical"), "captions begin with the canonical view"
        assert "view=centring" in str(choice.settings["base"]) or not says
    assert asked == [False, True]


def test_class_names_begin_with_the_centring_view(toy: Any) -> None:
    assert (
        aligner("soft-pairs(rounds=0)").fit(Task(train=toy(items=60), val=toy(items=2, texts=2, seed=1))).choice.view
        == "centring"
    )


def test_what_is_no_closed_form_is_no_base() -> None:
    with pytest.raises(InputError, match=r"'bank': expected a closed form, such as ridge"):
        aligner("soft-pairs(base=bank)")


def test_class_names_are_candidates_by_how_many_items_they_have(toy: Any) -> None:
    train, lone = toy(items=200, seed=1), toy(items=50, seed=2)
    known = candidates(Task(train=train, unpaired=Unpaired(items=lone.items, groups=lone.groups)))
    assert known is not None
    np.testing.assert_array_equal(known.anchors, train.anchors)
    np.testing.assert_allclose(known.shares, np.bincount(train.edges[:, 1]))
    assert candidates(few()).anchors.shape == (600, 12), "captions of pairs describe no other item"
    assert candidates(Task(train=train)) is None


@pytest.mark.parametrize("shared", ["contents", "groups"])
def test_unpaired_items_that_judge_are_refused(shared: str) -> None:
    task = few()
    lone = task.unpaired
    assert lone.items is not None
    assert task.val is not None
    if shared == "contents":
        lone = replace(lone, items=replace(lone.items, contents=(task.val.items.contents[3], *lone.items.contents[1:])))
    else:
        lone = replace(lone, groups=(task.val.groups[3], *lone.groups[1:]))
    with pytest.raises(LeakError, match="1 unpaired items"):
        aligner("soft-pairs").fit(replace(task, unpaired=lone))


def test_the_default_takes_unpaired_data_where_validation_says_that_they_help() -> None:
    helped = replace(few(), val=captions(150, 2))
    winner = aligner("auto").fit(helped).choice
    assert winner.aligner.startswith("soft-pairs")
    assert winner.scores[winner.aligner] == winner.score == max(winner.scores.values())
    assert not aligner("auto").fit(replace(helped, unpaired=Unpaired())).choice.aligner.startswith("soft-pairs")
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(600, 12)).astype(np.float32)
    items = replace(helped.unpaired.items, vectors=20 * rng.normal(size=(600, 20)).astype(np.float32))
    misled = replace(helped, unpaired=replace(helped.unpaired, items=items, anchors=noise))
    assert not aligner("auto").fit(misled).choice.aligner.startswith("soft-pairs"), "these have nothing to do with the pairs"


def test_what_texts_alone_teach_is_ridge_regression_from_noisy_texts() -> None:
    task = replace(few(), refit=False)
    fit = aligner("text-only(base=ridge(alpha=0.3), noise=0.5)").fit(task)
    base = aligner("ridge(alpha=0.3)").fit(replace(task, val=None)).projector
    lone, test = task.unpaired, captions(20, 3).items.vectors
    assert lone.items is not None
    texts = np.concatenate([task.train.anchors, lone.anchors]).astype(float)
    mean, rows = texts.mean(axis=0), texts - texts.mean(axis=0)
    noise = 0.5 * np.mean([np.var(rows[:, column]) for column in range(12)])
    slow = np.linalg.solve(rows.T @ rows / len(rows) + noise * np.eye(12), rows.T @ rows / len(rows))
    items = project(base, np.concatenate([task.train.pooled, lone.items.vectors])).mean(axis=0)
    np.testing.assert_allclose(project(fit.projector, test), (project(base, test) - items) @ slow + mean, atol=1e-4)


def test_a_student_is_taught_by_the_plan_of_its_teacher() -> None:
    rng = np.random.default_rng(3)
    scores, shares = rng.normal(size=(6, 9)).astype(np.float32), rng.uniform(0.5, 2, size=9).astype(np.float32)
    plan = torch.from_numpy(sinkhorn(scores, shares, 0.4))
    mine = balanced(torch.from_numpy(scores) / 0.4, torch.from_numpy(shares))
    np.testing.assert_allclose(mine.exp(), plan, rtol=1e-3)
    assert float(divergence(plan, mine)) == pytest.approx(0, abs=1e-4)
    other = torch.from_numpy(softmax(scores[::-1].copy(), shares, 0.4))
    terms = [p * (np.log(p) - q) for p, q in zip(other.flatten().tolist(), mine.flatten().tolist(), strict=True)]
    slow = sum(terms) / 6
    assert float(divergence(other, mine)) == pytest.approx(slow, rel=1e-4)


def test_a_lesson_changes_the_student_and_is_left_out_where_it_weighs_nothing() -> None:
    task, test = replace(few(), refit=False), captions(20, 3).items.vectors
    outs = [
        project(aligner(f"transport-taught(weight={weight}, epochs=10)").fit(one).projector, test)
        for weight, one in ((1.0, task), (0.0, task), (0.0, replace(task, unpaired=Unpaired())))
    ]
    assert not np.allclose(outs[0], outs[1])
    np.testing.assert_allclose(outs[1], outs[2], atol=0.2)
