"""Derived values of the records."""

from __future__ import annotations

import numpy as np

from textanchor.records import Affine, Pooled, View


def test_targets_are_weighted_means_of_the_items_texts(toy) -> None:
    pairs = toy(items=20, per=3)
    for row in range(20):
        texts = [text for item, text in pairs.edges if item == row]
        np.testing.assert_allclose(pairs.targets[row], pairs.anchors[texts].mean(axis=0), atol=1e-6)
        assert pairs.first_text[row] == texts[0]
        assert np.flatnonzero(pairs.relevant.toarray()[row]).tolist() == sorted(texts)


def test_joined_makes_equal_texts_one_and_take_undoes_it(toy) -> None:
    left, right = toy(items=15, seed=1, per=2), toy(items=12, texts=12, seed=2)
    both = left.joined(right)
    assert len(both.items) == 27
    assert both.texts == tuple(f"text {row}" for row in range(12))
    back = both.take(range(15, 27))
    assert back.items.ids == right.items.ids
    order = [back.texts.index(text) for text in right.texts if text in back.texts]
    np.testing.assert_allclose(back.anchors[order], right.anchors[: len(order)], atol=1e-6)
    np.testing.assert_allclose(back.targets, right.targets, atol=1e-6)


def test_take_keeps_the_order_asked_for(toy) -> None:
    pairs = toy(items=20)
    some = pairs.take([7, 3, 11])
    assert some.items.ids == ("0-7", "0-3", "0-11")
    np.testing.assert_array_equal(some.targets, pairs.targets[[7, 3, 11]])
    assert [some.texts[row] for row in some.first_text] == [pairs.texts[pairs.first_text[row]] for row in (7, 3, 11)]


def test_a_views_id_changes_with_any_number() -> None:
    mean = np.ones(3, np.float32)
    ids = {
        View(item=Affine(mean=mean), text=Affine(mean=mean)).id,
        View(item=Affine(mean=mean), text=Affine(mean=mean + 1e-6)).id,
        View(item=Affine(mean=mean, matrix=np.eye(3, dtype=np.float32)), text=Affine(mean=mean)).id,
    }
    assert len(ids) == 3


def test_pooled_takes_rows() -> None:
    held = Pooled(vectors=np.eye(3, dtype=np.float32), ids=("a", "b", "c"), contents=("x", "y", "z"), fingerprint="f")
    some = held.take([2, 0])
    assert (some.ids, some.contents) == (("c", "a"), ("z", "x"))
    np.testing.assert_array_equal(some.vectors, np.eye(3)[[2, 0]])
