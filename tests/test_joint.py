"""Several tables in one space: names, splits, weights, and what is added later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import textanchor
from textanchor.aligners.selection import rated
from textanchor.data.joining import joined, read_tables
from textanchor.data.splits import split
from textanchor.errors import InputError
from textanchor.evaluation.again import again
from textanchor.projectors import Kept
from textanchor.records import Item, Pair, PairedLatents, Pairs, Pooled
from textanchor.runtime import Runtime, Splitting
from textanchor.space.balancing import checked, masses, weighed
from textanchor.space.memory import forgetful


def table(name: str, texts: str, *, each: int = 10, seed: int = 0, told: bool = False) -> Pairs:
    """Stripes of so many pixels for each letter, in noise; ids and groups of two tables are equal on purpose."""
    rng = np.random.default_rng(seed)
    rows = []
    for place, text in enumerate(texts * each):
        pixels = rng.integers(0, 60, size=(24, 24), dtype=np.uint8)
        width = 2 + ord(text) % 7
        pixels[:, np.arange(24) // width % 2 == 0] += 150
        item = Item(id=str(place), modality="image", value=Image.fromarray(pixels))
        side = ("train", "train", "test")[place // len(texts) % 3] if told else None
        rows.append(Pair(item=item, text=f"stripe {text}", group=f"g{place // 2}", split=side))
    return Pairs(rows=tuple(rows), source=name)


def hashes(pairs: Pairs) -> dict[str, str]:
    """Made-up content: each picture another."""
    return {item.id: np.asarray(item.value).tobytes().hex()[:64] for item in pairs.items}


def test_ids_and_groups_of_two_tables_never_meet() -> None:
    both = joined([table("one", "ab"), table("two", "bc", seed=1)])
    assert len(both.items) == 40
    assert (both.origins["one: 0"], both.origins["two: 0"]) == ("one", "two")
    assert {group for own in both.groups.values() for group in own} == {f"{n} g{g}" for n in ("one", "two") for g in range(10)}
    assert len({row.text for row in both.rows}) == 3  # the same name is one text


def test_tables_of_one_name_get_others() -> None:
    same = joined([table("one", "ab"), table("one", "ab", seed=1)])
    assert [own.source for own in same.tables] == ["one", "one (2)"]
    assert len(same.items) == 40


def test_joining_again_takes_apart(tmp_path: Path) -> None:
    one, two, three = (table(name, "ab", seed=seed) for seed, name in enumerate(("one", "two", "three")))
    assert [own.source for own in joined([joined([one, two]), three]).tables][-1] == "three"
    assert joined([one]) is one
    with pytest.raises(InputError, match="does not exist"):
        read_tables([tmp_path / "nothing.csv", one])


def test_each_table_keeps_its_split() -> None:
    told, free = table("told", "ab", each=12, told=True), table("free", "ab", each=12, seed=1)
    told = Pairs(rows=tuple(Pair(item=row.item, text=row.text, split=row.split) for row in told.rows), source="told")
    both = joined([told, free])
    found = split(both, hashes(both), Splitting())
    expected = {f"told: {row.item.id}" for row in told.rows if row.split == "test"}
    assert {item for item in found.test if item.startswith("told")} == expected
    alone = split(joined([free]), hashes(free), Splitting())
    assert len([item for item in found.test if item.startswith("free")]) == len(alone.test)


def test_what_one_table_holds_out_no_other_trains_on() -> None:
    one = table("one", "ab", each=12)
    held = split(one, hashes(one), Splitting()).test
    copies = tuple(
        Pair(item=row.item, text="again " + row.text, group=f"h{place // 2}", split="train" if row.item.id in held else "test")
        for place, row in enumerate(one.rows)
    )
    two = Pairs(rows=tuple(Pair(item=p.item, text=p.text, group=p.item.id, split=p.split) for p in copies), source="two")
    both = joined([one, two])
    contents = hashes(both)
    found = split(both, contents, Splitting())
    sides = {side: {contents[item] for item in getattr(found, side)} for side in ("train", "val", "test")}
    assert not (sides["train"] | sides["val"]) & sides["test"]
    assert not sides["train"] & sides["val"]
    assert any("another table holds out" in note for note in found.notes)


def test_the_whole_group_of_what_another_table_holds_out_is_left_out() -> None:
    one, two = table("one", "ab", each=12, told=True), table("two", "ab", each=12, seed=1)
    one = Pairs(rows=tuple(Pair(item=row.item, text=row.text, split=row.split) for row in one.rows), source="one")
    held = next(row for row in one.rows if row.split == "test")
    alone = split(two, hashes(two), Splitting())
    member = next(row for row in two.rows if row.item.id in alone.train)
    rows = [Pair(item=Item(id="copy", modality="image", value=held.item.value), text=member.text, group=member.group)]
    two = Pairs(rows=(*two.rows, *rows), source="two")
    both = joined([one, two])
    found = split(both, hashes(both), Splitting())
    if split(two, hashes(two), Splitting()).side("copy") == "test":
        pytest.skip("the copy was held out in both")
    assert not found.side("two: copy")
    assert not found.side(f"two: {member.item.id}")


def test_validation_rates_each_table_among_its_own() -> None:
    rng = np.random.default_rng(0)
    parts = [pairs_of(name, count, rng) for name, count in (("a", 30), ("b", 6))]
    both = weighed(parts[0].joined(parts[1]), {f"{n} {i}": n for n, c in (("a", 30), ("b", 6)) for i in range(c)}, 1.0)
    raw = rng.normal(size=(36, 5)).astype(np.float32)
    each = [rated(raw[:30], None, parts[0]), rated(raw[30:], None, parts[1])]
    assert rated(raw, None, both) == pytest.approx(np.mean(each))
    assert rated(raw, None, replace(both, tables=None)) != pytest.approx(np.mean(each))
    assert both.take([35, 0]).tables == ("b", "a")


def pairs_of(name: str, count: int, rng: np.random.Generator) -> PairedLatents:
    """Three texts in turn."""
    latents = Pooled(
        vectors=rng.normal(size=(count, 4)).astype(np.float32),
        ids=tuple(f"{name} {row}" for row in range(count)),
        contents=tuple(f"{name} {row}" for row in range(count)),
        fingerprint="",
    )
    return PairedLatents(
        modality="image",
        items=latents,
        texts=tuple(f"{name} {text}" for text in range(3)),
        anchors=rng.normal(size=(3, 5)).astype(np.float32),
        edges=np.stack([np.arange(count), np.arange(count) % 3], axis=1),
        weights=np.ones(count, dtype=np.float32),
        groups=latents.ids,
    )


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_masses_by_hand(balance: float) -> None:
    found = masses(["a"] * 100 + ["b"] * 25, balance).astype(float)
    assert found.mean() == pytest.approx(1, abs=1e-5)
    assert found[:100].sum() / found[100:].sum() == pytest.approx(4 ** (1 - balance), rel=1e-4)


def test_balance_is_a_share() -> None:
    with pytest.raises(InputError, match="from 0"):
        checked(1.5)


RIDGE = "ridge(alpha=0.1, view=canonical)"


def numbers(space: textanchor.Space) -> Mapping[str, np.ndarray]:
    """Those of the projector; directions of a view outside of so few texts are rounding errors."""
    return space.modalities["image"].projector.numbers


def close(one: textanchor.Space, other: textanchor.Space, tolerance: float) -> bool:
    mine, others = numbers(one), numbers(other)
    scale = {name: max(float(np.abs(value).max()), 1e-6) for name, value in mine.items()}
    return all(float(np.abs(mine[name] - others[name]).max()) <= tolerance * scale[name] for name in mine)


@pytest.fixture(scope="module")
def three() -> list[Pairs]:
    """Two tables and one to add."""
    return [table("one", "ab", each=12), table("two", "bc", each=16, seed=1), table("three", "de", each=12, seed=2)]


@pytest.fixture(scope="module")
def first(three: list[Pairs]) -> textanchor.Space:
    """A space of two tables."""
    return textanchor.fit(three[:2], aligner=RIDGE)


@pytest.fixture(scope="module")
def whole(three: list[Pairs]) -> textanchor.Space:
    """A space of all three at once."""
    return textanchor.fit(three, aligner=RIDGE)


def test_what_is_remembered_survives_the_folder(first: textanchor.Space, tmp_path: Path) -> None:
    first.save(tmp_path / "space")
    again = textanchor.load(tmp_path / "space")
    assert [one.table for one in again.memory] == ["one", "two"]
    assert [one.described() for one in again.memory] == [one.described() for one in first.memory]
    mine, others = first.memory[0].sums, again.memory[0].sums
    assert mine is not None
    assert others is not None
    np.testing.assert_array_equal(mine.gram, others.gram)
    assert float(others.count) == first.memory[0].count("train", "val")


def test_rehearsal_is_the_joint_fit(first: textanchor.Space, whole: textanchor.Space, three: list[Pairs]) -> None:
    added = textanchor.fit(three[2], aligner=RIDGE, into=first, keep="rehearsal")
    assert close(added, whole, 1e-3)
    assert [one.table for one in added.memory] == ["one", "two", "three"]
    assert any("kept by rehearsal" in note for note in added.stories[-1].notes)


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_statistics_are_the_joint_fit_without_the_old_data(first: textanchor.Space, three: list[Pairs], balance: float) -> None:
    added = textanchor.fit(three[2], aligner=RIDGE, into=first, keep="statistics", balance=balance)
    both = textanchor.fit(three, aligner=RIDGE, balance=balance)
    mine, others = added.modalities["image"].projector.numbers, both.modalities["image"].projector.numbers
    for name in mine:
        np.testing.assert_allclose(mine[name], others[name], atol=2e-3 * float(np.abs(others[name]).max()))
    assert added.modalities["image"].choice.chosen_on == "statistics"


def test_without_the_cache_statistics_are_taken_and_said(
    first: textanchor.Space, whole: textanchor.Space, three: list[Pairs], tmp_path: Path
) -> None:
    said: list[str] = []
    added = textanchor.fit(three[2], aligner=RIDGE, into=first, cache=tmp_path / "empty", announce=said.append)
    assert any("not in the cache any more" in line for line in said)
    assert added.modalities["image"].choice.chosen_on == "statistics"
    with pytest.raises(InputError, match="--keep statistics"):
        textanchor.fit(three[2], aligner=RIDGE, into=first, cache=tmp_path / "empty2", keep="rehearsal")


def test_nothing_kept_is_a_fit_of_the_new_alone(first: textanchor.Space, three: list[Pairs]) -> None:
    added = textanchor.fit(three[2], aligner=RIDGE, into=first, keep="nothing")
    assert close(added, textanchor.fit(three[2], aligner=RIDGE), 1e-4)
    assert [one.table for one in added.memory] == ["three"]


def test_the_same_table_again_is_fitted_once(first: textanchor.Space, three: list[Pairs]) -> None:
    for way in ("rehearsal", "statistics"):
        again = textanchor.fit(three[0], aligner=RIDGE, into=first, keep=way)
        assert sorted(one.table for one in again.memory) == ["one", "two"]
        assert close(again, first, 1e-2), way


def test_what_was_held_out_stays_held_out(first: textanchor.Space, three: list[Pairs]) -> None:
    held = set(first.memory[0].on("test"))
    added = textanchor.fit(three[0], aligner=RIDGE, into=first, seed=5)
    mine = next(one for one in added.memory if one.table == "one")
    assert not held & set(mine.on("train", "val"))
    assert any("on another side" in note for note in added.stories[-1].notes)


def test_a_space_that_remembers_nothing_says_so(first: textanchor.Space, three: list[Pairs]) -> None:
    said: list[str] = []
    old = forgetful(first)
    added = textanchor.fit(three[2], aligner=RIDGE, into=old, announce=said.append)
    assert any("remembers nothing" in line for line in said)
    assert [one.table for one in added.memory] == ["three"]


def test_old_evaluations_are_run_again(first: textanchor.Space, three: list[Pairs]) -> None:
    for one in three[:2]:
        textanchor.evaluate(first, one, probe=False, map_=False)
    added = textanchor.fit(three[2], aligner=RIDGE, into=first)
    found = again(added, before=first)
    assert [one.table for one in found] == ["one", "two"]
    assert all(one.found == one.held == one.rankings[0].items for one in found)
    assert all("since" in line for one in found for line in one.lines)
    swapped = replace_projector(added, first)
    assert all(change is None or change.gain == 0 for one in again(swapped, before=first) for change in one.changes)
    (alone, *_) = again(first)
    figures = textanchor.evaluate(first, three[0], probe=False, map_=False).rows[0].ranking
    assert alone.rankings[0].recall(1) == figures.recall(1)


def replace_projector(space: textanchor.Space, other: textanchor.Space) -> textanchor.Space:
    """The space with the other's image side."""
    return space.with_modalities({"image": other.modalities["image"]}, memory=space.memory)


def test_a_drop_is_said(first: textanchor.Space, three: list[Pairs]) -> None:
    for one in three[:2]:
        textanchor.evaluate(first, one, probe=False, map_=False)
    worse = textanchor.fit(three[2], aligner=RIDGE, into=first)
    projector = worse.modalities["image"].projector
    broken = Kept(projector.name, projector.settings, {name: -value for name, value in projector.numbers.items()})
    worse.modalities["image"] = replace(worse.modalities["image"], projector=broken)
    turned = worse.with_modalities({"image": worse.modalities["image"]}, memory=worse.memory)
    assert any(one.worse for one in again(turned, before=first))


def test_nothing_in_the_cache_is_said(first: textanchor.Space, tmp_path: Path) -> None:
    found = again(first, runtime=Runtime(cache=tmp_path / "empty"))
    assert all(not one.found for one in found)
    assert "held-out latents is in the cache" in found[0].lines[0]
