"""Views map both sides before a cosine is taken."""

from __future__ import annotations

import numpy as np

from textanchor.records import Affine, View
from textanchor.views import as_item, as_text, cosines, unit
from textanchor.views.centring import centring


def test_unit_rows_and_the_zero_row() -> None:
    rows = np.array([[3, 4], [0, 0]], np.float32)
    np.testing.assert_allclose(unit(rows), [[0.6, 0.8], [0, 0]])


def test_centring_takes_the_mean_text_out_of_both_sides() -> None:
    anchors = np.random.default_rng(0).normal(2, 1, size=(20, 5)).astype(np.float32)
    view = centring(anchors)
    centred = anchors - anchors.mean(axis=0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(as_text(view, anchors), expected, atol=1e-5)
    np.testing.assert_allclose(as_item(view, anchors), expected, atol=1e-5)
    assert abs(cosines(expected, expected).mean()) < 0.05 < cosines(unit(anchors), unit(anchors)).mean()


def test_no_view_is_the_raw_cosine() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_array_equal(as_item(None, rows), unit(rows))


def test_a_view_may_have_a_matrix() -> None:
    turn = np.array([[0, 1], [1, 0]], np.float32)
    view = View(item=Affine(mean=np.zeros(2, np.float32), matrix=turn), text=Affine(mean=np.zeros(2, np.float32)))
    np.testing.assert_allclose(as_item(view, np.array([[1, 0]], np.float32)), [[0, 1]])
    np.testing.assert_allclose(as_text(view, np.array([[1, 0]], np.float32)), [[1, 0]])
