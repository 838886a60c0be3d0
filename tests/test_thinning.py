"""Pairs that forget their partners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conftest import make_toy
from textanchor.errors import InputError
from textanchor.records import Unpaired
from textanchor.space.preparing import Sides
from textanchor.space.thinning import thinned, with_own_validation


def sides() -> Sides:
    train = make_toy(items=40, texts=30, seed=1)
    groups = tuple(f"g{row // 2}" for row in range(40))
    return Sides(pairs={"train": replace(train, groups=groups), "val": make_toy(items=30, texts=12, seed=2)})


def test_every_item_and_text_is_still_there_and_no_group_is_torn() -> None:
    whole = sides()
    half = thinned(whole, 0.5, seed=3)
    assert half.unpaired.items is not None
    assert half.unpaired.anchors is not None
    assert sorted((*half.train.items.ids, *half.unpaired.items.ids)) == sorted(whole.train.items.ids)
    assert len(set(half.train.groups)) == 10
    assert set(half.train.groups).isdisjoint(half.unpaired.groups)
    assert len(half.unpaired.groups) == len(half.unpaired.items) == 20
    assert {*half.train.texts, *half.unpaired.texts} == set(whole.train.texts)
    assert set(half.train.texts).isdisjoint(half.unpaired.texts)
    for text, vector in zip(half.unpaired.texts, half.unpaired.anchors, strict=True):
        np.testing.assert_array_equal(vector, whole.train.anchors[whole.train.texts.index(text)])
    assert half.val is whole.val
    place = {item: row for row, item in enumerate(whole.train.items.ids)}
    for item, vector in zip(half.unpaired.items.ids, half.unpaired.items.vectors, strict=True):
        np.testing.assert_array_equal(vector, whole.train.pooled[place[item]])


def test_shares_are_nested_and_seeds_differ() -> None:
    whole = sides()
    quarter, half, other = thinned(whole, 0.25, 3), thinned(whole, 0.5, 3), thinned(whole, 0.5, 4)
    assert set(quarter.train.groups) < set(half.train.groups)
    assert set(half.train.groups) != set(other.train.groups)
    assert thinned(whole, 1.0) is whole
    assert len(set(thinned(whole, 1e-9).train.groups)) == 1


def test_what_had_no_partner_stays() -> None:
    lone = make_toy(items=12, texts=12, seed=5)
    before = Unpaired(
        items=lone.items,
        groups=lone.groups,
        texts=("a", lone.texts[0]),
        anchors=np.zeros((2, lone.anchors.shape[1]), np.float32),
    )
    half = thinned(replace(sides(), unpaired=before), 0.5).unpaired
    assert half.items is not None
    assert half.anchors is not None
    assert half.items.ids[:12] == lone.items.ids
    assert half.texts[:2] == before.texts
    assert len(half.texts) == len(set(half.texts)) == len(half.anchors)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_is_more_than_nothing_and_no_more_than_all(share: float) -> None:
    with pytest.raises(InputError, match="expected more than 0 and at most 1"):
        thinned(sides(), share)


def test_copies_in_two_groups_go_the_same_way() -> None:
    whole = sides()
    items = whole.train.items
    contents = tuple(items.contents[row % 20] for row in range(40))  # groups g0 and g10 hold the same, and so on
    train = replace(whole.train, items=replace(items, contents=contents))
    for seed in range(5):
        half = thinned(replace(whole, pairs={**whole.pairs, "train": train}), 0.5, seed)
        assert half.unpaired.items is not None
        assert len(half.train.items) == len(half.unpaired.items) == 20
        assert not set(half.train.items.contents) & set(half.unpaired.items.contents)


@pytest.mark.parametrize("shared", ["groups", "contents"])
def test_unpaired_items_beside_what_validates_are_left_out(shared: str) -> None:
    whole, lone = sides(), make_toy(items=40, texts=12, seed=5)
    known = Unpaired(
        items=replace(lone.items, contents=whole.train.items.contents) if shared == "contents" else lone.items,
        groups=whole.train.groups if shared == "groups" else lone.groups,
    )
    few = with_own_validation(replace(whole, unpaired=known))
    assert few.unpaired.items is not None
    validating = [place for place, item in enumerate(whole.train.items.ids) if item in few.val.items.ids]
    assert len(validating) == 8
    assert few.unpaired.items.ids == tuple(item for place, item in enumerate(lone.items.ids) if place not in validating)
    assert len(few.unpaired.groups) == 32
