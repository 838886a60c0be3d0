"""No group and no content on two sides, whatever the table."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textanchor.data.splits import split, units
from textanchor.errors import InputError, LeakError
from textanchor.records import Item, Pair, Pairs, Single
from textanchor.runtime import Splitting


def made(rows: list[tuple[str, str, str | None, str | None]], **more: str) -> Pairs:
    """Pairs of (item, text, group, split)."""
    return Pairs(
        rows=tuple(
            Pair(item=Item(id=item, modality="image", value=item), text=text, group=group, split=side)
            for item, text, group, side in rows
        ),
        **more,
    )


def plain(pairs: Pairs) -> dict[str, str]:
    return {item.id: f"hash of {item.id}" for item in pairs.items}


tables = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("abc"), st.integers(0, 15), st.integers(0, 25)), min_size=3, max_size=80
)


@settings(max_examples=150, deadline=None)
@given(tables, st.integers(0, 5), st.randoms())
def test_sides_share_neither_group_nor_content_nor_item(rows, seed, shuffler) -> None:
    pairs = made([(str(item), text, f"g{group}" if group else None, None) for item, text, group, _ in rows])
    contents = {str(item): f"hash {content}" for item, _, _, content in rows}
    try:
        found = split(pairs, contents, Splitting(seed=seed))
    except InputError as why:
        assert "distinct text" in str(why) or "independent groups" in str(why)  # noqa: PT017 - either answer is right
        return
    assert found.train | found.val | found.test == set(contents)
    assert len(found.train) + len(found.val) + len(found.test) == len(contents)
    for pair in pairs.rows:
        for other in pairs.rows:
            tied = (pair.group and pair.group == other.group) or contents[pair.item.id] == contents[other.item.id]
            if tied:
                assert found.side(pair.item.id) == found.side(other.item.id)
    assert found.train
    assert found.val
    assert found.test
    shuffled = list(pairs.rows)
    shuffler.shuffle(shuffled)
    assert split(Pairs(rows=tuple(shuffled)), contents, Splitting(seed=seed)) == found


def test_each_text_gives_each_side_its_share() -> None:
    pairs = made([(f"{text}{row}", text, None, None) for text in "abcdefgh" for row in range(40)])
    found = split(pairs, plain(pairs))
    for side, share in (("train", 28), ("val", 4), ("test", 8)):
        count = Counter(item[0] for item in getattr(found, side))
        assert all(abs(count[text] - share) <= 1 for text in "abcdefgh"), (side, count)


def test_captions_that_never_repeat_are_split_as_well() -> None:
    pairs = made([(f"i{row}", f"caption {row} {k}", None, None) for row in range(200) for k in range(2)])
    found = split(pairs, plain(pairs))
    assert (len(found.train), len(found.val), len(found.test)) == (140, 20, 40)


def test_another_seed_gives_another_split() -> None:
    pairs = made([(f"i{row}", "ab"[row % 2], None, None) for row in range(100)])
    assert split(pairs, plain(pairs), Splitting(seed=0)) == split(pairs, plain(pairs), Splitting(seed=0))
    assert split(pairs, plain(pairs), Splitting(seed=0)).test != split(pairs, plain(pairs), Splitting(seed=1)).test


def test_units_join_through_groups_and_contents() -> None:
    pairs = made([("a", "x", "g1", None), ("b", "x", "g1", None), ("c", "x", None, None), ("d", "x", None, None)])
    found = units(pairs, {"a": "h1", "b": "h2", "c": "h2", "d": "h3"})
    assert found["a"] == found["b"] == found["c"] != found["d"]


def test_a_predefined_split_is_taken_as_it_is() -> None:
    rows = [("a", "x", "1", "train"), ("b", "y", "2", "train"), ("c", "x", "3", "val"), ("d", "y", "4", "test")]
    found = split(made(rows), plain(made(rows)))
    assert (found.train, found.val, found.test) == ({"a", "b"}, {"c"}, {"d"})
    assert found.name == "predefined, groups kept apart"


def test_a_predefined_split_that_leaks_is_refused_by_name() -> None:
    rows = [(f"{side}{row}", "xy"[row % 2], f"speaker {row % 3}", side) for side in ("train", "test") for row in range(12)]
    with pytest.raises(LeakError, match=r"3 groups on both sides \(such as 'speaker 0'\); name the exception"):
        split(made(rows), plain(made(rows)))
    named = made(rows, split_name="official, speakers shared")
    found = split(named, plain(named))
    assert found.name == "predefined (official, speakers shared)"
    assert found.shares_groups
    assert found.notes[0] == "3 groups on both sides by the split's own definition"
    assert found.val, "validation is carved from train"
    assert not found.val & found.test
    fresh = split(made(rows), plain(made(rows)), Splitting(resplit=True))
    sides = {f"speaker {k}": {fresh.side(item) for item, _, group, _ in rows if group == f"speaker {k}"} for k in range(3)}
    assert all(len(held) == 1 for held in sides.values())


def test_a_modality_without_validation_gets_one_of_its_own() -> None:
    rows = [(f"i{row}", "xy"[row % 2], f"photo {row}", ("train", "val", "test")[row % 3]) for row in range(12)]
    rows += [(f"a{row}", "xy"[row % 2], f"source {row % 10}", "test" if row % 10 > 7 else "train") for row in range(20)]
    rows += [("a-of-photo", "x", "photo 0", "train"), ("one", "x", "lone", "train"), ("lone", "y", "lone", "train")]
    kinds = {"i": "image", "a": "audio", "o": "series", "l": "series"}
    pairs = Pairs(
        rows=tuple(
            Pair(item=Item(id=item, modality=kinds[item[0]], value=item), text=text, group=group, split=side)
            for item, text, group, side in rows
        )
    )
    found = split(pairs, plain(pairs))
    assert found.notes == ("validation of audio carved from train by group, seed 0",)
    assert {item for item in found.val if item[0] == "i"} == {"i1", "i4", "i7", "i10"}, "the table's own stays"
    assert any(item[0] == "a" for item in found.val)
    assert {"a-of-photo", "one", "lone"} <= found.train, "a photo's group and a modality of one group stay"
    group = {item: name for item, _, name, _ in rows}
    assert not {group[item] for item in found.val} & {group[item] for item in found.train}


def test_one_item_on_two_sides_is_a_leak() -> None:
    rows = [("a", "x", None, "train"), ("a", "y", None, "test"), ("b", "y", None, "train")]
    with pytest.raises(LeakError, match="item 'a' stands in train and test"):
        split(made(rows), plain(made(rows)))


def test_equal_content_stays_on_the_held_out_side_and_is_counted() -> None:
    rows = [(f"i{row}", "xy"[row % 2], None, "train" if row < 8 else "test") for row in range(10)]
    contents = plain(made(rows)) | {"i0": "same", "i9": "same"}
    found = split(made(rows), contents, Splitting(fractions=(0.8, 0.0, 0.2)))
    assert "i0" not in found.train
    assert "i9" in found.test
    assert "1 training or validation items left out: byte-identical to held-out ones" in found.notes


def test_too_few_texts_or_groups_are_said_with_their_counts() -> None:
    one = made([(f"i{row}", "same", None, None) for row in range(9)])
    with pytest.raises(InputError, match="image: 1 distinct text in 9 pairs; at least 2"):
        split(one, plain(one))
    tied = made([(f"i{row}", "xy"[row % 2], f"g{row % 2}", None) for row in range(9)])
    with pytest.raises(InputError, match="9 items in 2 independent groups cannot be split into 3 sides"):
        split(tied, plain(tied))


@pytest.mark.parametrize("fractions", [(1.0, 0.0), (0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5)])
def test_fractions_are_checked(fractions: tuple[float, ...]) -> None:
    pairs = made([(f"i{row}", "xy"[row % 2], None, None) for row in range(9)])
    with pytest.raises(InputError, match="must be three numbers"):
        split(pairs, plain(pairs), Splitting(fractions=fractions))


def test_row_order_does_not_matter_with_a_predefined_split() -> None:
    rows = [(f"i{row}", "xy"[row % 2], f"g{row // 2}", "test" if row >= 30 else "train") for row in range(40)]
    mixed = random.Random(3).sample(rows, len(rows))
    assert split(made(rows), plain(made(rows))) == split(made(mixed), plain(made(mixed)))


def lone(*, item: str = "", text: str = "", group: str | None = None, side: str | None = None) -> Single:
    if text:
        return Single(text=text, group=group, split=side)
    return Single(item=Item(id=item, modality="image", value=item), modality="image", group=group, split=side)


def test_what_has_no_partner_is_split_without_changing_the_pairs() -> None:
    pairs = made([(f"i{row}", f"caption {row}", f"g{row // 2}", None) for row in range(80)])
    before = split(pairs, plain(pairs))
    singles = [lone(item=f"u{row}") for row in range(300)] + [lone(text=f"text {row}") for row in range(300)]
    singles += [lone(text=f"caption {row}") for row in range(80)] + [lone(item=f"s{row}", group=f"g{row}") for row in range(40)]
    singles += [lone(item=f"c{row}") for row in range(80)]
    contents = plain(pairs) | {single.item.id: f"hash of {single.item.id}" for single in singles if single.item}
    contents |= {f"c{row}": f"hash of i{row}" for row in range(80)}
    given = replace(pairs, singles=tuple(singles))
    found = split(given, contents)
    for side in ("train", "val", "test"):
        assert {item for item in getattr(found, side) if item[0] == "i"} == getattr(before, side)
    for row in range(80):
        side = before.side(f"i{row}")
        assert found.side(f"c{row}") == side, "equal content"
        assert found.side(f"s{row // 2}") == side, "the same group"
        if side != "train":
            assert found.lone_texts[f"caption {row}"] == side, "a held-out pair's text is never learned from"
    assert 180 < sum(found.side(f"u{row}") == "train" for row in range(300)) < 240
    assert 180 < sum(found.lone_texts[f"text {row}"] == "train" for row in range(300)) < 240
    assert any(note.startswith("without a partner: 420 items (") and "380 texts (" in note for note in found.notes)
    shuffled = tuple(random.Random(1).sample(singles, len(singles)))
    assert split(replace(pairs, singles=shuffled), contents) == found


def test_what_has_no_partner_follows_a_predefined_split() -> None:
    rows = [(f"i{row}", f"t{row}", f"g{row}", ("train", "train", "val", "test")[row % 4]) for row in range(16)]
    singles = (lone(item="a"), lone(item="b", side="test"), lone(text="t3"), lone(text="t2", side="train"), lone(text="new"))
    given = replace(made(rows), singles=singles)
    contents = plain(given) | {"a": "1", "b": "2"}
    found = split(given, contents)
    assert (found.side("a"), found.side("b")) == ("train", "test")
    assert found.lone_texts == {"t3": "test", "t2": "val", "new": "train"}
    assert any("1 rows without a partner moved to the held-out side" in note for note in found.notes)
    torn = replace(made(rows), singles=(lone(item="a", group="g3", side="train"),))
    with pytest.raises(LeakError, match="'a' has no partner and stands in train, its group 'g3' in test"):
        split(torn, contents)


def test_two_singles_of_one_group_never_part() -> None:
    pairs = made([(f"i{row}", f"t{row}", None, None) for row in range(20)])
    given = replace(pairs, singles=tuple(lone(item=f"u{row}", group=f"g{row % 30}") for row in range(90)))
    contents = plain(pairs) | {f"u{row}": f"{row}" for row in range(90)}
    found = split(given, contents)
    assert all(len({found.side(f"u{row}") for row in range(group, 90, 30)}) == 1 for group in range(30))
    assert {found.side(f"u{row}") for row in range(90)} == {"train", "val", "test"}
