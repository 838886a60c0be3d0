"""One contract for every aligner, and each closed form against its slow twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from textanchor import registry
from textanchor.aligners import Aligner, aligner
from textanchor.aligners.selection import best, score
from textanchor.errors import InputError, UnknownNameError
from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.projectors import project
from textanchor.records import Unpaired
from textanchor.views import as_item, as_text

NONE = Unpaired()


@pytest.mark.parametrize("name", registry.names("aligner"))
def test_contract(name: str, toy) -> None:
    train, val, test = toy(items=120, seed=1, per=2), toy(items=60, seed=2), toy(items=60, seed=3)
    held: Aligner = aligner(name)
    assert isinstance(held, Aligner)
    before = train.items.vectors.copy(), train.anchors.copy()
    fit = held.fit(train, val, NONE, seed=4)
    np.testing.assert_array_equal(train.items.vectors, before[0])
    np.testing.assert_array_equal(train.anchors, before[1])
    out = project(fit.projector, test.items.vectors)
    assert out.shape == (60, 8)
    assert np.isfinite(out).all()
    found = retrieval(as_item(fit.view, out), as_text(fit.view, test.anchors), rows_of(test.relevant))
    assert found.recall(1) > 0.6, "a nearly linear world is learned"
    again = held.fit(train, val, NONE, seed=4)
    np.testing.assert_array_equal(project(again.projector, test.items.vectors), out)
    assert all(isinstance(value, str | int | float | dict) for value in fit.report.values())
    if name != "seed":
        assert 0 < fit.report["score"] <= 1


@pytest.mark.parametrize("name", [name for name in registry.names("aligner") if name != "auto"])
def test_without_validation_the_default_is_used_and_said(name: str, toy) -> None:
    fit = aligner(name).fit(toy(seed=1), None, NONE, seed=0)
    assert fit.report["chosen on"] == "default"


def test_nothing_global_is_disturbed_by_a_fit(toy) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    aligner("bank").fit(toy(seed=1), toy(seed=2), NONE, seed=0)
    torch.testing.assert_close(torch.rand(3), expected)


@pytest.mark.parametrize("shape", [(80, 12), (20, 60)])
def test_ridge_is_its_normal_equations(shape: tuple[int, int], toy) -> None:
    train = toy(items=shape[0], dim=shape[1], per=2, noise=0.5)
    fit = aligner("ridge", alpha=0.3).fit(train, None, NONE, seed=0)
    x, y = train.items.vectors.astype(float), train.targets.astype(float)
    cx, cy = x - x.mean(axis=0), y - y.mean(axis=0)
    penalty = 0.3 * (cx**2).sum() / shape[1]
    slow = np.linalg.solve(cx.T @ cx + penalty * np.eye(shape[1]), cx.T @ cy)
    np.testing.assert_allclose(project(fit.projector, train.items.vectors), cx @ slow + y.mean(axis=0), atol=1e-4)


def test_kernel_ridge_is_its_dual_form(toy) -> None:
    train = toy(items=60, per=2, noise=0.5)
    fit = aligner("kernel-ridge", width=0.7, alpha=0.05).fit(train, None, NONE, seed=0)
    x, y = train.items.vectors.astype(float), train.targets.astype(float)
    distance = np.array([[((a - b) ** 2).sum() for b in x] for a in x])
    kernel = np.exp(-0.7 * distance / distance.mean())
    slow = kernel @ np.linalg.solve(kernel + 0.05 * np.eye(60), y - y.mean(axis=0)) + y.mean(axis=0)
    np.testing.assert_allclose(project(fit.projector, train.items.vectors), slow, atol=2e-4)


def test_nystroem_with_every_landmark_is_exact_and_with_few_is_near(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.aligners import kernel_ridge

    train = toy(items=150, noise=0.5)
    exact = aligner("kernel-ridge", width=1.0, alpha=0.1).fit(train, None, NONE, seed=0)
    truth = project(exact.projector, train.items.vectors)
    with monkeypatch.context() as patch:
        patch.setattr(kernel_ridge._Solver, "_exact", kernel_ridge._Solver._nystroem)
        same = aligner("kernel-ridge", width=1.0, alpha=0.1).fit(train, None, NONE, seed=0)
    np.testing.assert_allclose(project(same.projector, train.items.vectors), truth, atol=1e-3)
    few = aligner("kernel-ridge", width=1.0, alpha=0.1, landmarks=60).fit(train, None, NONE, seed=0)
    assert few.report["landmarks"] == 60
    error = np.abs(project(few.projector, train.items.vectors) - truth).mean()
    assert error < 0.3 * np.abs(truth - truth.mean(axis=0)).mean()


def test_values_are_chosen_on_validation_and_the_score_is_honest(toy) -> None:
    train, val = toy(items=30, dim=40, seed=1, noise=2.0), toy(items=60, dim=40, seed=2, noise=2.0)
    fit = aligner("ridge").fit(train, val, NONE, seed=0)
    from textanchor.aligners.ridge import ALPHAS

    rates = {}
    for alpha in ALPHAS:
        alone = aligner("ridge", alpha=alpha).fit(train, None, NONE, seed=0)
        rates[alpha] = score(alone.projector, alone.view, val)
    assert fit.report["alpha"] == max(rates, key=lambda alpha: rates[alpha])
    assert fit.report["score"] == pytest.approx(max(rates.values()), abs=1e-6)


def test_auto_says_all_scores_and_takes_the_best(toy) -> None:
    fit = aligner("auto").fit(toy(seed=1), toy(seed=2), NONE, seed=0)
    scores = fit.report["scores"]
    assert set(scores) == {"ridge", "kernel-ridge", "bank"}
    assert scores[fit.report["aligner"]] == max(scores.values())
    with pytest.raises(InputError, match="choosing an aligner needs validation pairs"):
        aligner("auto").fit(toy(seed=1), None, NONE, seed=0)


def test_bank_chooses_the_number_of_epochs_and_fits_both_sides_for_as_many(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.aligners import gradient

    runs, honest, rates = [], gradient._train, iter([0.3, 0.9, 0.5, 0.4])

    def watched(projector, loss, train, val, *rest, **how):
        runs.append((len(train.items), val is not None, how["stop"]))
        return honest(projector, loss, train, val, *rest, **how)

    monkeypatch.setattr(gradient, "_train", watched)
    monkeypatch.setattr(gradient, "score", lambda *_: next(rates))
    fit = aligner("bank", epochs=20).fit(toy(seed=1), toy(seed=2), NONE, seed=0)
    assert (fit.report["epochs"], fit.report["score"]) == (10, 0.9)
    assert runs == [(80, True, 20), (160, False, 10)]


def test_large_banks_are_sampled(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.aligners import gradient

    monkeypatch.setattr(gradient, "BANK_LIMIT", 6)
    train = toy(items=60, texts=30, seed=1)
    rng = np.random.default_rng(0)
    rows = np.array([3, 5])
    bank = gradient._bank(train, rows, rng)
    assert set(train.relevant[rows].indices) <= set(bank)
    assert 6 <= len(bank) <= 8
    fit = aligner("bank", epochs=5).fit(train, None, NONE, seed=0)
    assert np.isfinite(fit.report["last loss"])


def test_the_selection_figure_is_the_mean_of_two_directions(toy) -> None:
    val = toy(items=30, seed=2)
    fit = aligner("ridge").fit(toy(seed=1), None, NONE, seed=0)
    items, texts = as_item(fit.view, project(fit.projector, val.items.vectors)), as_text(fit.view, val.anchors)
    there = retrieval(items, texts, rows_of(val.relevant)).reciprocal_rank
    back = retrieval(texts, items, rows_of(val.relevant.T.tocsr())).mean_average_precision
    assert score(fit.projector, fit.view, val) == pytest.approx((there + back) / 2)


def test_of_equals_the_first_is_best() -> None:
    assert best(["simple", "complex"], lambda name: 0.5) == ("simple", 0.5)


def test_unknown_names_and_settings() -> None:
    with pytest.raises(UnknownNameError, match="no aligner is called"):
        aligner("magic")
    with pytest.raises(InputError, match="aligner ridge: .*unexpected keyword argument 'epochs'"):
        aligner("ridge", epochs=3)
