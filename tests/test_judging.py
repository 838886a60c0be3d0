"""Fit, project and judge: what a trial gives, and figures against slow ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from textanchor.aligners import aligner
from textanchor.aligners.selection import score
from textanchor.judging import Figures, difference, judge, naming_hits, paired, trial, verdict
from textanchor.judging.judge import _text_group
from textanchor.records import Task


@pytest.fixture
def outcome(toy: Any) -> Any:
    train, val = toy(items=60, seed=1), toy(items=30, seed=2)
    sounds = [replace(one, modality="audio") for one in (train, val)]
    tasks = {"image": Task(train=train, val=val, refit=False), "audio": Task(train=sounds[0], val=sounds[1], refit=False)}
    return trial("ridge(view=auto, hubness=csls)", tasks)


@pytest.fixture
def figures(outcome: Any, toy: Any) -> Figures:
    test = toy(items=40, seed=3, noise=2.0)
    return judge(outcome.geometry, {"image": test, "audio": replace(test, modality="audio")}, shapes=True)


def test_a_trial_fits_every_task_and_gives_one_geometry(outcome: Any, toy: Any) -> None:
    assert set(outcome.fits) == {"image", "audio"}
    assert outcome.geometry.modalities == ("image", "audio")
    assert outcome.seconds > 0
    latents = toy(items=20, seed=5).pooled
    alone = aligner("ridge(view=auto, hubness=csls)").fit(
        Task(train=toy(items=60, seed=1), val=toy(items=30, seed=2), refit=False)
    )
    same = trial(aligner("ridge"), {"image": Task(train=toy(items=60, seed=1))})
    assert same.fits["image"].choice.aligner == "ridge"
    from textanchor.projectors import project

    np.testing.assert_allclose(outcome.geometry.project("image", latents), project(alone.projector, latents), atol=1e-6)


def test_figures_are_those_of_slow_loops(outcome: Any, figures: Figures, toy: Any) -> None:
    test = toy(items=40, seed=3, noise=2.0)
    comparison = outcome.geometry.between("image", "text")
    scores = comparison.query(outcome.geometry.project("image", test.pooled)) @ comparison.gallery(test.anchors).T
    right = [row.argmax() == text for row, text in zip(scores, test.first_text, strict=True)]
    ranking = figures.alignment[0]
    assert ranking.name == "image->text"
    assert ranking.hits.tolist() == right
    assert ranking.recall(1) == pytest.approx(np.mean(right))
    assert naming_hits(outcome.geometry, test).tolist() == right
    low, high = ranking.interval
    assert low < ranking.recall(1) < high
    assert ranking.cosine.floor < ranking.cosine.mean


def test_names_columns_and_scores(figures: Figures) -> None:
    assert [ranking.name for ranking in figures.rankings] == [
        "image->text", "text->image", "audio->text", "text->audio", "image->audio", "audio->image",
    ]  # fmt: skip
    assert list(figures.alignment[0].row()) == [
        "query", "gallery", "positive cosine", "floor", "AUC", "items", "R@1", "macro R@1", "R@5", "mAP@10", "chance R@1",
        "largest class R@1", "queries", "gallery size", "R@1 interval",
    ]  # fmt: skip
    assert "floor" not in figures.alignment[1].row()
    plain = figures.plain()
    assert next(iter(plain)) == "score"
    assert {"image->text R@1", "image->audio R@1", "audio modality gap", "text->image hubness skew"} < set(plain)
    assert not any(name.endswith(("queries", "size", "items", "interval", "chance R@1")) for name in plain)
    assert figures.score == pytest.approx(np.mean(list(figures.scores.values())))


def test_the_score_is_what_aligners_choose_by(outcome: Any, toy: Any) -> None:
    val = toy(items=30, seed=2)
    fit = outcome.fits["image"]
    assert judge(outcome.geometry, {"image": val}).scores["image"] == score(fit.projector, fit.view, val)
    assert judge(outcome.geometry, {"image": val}).score == pytest.approx(fit.choice.score)


def test_modalities_without_a_common_text_have_no_ranking(outcome: Any, toy: Any) -> None:
    test = toy(items=40, seed=3)
    other = replace(test, modality="audio", texts=tuple(f"other {text}" for text in test.texts))
    assert judge(outcome.geometry, {"image": test, "audio": other}).emergent == ()


def test_captions_of_one_photo_are_one_observation(toy: Any) -> None:
    pairs = toy(items=12, texts=10)
    shared = {int(pairs.first_text[row]) for row in (10, 11)}
    for text in range(10):
        assert _text_group(pairs, pairs.relevant.T.tocsr(), text) == (f"text {text}" if text in shared else f"0-{text}")


def test_differences_are_paired_by_query(figures: Figures, toy: Any) -> None:
    there, back = figures.alignment[:2]
    equal = difference(there, there)
    assert equal is not None
    assert (equal.gain, equal.verdict) == (0, "equal")
    assert difference(there, back) is None
    gain = paired(np.ones(20), np.zeros(20, dtype=bool), [str(row) for row in range(20)])
    assert (gain.gain, gain.verdict) == (1, "better")
    assert gain.interval == pytest.approx((0.76, 1), abs=1e-3), "twenty of twenty are no certainty"
    assert list(gain.row()) == ["R@1 difference", "95 % interval", "verdict"]


@pytest.mark.parametrize(
    ("gain", "interval", "said"),
    [
        ([0, 0], (0.0, 0.0), "equal"),
        ([1, 0], None, "cannot tell"),
        ([1, 0], (0.0, 1.0), "cannot tell"),
        ([1, 0], (0.1, 1.0), "better"),
        ([-1, 0], (-1.0, -0.1), "worse"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(gain: list[int], interval: Any, said: str) -> None:
    assert verdict(np.array(gain), interval) == said
