"""The budget: shares of the pairs, intervals, crossovers, advice, cells that are found again, and what to describe next."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import normalize

import textanchor
from conftest import make_toy
from textanchor.budgeting import cells as cells_module
from textanchor.budgeting import jobs, measuring
from textanchor.budgeting.advice import advice
from textanchor.budgeting.cells import Answers, Cell, key, measured, store, stored
from textanchor.budgeting.choosing import proposed, uncertain
from textanchor.budgeting.plan import Trial, planned
from textanchor.budgeting.spots import Spot, contrasts, crossings, spots
from textanchor.errors import InputError, UnknownNameError
from textanchor.metrics.covering import covering
from textanchor.records import Choice, Unpaired
from textanchor.space.preparing import Sides

SHARES, METHODS = (1.0, 0.5), ("ridge", "cca")


@pytest.fixture(scope="module")
def made(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("budget") / "b"
    return textanchor.budget(shapes, methods=METHODS, shares=SHARES, seeds=2, folder=folder)


def answered(rank: np.ndarray, groups: tuple[str, ...]) -> Answers:
    """One right answer among five."""
    return Answers(rank=rank, relevant=np.ones(len(rank), dtype=int), groups=groups, gallery=5)


def cell(method: str, share: float, hits: list[int], *, seed: int = 0, pairs: int | None = None) -> Cell:
    """Queries of both directions that are right at 1 as told, out of galleries of five."""
    rank = np.array([0 if hit else 3 for hit in hits])
    groups = tuple(f"g{row}" for row in range(len(hits)))
    answers = {way: answered(rank, groups) for way in ("image->text", "text->image")}
    trial = Trial(modality="image", method=method, share=share, seed=seed)
    return Cell(trial=trial, pairs=pairs or round(1000 * share), seconds=0.1, answers=answers, chosen=Choice())


def table_rows(place: Path) -> list[dict[str, str]]:
    with place.open(newline="") as stream:
        return list(csv.DictReader(stream))


def rate(share: float, count: int = 200) -> list[int]:
    return [int(row < share * count) for row in range(count)]


def test_every_method_share_and_direction_has_figures_with_intervals(made: Any) -> None:
    rows = made.rows()
    assert len(rows) == 2 * len(SHARES) * len(METHODS), "images and sounds"
    for row in rows:
        way = f"{row['modality']}->text"
        low, high = row[f"{way} R@1 interval"]
        assert low <= row[f"{way} R@1"] <= high
        assert row["seeds"] == 2
        assert 0 < row[f"{way} chance R@1"] <= 0.5
    full, half = ([row["pairs"] for row in rows if row["share"] == share] for share in SHARES)
    assert all(0.4 * one < other < 0.6 * one for one, other in zip(full, half, strict=True))
    assert {one.method for one in made.contrasts} | {one.other for one in made.contrasts} == set(METHODS)
    assert made.failed == ()


def test_what_judges_is_never_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    train, val = make_toy(items=60, texts=40, seed=1), make_toy(items=30, texts=12, seed=2)
    seen: list[Any] = []
    real = cells_module.trial
    monkeypatch.setattr(cells_module, "trial", lambda spec, tasks: seen.append(tasks["image"]) or real(spec, tasks))
    asked = Trial(modality="image", method="ridge", share=0.5, seed=0)
    found = measured(asked, Sides(pairs={"train": train, "val": val}), val, device="cpu")
    task = seen[0]
    own = {*task.train.items.ids, *task.val.items.ids, *task.unpaired.items.ids}
    assert own == set(train.items.ids)
    assert found.pairs == len(task.train.items) + len(task.val.items) == 30
    assert not set(task.train.items.ids) & set(task.val.items.ids), "what chooses is not what is fitted first"
    assert len(found.answers["image->text"].rank) == 30


def test_cells_are_found_again_and_only_the_rest_is_fitted(
    made: Any, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(made.folder, tmp_path / "b")
    fitted: list[Trial] = []
    real = jobs.measured

    def counted(asked: Trial, *rest: Any, **more: Any) -> Cell:
        fitted.append(asked)
        return real(asked, *rest, **more)

    monkeypatch.setattr(jobs, "measured", counted)
    again = textanchor.budget(shapes, methods=METHODS, shares=SHARES, seeds=2, folder=folder)
    assert fitted == []
    assert [one["pairs"] for one in again.rows()] == [one["pairs"] for one in made.rows()]
    assert again.metrics() == made.metrics()
    broken = next((folder / "cells").iterdir())
    broken.write_text("{")
    textanchor.budget(shapes, methods=METHODS, shares=SHARES, seeds=2, folder=folder)
    assert len(fitted) == 1, "a damaged cell is fitted anew"
    textanchor.budget(shapes, methods=("ridge",), shares=(1, 0.25), seeds=1, folder=folder)
    assert {one.share for one in fitted[1:]} == {0.25}
    other = textanchor.budget(shapes, methods=("ridge",), shares=(1,), seeds=1, seed=1, folder=folder)
    assert {one.share for one in fitted} >= {1.0}, "another split has cells of its own"
    assert other.facts.conditions != made.facts.conditions


def test_a_cell_is_kept_whole(tmp_path: Path) -> None:
    one = cell("ridge", 0.5, [1, 0, 1])
    name = key(one.trial, "conditions")
    assert stored(tmp_path, name) is None
    store(tmp_path, name, one)
    found = stored(tmp_path, name)
    assert found is not None
    assert found.described() == one.described()
    others = {key(replace(one.trial, **change), "conditions") for change in ({"seed": 1}, {"share": 0.25}, {"method": "cca"})}
    assert len({*others, name, key(one.trial, "other data")}) == 5


def test_files_of_a_folder(made: Any) -> None:
    rows = table_rows(made.folder / "budget.csv")
    assert len(rows) == len(made.rows())
    assert float(rows[0]["image->text R@1 low"] or rows[0]["audio->text R@1 low"]) >= 0
    page = (made.folder / "budget.html").read_text()
    assert page.count("<svg") == 2
    for drawn in ("pairs (items with their texts)", "of both directions", ">chance</text>", *METHODS):
        assert page.count(drawn) >= 2, drawn
    assert page.count('id="LineCollection') >= 2 * len(METHODS), "every curve has its intervals"
    links = re.findall(r'(?:src|href|xlink:href)="([^"]+)"', page)
    assert all(link.startswith(("#", "data:")) for link in links), "nothing is fetched"
    assert "<script" not in page
    assert "Paired differences" in page
    assert made.advice["image"].text[:30] in page
    assert json.loads((made.folder / "budget.json").read_text())["judged on"] == "val"


def test_a_foreign_folder_is_left_alone(shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="is no budget"):
        textanchor.budget(shapes, folder=tmp_path)


def test_what_cannot_be_meant_is_refused(shapes: Path) -> None:
    with pytest.raises(InputError, match=r"a share of 1.5"):
        textanchor.budget(shapes, shares=(1.5,))
    with pytest.raises(UnknownNameError, match="rigde"):
        textanchor.budget(shapes, methods=("rigde",))
    with pytest.raises(InputError, match="judge_on=dev"):
        textanchor.budget(shapes, judge_on="dev")  # type: ignore[arg-type]


def test_small_shares_come_first_and_a_broken_run_has_them(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = list(planned(("ridge", "cca", "ridge"), (1, 0.25, 0.5, 0.25), 2).trials(["image"]))
    assert [one.share for one in trials] == [0.25] * 4 + [0.5] * 4 + [1.0] * 4
    assert len(set(trials)) == len(trials)
    real = jobs.measured

    def broken(asked: Trial, *rest: Any, **more: Any) -> Cell:
        if asked.share == 1:
            raise KeyboardInterrupt
        return real(asked, *rest, **more)

    monkeypatch.setattr(jobs, "measured", broken)
    with pytest.raises(KeyboardInterrupt):
        textanchor.budget(shapes, methods=("ridge",), shares=SHARES, seeds=1, folder=tmp_path / "b")
    assert {row["share"] for row in table_rows(tmp_path / "b" / "budget.csv")} == {"0.5"}
    monkeypatch.setattr(jobs, "measured", real)
    whole = textanchor.budget(shapes, methods=("ridge",), shares=SHARES, seeds=1, folder=tmp_path / "b")
    assert {spot.share for spot in whole.spots} == set(SHARES)


def test_two_at_a_time_find_the_same(made: Any, shapes: Path, tmp_path: Path) -> None:
    found = textanchor.budget(shapes, methods=("ridge",), shares=SHARES, seeds=2, jobs=2, folder=tmp_path / "b")
    same = [row for row in made.rows() if row["method"] == "ridge"]
    for one, other in zip(found.rows(), same, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    names = {path.name for path in (tmp_path / "b" / "cells").iterdir()}
    assert len(names) == 8
    assert names < {path.name for path in (made.folder / "cells").iterdir()}


def test_with_all_pairs_a_method_for_unpaired_items_is_its_base(shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[Trial] = []
    real = jobs.measured
    monkeypatch.setattr(jobs, "measured", lambda asked, *rest, **more: fitted.append(asked) or real(asked, *rest, **more))
    base, soft = "kernel-cca", "soft-pairs(base=kernel-cca)"
    images = textanchor.Reading(modality="image")
    found = textanchor.budget(shapes, methods=(base, soft), shares=SHARES, seeds=1, reading=images)
    assert {(one.method, one.share) for one in fitted} == {(base, 0.5), (soft, 0.5), (base, 1.0)}
    assert {(spot.method, spot.share) for spot in found.spots} == {(name, share) for name in (base, soft) for share in SHARES}
    monkeypatch.setattr(jobs, "_fitted_as", lambda asked, world: asked)
    honest = textanchor.budget(shapes, methods=(base, soft), shares=(1,), seeds=1, reading=images)
    for spot in honest.spots:
        (same,) = [one for one in found.spots if one.share == 1 and (one.method, one.modality) == (spot.method, spot.modality)]
        for way, answers in spot.cells[0].answers.items():
            np.testing.assert_array_equal(answers.rank, same.cells[0].answers[way].rank)


def test_copies_in_several_groups_break_nothing() -> None:
    train, val = make_toy(items=60, texts=40, seed=1), make_toy(items=30, texts=12, seed=2)
    contents = tuple(train.items.contents[row % 30] for row in range(60))
    copied = replace(train, items=replace(train.items, contents=contents))
    lone = Unpaired(items=replace(train.items, ids=tuple(f"copy {name}" for name in train.items.ids)), groups=train.groups)
    for share in (0.5, 1.0):
        asked = Trial(modality="image", method="soft-pairs(base=ridge)", share=share, seed=0)
        assert measured(asked, Sides(pairs={"train": copied, "val": val}, unpaired=lone), val, device="cpu").pairs == 60 * share


def test_another_version_has_cells_of_its_own(made: Any, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "versions", lambda: {"textanchor": "99"})
    newer = textanchor.budget(shapes, methods=("ridge",), shares=(1,), seeds=1)
    assert set(newer.facts.conditions) == set(made.facts.conditions)
    for modality, conditions in newer.facts.conditions.items():
        assert conditions != made.facts.conditions[modality]
    assert "numpy" in json.loads((made.folder / "budget.json").read_text())["versions"]


def test_a_share_too_small_is_named_and_stops_nothing(shapes: Path) -> None:
    found = textanchor.budget(shapes, methods=("ridge",), shares=(1, 0.01), seeds=1)
    assert {spot.share for spot in found.spots} == {1.0}
    assert any("expected at least 4" in why for why in found.failed)
    with pytest.raises(InputError, match="expected at least 4"):
        textanchor.budget(shapes, methods=("ridge",), shares=(0.01,), seeds=1)


def test_both_directions_weigh_the_same() -> None:
    groups = tuple(f"g{row}" for row in range(10))
    answers = {
        "image->text": answered(np.array([0, 9]), groups[:2]),
        "text->image": answered(np.full(8, 9), groups[2:]),
    }
    one = replace(cell("a", 1.0, [1]), answers=answers)
    spot = Spot(modality="image", method="a", share=1.0, cells=(one,))
    assert spot.depth == 1, "of a gallery of five ten are no feat"
    large = {way: replace(one_way, gallery=100) for way, one_way in answers.items()}
    assert replace(spot, cells=(replace(one, answers=large),)).depth == 10
    assert spot.recall == pytest.approx((0.5 + 0) / 2)


def test_ten_class_names_do_not_blow_up_the_interval() -> None:
    """The slow way: groups are drawn anew, each direction's recall is taken, then their mean."""
    rng = np.random.default_rng(0)
    items, names = rng.random(400) < 0.8, np.array([True] * 8 + [False] * 2)
    answers = {
        "image->text": answered(np.where(items, 0, 9), tuple(f"g{row // 2}" for row in range(400))),
        "text->image": answered(np.where(names, 0, 9), tuple(f"text {row}" for row in range(10))),
    }
    spot = Spot(modality="image", method="a", share=1.0, cells=(replace(cell("a", 1.0, [1]), answers=answers),))
    assert spot.interval is not None
    means = []
    for _ in range(2000):
        drawn = rng.integers(200, size=200)
        of_items = np.mean([items[2 * group + side] for group in drawn for side in (0, 1)])
        means.append((of_items + names[rng.integers(10, size=10)].mean()) / 2)
    np.testing.assert_allclose(spot.interval, np.percentile(means, [2.5, 97.5]), atol=0.03)
    assert spot.interval[0] <= spot.recall <= spot.interval[1] <= 1
    perfect = replace(answers["text->image"], rank=np.zeros(10, dtype=int))
    sure = replace(spot, cells=(replace(spot.cells[0], answers={**answers, "text->image": perfect}),))
    assert sure.interval is not None
    assert sure.interval[1] - sure.interval[0] < 0.05, "what is right in every draw adds nothing"


def test_chance_is_that_of_a_random_ranking() -> None:
    relevant = np.array([1, 3, 12])
    expected = np.mean([1 - comb(20 - count, 10) / comb(20, 10) for count in relevant])
    held = Answers(rank=np.zeros(3, dtype=int), relevant=relevant, groups=("a", "b", "c"), gallery=20)
    assert held.chance(10) == pytest.approx(expected)
    assert held.chance(1) == pytest.approx(np.mean(relevant) / 20)
    assert held.chance(40) == 1


def test_differences_are_paired_and_crossovers_interpolated() -> None:
    held = [cell("a", 0.1, rate(0.4)), cell("a", 1.0, rate(0.6)), cell("b", 0.1, rate(0.2)), cell("b", 1.0, rate(0.8))]
    found = contrasts(spots(held))
    assert [(one.pairs, round(one.difference.gain, 6), one.difference.verdict) for one in found] == [
        (100, 0.2, "better"),
        (1000, -0.2, "worse"),
    ]
    (one,) = crossings(found)
    assert (one.before, one.after, one.low, one.high, one.certain) == ("a", "b", 100, 1000, True)
    assert one.about == round(np.sqrt(100 * 1000)), "halfway on a log scale"
    assert list(crossings(found[:1])) == []
    between = replace(found[0], pairs=300, difference=replace(found[0].difference, gain=0.0))
    assert list(crossings([*found, between])) == [one], "where two methods are equal neither is ahead"


def test_advice_finds_a_planted_power_law() -> None:
    shares = (0.05, 0.1, 0.25, 0.5, 1.0)
    rising = [
        cell("a", share, rate(0.9 - 6 * (4000 * share) ** -0.5, 2000), seed=seed, pairs=round(4000 * share))
        for share in shares
        for seed in (0, 1)
    ]
    told = advice(spots(rising), more=4000)
    assert told.gain.gain == pytest.approx(6 * (4000**-0.5 - 8000**-0.5), abs=0.005)
    assert told.gain.interval is not None
    assert told.gain.interval[0] <= told.gain.gain <= told.gain.interval[1]
    assert told.enough is None
    assert "4000 more would add about 2.8 points" in told.text


def test_of_equal_methods_the_quickest_is_advised() -> None:
    slow, quick = cell("a", 1.0, rate(0.7)), replace(cell("b", 1.0, rate(0.7)), seconds=0.01)
    assert advice(spots([slow, quick])).method == "b"
    assert advice(spots([replace(cell("a", 1.0, rate(0.71)), seconds=9.0), quick])).method == "a"


def test_nobody_extrapolates_beyond_as_many_again() -> None:
    rising = [cell("a", share, rate(0.9 - share**-0.5 / 5, 400), pairs=round(200 * share)) for share in (0.1, 0.25, 0.5, 1.0)]
    assert advice(spots(rising)).more == 200, "300, or as many as there are"
    assert advice(spots(rising), more=200).gain.gain is not None
    told = advice(spots(rising), more=201)
    assert told.gain.gain is None
    assert "201 more would add cannot be told (more than as many again as the 200 there are)" in told.text


def test_the_law_of_the_largest_budgets_is_what_is_told() -> None:
    """An S-shaped curve: the first two budgets lie below the law of the others, and the interval spans both laws."""
    shares, recalls = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0), (0.197, 0.324, 0.446, 0.582, 0.631, 0.66)
    curve = [cell("a", share, rate(own, 1000), pairs=round(5400 * share)) for share, own in zip(shares, recalls, strict=True)]
    whole, largest = advice(spots(curve), more=5400), advice(spots(curve[2:]), more=5400)
    assert whole.gain.gain == largest.gain.gain
    assert whole.gain.interval is not None
    assert largest.gain.interval is not None
    assert whole.gain.interval[0] <= largest.gain.interval[0]
    assert whole.gain.interval[1] > largest.gain.interval[1] + 0.01


def test_advice_says_when_nothing_more_was_gained_and_when_it_cannot_tell() -> None:
    flat = [cell("a", share, rate(0.7)) for share in (0.1, 0.25, 0.5, 1.0)]
    told = advice(spots(flat), more=300)
    assert told.enough == 100
    assert "cannot be told (the curve does not rise)" in told.text
    assert "beyond 100 pairs less than a point was gained" in told.text
    few = advice(spots(flat[:2]), more=300)
    assert "cannot be told (too few sizes)" in few.text


def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Two paired items in the first direction; of unpaired ones 6, 30 and 10 near three directions, and an outlier."""
    rng = np.random.default_rng(0)
    middles = np.eye(8)[[0] * 8 + [1] * 30 + [2] * 10 + [3]]
    rows = normalize(middles + 0.15 * rng.normal(size=middles.shape)).astype(np.float32)
    return rows[:2], rows[2:]


def test_near_duplicates_are_named_once() -> None:
    paired, lone = clusters()
    doubled = np.concatenate([lone, lone, paired])
    chosen = covering(paired, doubled, 200)
    assert len({int(row) % len(lone) for row in chosen}) == len(chosen) <= len(lone)
    assert chosen.max() < 2 * len(lone), "what a pair shows already is not asked for"
    least, expected = uncertain(paired, doubled, np.arange(len(doubled), dtype=np.float32), [0], 5), [0]
    for row in range(1, len(doubled)):
        known = [*paired, *doubled[expected]]
        if len(expected) < 6 and max(float(doubled[row] @ one) for one in known) < 0.98:
            expected.append(row)
    assert least == expected[1:]
    twice = np.concatenate([lone[[3]], lone[[3]], lone])
    assert uncertain(paired, twice, np.arange(len(twice), dtype=np.float32), [], 3) == [0, 2, 3]


def test_the_first_half_is_diverse_and_the_rest_uncertain() -> None:
    lone = make_toy(items=40, texts=20, seed=5)
    sides = Sides(
        pairs={"train": make_toy(items=40, texts=30, seed=1), "val": make_toy(items=20, texts=12, seed=2)},
        unpaired=Unpaired(items=lone.items, groups=lone.groups),
    )
    found = proposed(sides, 6, method="ridge")
    assert [one.reason.split(":")[0] for one in found] == ["diverse"] * 3 + ["uncertain"] * 3
    assert [one.reason.split(":")[0] for one in proposed(sides, 5, method="ridge")] == ["diverse"] * 3 + ["uncertain"] * 2
    assert {one.reason.split(":")[0] for one in proposed(sides, 6, method="ridge", diverse=0)} == {"uncertain"}
    assert len({one.item for one in found}) == 6
    assert {one.item for one in found} <= set(lone.items.ids)


@pytest.mark.parametrize(("count", "diverse"), [(4, 4), (8, 7), (20, 13)])
def test_uncertain_items_come_when_a_tenth_has_texts(count: int, diverse: int) -> None:
    lone = make_toy(items=180, texts=20, seed=5)
    few = {"train": make_toy(items=10, texts=8, seed=1), "val": make_toy(items=4, texts=4, seed=2)}
    told = proposed(Sides(pairs=few, unpaired=Unpaired(items=lone.items, groups=lone.groups)), count, method="ridge")
    kinds = [one.reason.split(":")[0] for one in told]
    assert kinds == ["diverse"] * diverse + ["uncertain"] * (count - diverse), "14 of 194 have texts, six more make a tenth"


def test_what_validates_has_its_text_already() -> None:
    train, val = make_toy(items=10, texts=8, seed=1), make_toy(items=6, texts=6, seed=2)
    copies = replace(val.items, ids=tuple(f"again {name}" for name in val.items.ids))
    sides = Sides(pairs={"train": train, "val": val}, unpaired=Unpaired(items=copies, groups=val.groups))
    assert proposed(sides, 3, method="ridge") == []


def test_the_command_line(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    asked = ("budget", shapes, "-o", tmp_path / "b", "--method", "ridge", "--share", "1", "--share", "0.5", "--seeds", "1")
    done = run(*asked)
    assert done.exit_code == 0, done.stderr
    assert "image: recall by number of pairs, judged on" in done.stdout
    assert "image: with " in done.stdout
    told = json.loads(run(*asked, "--json").stdout)
    assert len(told["rows"]) == 4


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("--next", "2"), "has no unpaired item"),
        (("--next", "0"), "0 is not in the range"),
        (("--next", "2", "-o", "b"), "--output is about measuring"),
        (("--next", "2", "--seeds", "3"), "--seeds is about measuring"),
        (("--next", "2", "--method", "ridge", "--method", "cca"), "asks one method"),
        (("--next", "2", "--out", "there.csv"), "there.csv exists already; name another place or add --overwrite"),
        (("--out", "n.csv"), "say how many items"),
        (("--overwrite",), "say how many items"),
        (("--share", "0"), "a share of 0.0 of the pairs: expected more than 0 and at most 1"),
        (("--share", "nan"), "a share of nan of the pairs"),
        (("--method", "rigde"), "no aligner is called 'rigde'"),
        (("--method", "ridge(alpha=much)"), "alpha"),
        (("--method", "ridge", "--share", "0.01", "--seeds", "1"), "expected at least 4, two to fit and two to choose on"),
        (("--fractions", "1,0,0"), "no item on the val side to judge on"),
        (("-o", "there.csv"), "there.csv exists and is no budget"),
    ],
)
def test_bad_input_is_an_answer(
    run: Callable[..., Any],
    shapes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    answer: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.csv").write_text("mine")
    done = run("budget", shapes, *arguments)
    assert done.exit_code == 2
    assert answer in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"], "nothing is written and nothing replaced"


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_too_few_pairs_are_an_answer(run: Callable[..., Any], shapes: Path, tmp_path: Path, rows: int) -> None:
    table = tmp_path / "few.csv"
    images = [row for row in table_rows(shapes / "pairs.csv") if row["path"].startswith("image")]
    lines = [f"{shapes / row['path']},{row['text']} {number},{number}" for number, row in enumerate(images[:rows])]
    table.write_text("\n".join(("path,text,group", *lines)))
    done = run("budget", table, "--method", "ridge", "--seeds", "1")
    assert done.exit_code in (0, 2)
    assert "Traceback" not in done.stderr
    assert "at least" in done.stderr


def test_the_next_items_are_a_table_to_fill_in(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    table, place = tmp_path / "pairs.csv", tmp_path / "next.csv"
    rows = table_rows(shapes / "pairs.csv")
    kept = [row for row in rows if row["path"].startswith("image")]
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("path", "text", "group"))
        for number, row in enumerate(kept):
            writer.writerow((shapes / row["path"], row["text"] if number % 3 else "", row["group"]))
    done = run("budget", table, "--next", "3", "--out", place)
    assert done.exit_code == 0, done.stderr
    assert run("budget", table, "--next", "3", "--out", place).exit_code == 2, "a table that somebody fills in is not replaced"
    told = run("budget", table, "--next", "3", "--out", place, "--overwrite", "--method", "ridge", "--json")
    assert [row["modality"] for row in json.loads(told.stdout)] == ["image"] * 3
    written = table_rows(place)
    assert len(written) == 3
    assert all(Path(row["path"]).is_file() and row["text"] == "" for row in written)
    assert written[0]["reason"].startswith("diverse")
    lone = {str(shapes / row["path"]) for number, row in enumerate(kept) if not number % 3}
    assert {row["path"] for row in written} <= lone
