"""Beside every accuracy and recall@1 stands what the largest class alone reaches and, where classes are uneven, the macro
figure; intervals hold for few queries."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture
from textanchor.judging import paired
from textanchor.metrics.balance import largest_class, macro
from textanchor.metrics.interval import bootstrap, of_gain, of_share, wilson

Run = Callable[..., Any]


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 2, 0, 0.658), (2, 2, 0.342, 1), (1, 2, 0.095, 0.905), (0, 10, 0, 0.278), (9, 10, 0.596, 0.982), (19, 19, 0.832, 1)],
)
def test_wilson_where_queries_are_few(hits: int, of: int, low: float, high: float) -> None:
    told = of_share(np.arange(of) < hits, names(of))
    assert told == pytest.approx((low, high), abs=1e-3)
    assert wilson(hits / of, of) == pytest.approx(told)


def test_many_queries_keep_the_bootstrap_unless_it_has_no_width() -> None:
    hits = np.random.default_rng(0).random(50) < 0.7
    assert of_share(hits, names(50)) == bootstrap(hits, names(50))
    assert of_share(np.ones(50, dtype=bool), names(50)) == pytest.approx((0.929, 1), abs=1e-3)
    assert of_share(np.zeros(50, dtype=bool), names(50)) == pytest.approx((0, 0.071), abs=1e-3)


def test_hits_of_one_group_are_not_independent() -> None:
    alike, groups = np.repeat([True, True, False, True], 25), [str(number) for number in range(4) for _ in range(25)]
    spread = np.tile([True, True, False, True], 25)
    tied, loose = of_share(alike, groups), of_share(spread, groups)
    assert tied == pytest.approx(wilson(0.75, 4)), "a group of copies counts once"
    assert loose is not None
    assert tied is not None
    assert loose[1] - loose[0] < tied[1] - tied[0]
    assert of_share(alike, ["one"] * 100) is None, "nothing can be said about further groups"


@pytest.mark.parametrize(("rate", "groups", "each"), [(0.1, 8, 1), (0.5, 5, 1), (0.9, 12, 1), (0.7, 8, 6), (0.95, 30, 1)])
def test_intervals_cover_the_truth(rate: float, groups: int, each: int) -> None:
    rng, covered = np.random.default_rng(1), 0
    for _ in range(400):
        ability = np.repeat(rng.beta(4 * rate, 4 * (1 - rate), groups) if each > 1 else np.full(groups, rate), each)
        low, high = of_share(rng.random(groups * each) < ability, [str(row // each) for row in range(groups * each)]) or (0, 0)
        covered += low <= rate <= high
    assert covered / 400 > 0.88


def test_two_gained_of_two_are_no_proof() -> None:
    assert paired(np.ones(2), np.zeros(2), names(2)).verdict == "cannot tell"
    assert paired(np.ones(8), np.zeros(8), names(8)).verdict == "better"
    low, high = of_gain(np.zeros(30), names(30)) or (0, 0)
    assert low == pytest.approx(-high)
    assert 0.02 < high < 0.1
    told = of_gain(np.repeat([0.03, 0.04], 50), ["a"] * 50 + ["b"] * 50)
    assert told is not None
    assert told[0] < 0 < told[1], "two groups tell nothing of a third"
    gains = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 60)
    assert of_gain(gains, names(60)) == bootstrap(gains, names(60))


def test_macro_and_largest_class() -> None:
    classes, hits = np.array([0] * 8 + [1] * 2), np.array([True] * 8 + [False] * 2)
    assert largest_class(classes) == 0.8
    assert macro(hits, classes) == 0.5
    assert macro(hits, np.arange(10) // 5) is None, "even classes: it would say the same"


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Circles, squares and crosses in shares of ten, four and two."""
    folder, rows = tmp_path_factory.mktemp("uneven"), []
    for kind, count in (("circle", 100), ("square", 40), ("cross", 20)):
        for seed in range(count):
            picture(kind, seed).save(folder / f"{kind}{seed}.png")
            rows.append((f"{kind}{seed}.png", kind))
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text"), *rows])
    return folder


@pytest.fixture(scope="module")
def fitted(uneven: Path) -> Path:
    import textanchor

    return textanchor.fit(uneven, aligner="ridge").save(uneven / "space")


def test_fit_prints_them(run: Run, uneven: Path, tmp_path: Path) -> None:
    done = run("fit", uneven / "pairs.csv", "-o", tmp_path / "space", "--aligner", "ridge")
    (line,) = (line for line in done.stdout.splitlines() if "validation items: R@1" in line)
    assert "macro" in line
    assert "the largest class alone 0.6" in line
    choice = json.loads((tmp_path / "space" / "space.json").read_text())["modalities"]["image"]["choice"]
    assert choice["naming"]["largest_class"] == pytest.approx(0.6, abs=0.1)


def test_evaluate_prints_them_in_tables_json_and_report(run: Run, uneven: Path, fitted: Path, tmp_path: Path) -> None:
    done = run("evaluate", fitted, uneven / "pairs.csv", "-o", tmp_path / "report")
    assert done.exit_code == 0, done.stderr
    heading = next(line for line in done.stdout.splitlines() if "R@1 interval" in line)
    assert all(name in heading for name in ("macro R@1", "chance R@1", "largest class R@1"))
    assert "largest class" in next(line for line in done.stdout.splitlines() if "5-NN accuracy" in line)
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    naming = metrics["alignment"][0]
    assert naming["largest class R@1"] == pytest.approx(100 / 160, abs=0.05)
    assert naming["R@1"] >= naming["macro R@1"] > 0
    low, high = naming["R@1 interval"]
    assert low < naming["R@1"] <= high
    assert {"macro accuracy", "largest class"} <= set(metrics["map"])
    assert all("macro accuracy" in row for row in metrics["probes"])
    constant = [row for row in metrics["probes"] if row["features"] == "largest class"]
    assert [row["macro accuracy"] for row in constant] == pytest.approx([1 / 3] * len(constant), abs=1e-6)
    page = (tmp_path / "report" / "report.html").read_text()
    assert "largest class R@1" in page
    assert "the largest class alone" in page


def test_the_board_has_them(run: Run, uneven: Path, tmp_path: Path) -> None:
    done = run("bench", uneven / "pairs.csv", "-o", tmp_path / "board", "--aligner", "ridge", "--seeds", 1)
    assert done.exit_code == 0, done.stderr
    last = next(line for line in done.stdout.splitlines() if "(largest class)" in line)
    assert "0.6" in last
    assert "image->text macro" in done.stdout
    header = (tmp_path / "board" / "board.csv").read_text().splitlines()[0]
    assert "image->text largest class R@1" in header
    assert "largest class R@1 sd" not in header
    told = json.loads(
        run("bench", uneven / "pairs.csv", "-o", tmp_path / "board", "--aligner", "ridge", "--seeds", 1, "--json").stdout
    )
    assert told["validation"][0]["image->text largest class R@1"] == pytest.approx(0.6, abs=0.1)
    assert "largest class R@1" in (tmp_path / "board" / "board.html").read_text()


def test_the_doctor_has_them(run: Run, uneven: Path) -> None:
    told = json.loads(run("doctor", uneven / "pairs.csv", "--json").stdout)
    assert all(row["largest class R@1"] == pytest.approx(0.6, abs=0.1) and "macro R@1" in row for row in told["reached"])
    assert any("(largest class 0." in finding["text"] for finding in told["findings"] if finding["topic"] == "more pairs")


def test_unseen_classes_have_them(run: Run, tmp_path: Path) -> None:
    rows = []
    for number in range(9):
        for seed in range(4 + 8 * (number % 2)):
            picture("circle", seed + 20 * number).save(tmp_path / f"{number}-{seed}.png")
            rows.append((f"{number}-{seed}.png", f"thing {number} of nine"))
    with (tmp_path / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text"), *rows])
    pairs, space = tmp_path / "pairs.csv", tmp_path / "space"
    assert run("fit", pairs, "-o", space, "--aligner", "ridge", "--fractions", "0.4,0.1,0.5").exit_code == 0
    done = run("evaluate", space, pairs, "--no-probes", "--unseen-classes", 3, "--json")
    (row,) = json.loads(done.stdout)["zero-shot"]
    assert row["largest class"] > row["chance"]
    assert "macro accuracy" in row
