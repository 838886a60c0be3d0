"""Views map both sides before a cosine is taken; corrections of hubness add a bias to the gallery."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from conftest import make_toy
from textanchor import registry
from textanchor.aligners import aligner
from textanchor.errors import InputError
from textanchor.projectors import project
from textanchor.records import Affine, Task, View
from textanchor.views import (
    as_item,
    as_peer,
    as_query,
    as_text,
    cosines,
    item_gallery,
    text_gallery,
    unit,
    view,
    with_hubness,
)
from textanchor.views.hubness import csls, dis, nnn


def data(seed: int = 0, texts: int = 40, dim: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    anchors = rng.normal(2, 1, size=(texts, dim)).astype(np.float32)
    items = (anchors + rng.normal(0, 0.5, size=anchors.shape)).astype(np.float32)
    return {"anchors": anchors, "items": items, "targets": anchors}


@pytest.mark.parametrize("name", registry.names("view"))
def test_contract(name: str) -> None:
    given = data()
    before = {key: value.copy() for key, value in given.items()}
    held = view(name, **given)
    for key, value in given.items():
        np.testing.assert_array_equal(value, before[key])
    assert isinstance(held, View)
    texts, items = as_text(held, given["anchors"]), as_item(held, given["items"])
    assert texts.shape[1] == items.shape[1]
    assert np.isfinite(texts).all()
    np.testing.assert_allclose(np.linalg.norm(items, axis=1), 1, atol=1e-5)
    assert held.id == view(name, **given).id != view(name, **data(seed=1)).id or name == "raw"
    own = float(np.einsum("nd,nd->n", items, texts).mean())
    assert own > cosines(items, texts).mean() + 0.3 or name == "raw", "own texts stay nearer than others"


@pytest.mark.parametrize("name", registry.names("hubness"))
def test_hubness_contract(name: str) -> None:
    rng = np.random.default_rng(0)
    bank = unit(rng.normal(size=(50, 8)).astype(np.float32) + np.array([1.5, *[0] * 7], np.float32))
    gallery = np.concatenate([unit(bank.mean(axis=0, keepdims=True)), unit(rng.normal(size=(20, 8)).astype(np.float32))])
    bias = registry.load("hubness", name)(gallery=gallery, bank=bank)
    assert bias.shape == (21,)
    assert bias.argmin() == 0, "the hub at the middle of the queries loses most"
    np.testing.assert_allclose(registry.load("hubness", name)(gallery=gallery[5:9], bank=bank), bias[5:9], atol=1e-5)


def test_corrections_are_their_formulas() -> None:
    rng = np.random.default_rng(1)
    gallery, bank = (unit(rng.normal(size=(n, 5)).astype(np.float32)) for n in (4, 30))
    for g in range(4):
        near = sorted((float(gallery[g] @ q) for q in bank), reverse=True)
        assert csls(gallery=gallery, bank=bank, k=7)[g] == pytest.approx(-sum(near[:7]) / 7 / 2, abs=1e-5)
        assert nnn(gallery=gallery, bank=bank, k=7, alpha=0.3)[g] == pytest.approx(-0.3 * sum(near[:7]) / 7, abs=1e-5)
        slow = -0.5 / 9 * math.log(sum(math.exp(9 * value) for value in near) / 30)
        assert dis(gallery=gallery, bank=bank, beta=9.0, weight=0.5)[g] == pytest.approx(slow, abs=1e-5)
    assert csls(gallery=gallery, bank=bank, k=99)[0] == pytest.approx(-float((gallery[:1] @ bank.T).mean()) / 2, abs=1e-5)


def test_the_bias_is_one_more_dimension_and_the_inner_product_the_score() -> None:
    given = data()
    held = with_hubness(view("centring", **given), "csls(k=3)", items=given["items"], anchors=given["anchors"])
    texts, items = as_text(held, given["anchors"]), as_item(held, given["items"])
    there = as_query(held, items) @ text_gallery(held, texts).T
    np.testing.assert_allclose(there, items @ texts.T + csls(gallery=texts, bank=items, k=3), atol=1e-5)
    back = as_query(held, texts) @ item_gallery(held, items).T
    np.testing.assert_allclose(back, texts @ items.T + csls(gallery=items, bank=texts, k=3), atol=1e-5)
    none = with_hubness(held, "none", items=given["items"], anchors=given["anchors"])
    assert as_query(none, items) is items
    assert none.id != held.id
    with pytest.raises(InputError, match="hubness csls has no setting 'neighbours'"):
        with_hubness(held, "csls(neighbours=3)", items=given["items"], anchors=given["anchors"])


def test_a_bank_has_at_most_five_thousand_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textanchor.views.making.BANK", 7)
    given = data()
    held = with_hubness(view("raw", **given), "csls", items=given["items"], anchors=given["anchors"]).hubness
    assert held.items.shape == held.texts.shape == (7, 6)
    assert {tuple(row) for row in held.items} <= {tuple(row) for row in given["items"]}


def test_unit_rows_and_the_zero_row() -> None:
    rows = np.array([[3, 4], [0, 0]], np.float32)
    np.testing.assert_allclose(unit(rows), [[0.6, 0.8], [0, 0]])


def test_centring_takes_the_mean_text_out_of_both_sides() -> None:
    anchors = data()["anchors"]
    held = view("centring", **data())
    centred = anchors - anchors.mean(axis=0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(as_text(held, anchors), expected, atol=1e-5)
    np.testing.assert_allclose(as_item(held, anchors), expected, atol=1e-5)
    assert abs(cosines(expected, expected).mean()) < 0.05 < cosines(unit(anchors), unit(anchors)).mean()


def test_whitened_texts_have_the_identity_as_covariance_and_shrinkage_draws_back() -> None:
    rng = np.random.default_rng(0)
    anchors = (rng.normal(size=(5000, 6)) * [3, 2, 1, 1, 0.5, 0.1] + 1).astype(np.float32)
    given = {"anchors": anchors, "items": anchors, "targets": anchors}
    white = view("whitening(shrinkage=1e-6)", **given).text(anchors)
    unit_ = float(anchors.var(axis=0).mean())
    np.testing.assert_allclose(np.cov(white.T), np.eye(6), atol=0.02)
    spread = np.sort(np.linalg.eigvalsh(np.cov(view("whitening(shrinkage=1)", **given).text(anchors).T)))
    values = np.sort(np.linalg.eigvalsh(np.cov(anchors.T)))
    np.testing.assert_allclose(spread, values / (values + unit_), rtol=0.01)


def test_all_but_the_top_is_the_rest_of_a_principal_component_analysis() -> None:
    given = data(texts=60)
    held = view("all-but-the-top(directions=2)", **given)
    pca = PCA().fit(given["anchors"].astype(float))
    slow = pca.transform(given["anchors"])
    slow[:, :2] = 0
    np.testing.assert_allclose(held.text(given["anchors"]), slow @ pca.components_, atol=1e-4)
    with pytest.raises(InputError, match="directions=-1: expected a whole number of 1 or more"):
        view("all-but-the-top(directions=-1)", **given)
    with pytest.raises(InputError, match="of the 2 that 3 texts span; nothing is left"):
        view("all-but-the-top", **{**given, "anchors": given["anchors"][:3]})


def test_ridge_under_the_canonical_view_is_canonical_correlation_analysis(toy) -> None:
    """Without penalties the mapped sides are the classical canonical variates, up to sign and scale."""
    train = toy(items=400, dim=7, texts=300, out=5, noise=2.0)
    fit = aligner("ridge(alpha=1e-9, view=canonical(shrinkage=1e-9, power=0.0))").fit(Task(train=train))
    # the anchors' covariance must be that of the pairs for an exact comparison, so every item has a text of its own
    own = toy(items=300, dim=7, texts=300, out=5, noise=2.0)
    fit = aligner("ridge(alpha=1e-9, view=canonical(shrinkage=1e-9, power=0.0))").fit(Task(train=own))
    items = fit.view.item(project(fit.projector, own.items.vectors))
    texts = fit.view.text(own.targets)
    slow = CCA(n_components=5, scale=False, max_iter=5000, tol=1e-10)
    left, right = slow.fit_transform(own.items.vectors.astype(float), own.targets.astype(float))
    for place in range(5):
        assert abs(np.corrcoef(items[:, place], left[:, place])[0, 1]) > 0.999
        assert abs(np.corrcoef(texts[:, place], right[:, place])[0, 1]) > 0.999
    correlation = [np.corrcoef(left[:, k], right[:, k])[0, 1] for k in range(5)]
    ratio = items.std(axis=0) / texts.std(axis=0)
    np.testing.assert_allclose(ratio, correlation, rtol=1e-2)
    weighted = aligner("ridge(alpha=1e-9, view=canonical(shrinkage=1e-9, power=2.0))").fit(Task(train=own))
    gain = np.abs(weighted.view.text(own.targets)).mean(axis=0) / np.abs(texts).mean(axis=0)
    np.testing.assert_allclose(gain, np.square(correlation), rtol=1e-2)
    assert aligner("cca(alpha=0.1)").fit(Task(train=train)).view.item.matrix.shape == (5, 5)
    with pytest.raises(InputError, match="dim=0"):
        view("canonical(dim=0)", **data())
    assert view("canonical(dim=2)", **data()).item.matrix.shape == (6, 2)


def test_no_view_is_the_raw_cosine() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_array_equal(as_item(None, rows), unit(rows))
    np.testing.assert_array_equal(as_query(None, rows), rows)
    np.testing.assert_array_equal(text_gallery(None, rows), rows)
    np.testing.assert_allclose(as_item(view("raw", anchors=rows, items=rows, targets=rows), rows), unit(rows))


def test_a_view_may_have_a_matrix() -> None:
    turn = np.array([[0, 1], [1, 0]], np.float32)
    held = View(item=Affine(mean=np.zeros(2, np.float32), matrix=turn), text=Affine(mean=np.zeros(2, np.float32)))
    np.testing.assert_allclose(as_item(held, np.array([[1, 0]], np.float32)), [[0, 1]])
    np.testing.assert_allclose(as_text(held, np.array([[1, 0]], np.float32)), [[1, 0]])


def test_between_two_modalities_only_what_both_views_share_is_applied() -> None:
    mine, other = (view("whitening", **data(seed)) for seed in (0, 1))
    rows = data(5)["items"]
    np.testing.assert_allclose(as_peer(mine, other, rows), unit(rows - mine.item.mean), atol=1e-6)
    np.testing.assert_allclose(as_peer(mine, mine, rows), as_item(mine, rows), atol=1e-6)
    np.testing.assert_allclose(as_peer(mine, None, rows), unit(rows - mine.item.mean), atol=1e-6)
    np.testing.assert_allclose(as_peer(None, mine, rows), unit(rows), atol=1e-6)


def test_texts_are_whitened_once_whatever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.views import whitening

    worked_out: list[float] = []
    work = whitening._worked_out

    def watched(anchors: np.ndarray, shrinkage: float) -> Any:
        worked_out.append(shrinkage)
        return work(anchors, shrinkage)

    monkeypatch.setattr(whitening, "_worked_out", watched)
    texts = np.random.default_rng(7).normal(size=(9, 6)).astype(np.float32)
    first, _ = (whitening.whitener(texts.copy(), 0.1) for _ in range(2))
    whitening.whitener(texts, 0.2)
    assert worked_out == [0.1, 0.2]
    first[1][:] = 0
    assert whitening.whitener(texts, 0.1)[1].any(), "what was given away does not change what is remembered"
    texts[0, 0] += 1
    whitening.whitener(texts, 0.1)
    assert worked_out == [0.1, 0.2, 0.1], "other texts are others, in the same array too"


def test_choosing_an_aligner_whitens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.views import whitening

    count: list[int] = []
    work = whitening._worked_out
    monkeypatch.setattr(whitening, "_worked_out", lambda *given: count.append(1) or work(*given))
    train, val = make_toy(items=60, texts=12, seed=31), make_toy(items=40, texts=12, seed=32)
    whitening._remembered.clear()
    for name in ("ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)"):
        aligner(name).fit(Task(train=train, val=val, refit=False))
    assert len(count) == 1
