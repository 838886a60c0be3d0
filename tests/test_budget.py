"""The budget: shares of the pairs, intervals, crossovers, advice, cells that are found again, and what to describe next."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import normalize

import textanchor
from conftest import make_toy
from textanchor.budgeting import cells as cells_module
from textanchor.budgeting import measuring
from textanchor.budgeting.advice import advice
from textanchor.budgeting.cells import Answers, Cell, Trial, key, measured, store, stored
from textanchor.budgeting.choosing import covering, proposed, uncertain
from textanchor.budgeting.spots import Spot, contrasts, crossings, spots
from textanchor.errors import InputError, UnknownNameError
from textanchor.records import Choice, Unpaired
from textanchor.space.preparing import Sides

SHARES, METHODS = (1.0, 0.5), ("ridge", "cca")


@pytest.fixture(scope="module")
def made(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("budget") / "b"
    return textanchor.budget(shapes, methods=METHODS, shares=SHARES, seeds=2, folder=folder)


def cell(method: str, share: float, hits: list[int], *, seed: int = 0, pairs: int | None = None) -> Cell:
    """Queries of both directions that are right at 1 as told, out of galleries of five."""
    rank = np.array([0 if hit else 3 for hit in hits])
    groups = tuple(f"g{row}" for row in range(len(hits)))
    answers = {way: Answers(rank=rank, groups=groups, gallery=5, chance=0.2) for way in ("image->text", "text->image")}
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
    real = measuring.measured

    def counted(asked: Trial, *rest: Any, **more: Any) -> Cell:
        fitted.append(asked)
        return real(asked, *rest, **more)

    monkeypatch.setattr(measuring, "measured", counted)
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


def test_a_share_too_small_is_named_and_stops_nothing(shapes: Path) -> None:
    found = textanchor.budget(shapes, methods=("ridge",), shares=(1, 0.01), seeds=1)
    assert {spot.share for spot in found.spots} == {1.0}
    assert any("expected at least 4" in why for why in found.failed)
    with pytest.raises(InputError, match="expected at least 4"):
        textanchor.budget(shapes, methods=("ridge",), shares=(0.01,), seeds=1)


def test_both_directions_weigh_the_same() -> None:
    groups = tuple(f"g{row}" for row in range(10))
    answers = {
        "image->text": Answers(rank=np.array([0, 9]), groups=groups[:2], gallery=5, chance=0.2),
        "text->image": Answers(rank=np.full(8, 9), groups=groups[2:], gallery=5, chance=0.2),
    }
    one = replace(cell("a", 1.0, [1]), answers=answers)
    spot = Spot(modality="image", method="a", share=1.0, cells=(one,))
    assert spot.depth == 1, "a gallery of five has no recall at 10"
    assert spot.recall == pytest.approx((0.5 + 0) / 2)


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


def test_what_is_chosen_covers_what_no_pair_covers() -> None:
    paired, lone = clusters()
    first, second = covering(paired, lone, 2)
    assert 6 <= first < 36, "the largest region without a pair comes first"
    assert 36 <= second < 46, "then the next"


def test_covering_is_greedy_facility_location() -> None:
    paired, lone = clusters()
    alike, chosen = lone @ lone.T, []
    covered = [max(float(row @ known) for known in paired) for row in lone]
    for _ in range(4):
        totals = {}
        for candidate in range(len(lone)):
            if covered[candidate] < 0.98:
                totals[candidate] = sum(max(0.0, float(alike[candidate, row]) - covered[row]) for row in range(len(lone)))
        best = max(totals, key=totals.__getitem__)
        chosen.append(best)
        covered = [max(old, float(alike[best, row])) for row, old in enumerate(covered)]
    np.testing.assert_array_equal(covering(paired, lone, 4), chosen)


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
    assert len({one.item for one in found}) == 6
    assert {one.item for one in found} <= set(lone.items.ids)


def test_the_command_line(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    asked = ("budget", shapes, "-o", tmp_path / "b", "--method", "ridge", "--share", "1", "--share", "0.5", "--seeds", "1")
    done = run(*asked)
    assert done.exit_code == 0, done.stderr
    assert "Recall by number of pairs" in done.stdout
    assert "image: with " in done.stdout
    told = json.loads(run(*asked, "--json").stdout)
    assert len(told["rows"]) == 4
    refused = run("budget", shapes, "--next", "2")
    assert refused.exit_code == 2
    assert "has no unpaired item" in refused.stderr
    assert run("budget", shapes, "--out", tmp_path / "n.csv").exit_code == 2


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
    written = table_rows(place)
    assert len(written) == 3
    assert all(Path(row["path"]).is_file() and row["text"] == "" for row in written)
    assert written[0]["reason"].startswith("diverse")
    lone = {str(shapes / row["path"]) for number, row in enumerate(kept) if not number % 3}
    assert {row["path"] for row in written} <= lone
