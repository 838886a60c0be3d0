"""What somebody meets who labels for the first time and has read nothing: each step says the next, nothing is lost unsaid."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import picture
from label_made import CLASSES, answered, made
from test_cli import fails
from textanchor.errors import InputError, UnknownNameError
from textanchor.labelling.curves import interval
from textanchor.labelling.guarantee import Calibration, Promise, Rest, decide
from textanchor.labelling.project import Project, Settings
from textanchor.labelling.reporting.comparing import compared
from textanchor.labelling.reporting.replaying import replayed

Run = Callable[..., Any]


@pytest.fixture
def known(tmp_path: Path) -> Project:
    """Sixty items in three clouds, none decided on."""
    return made(tmp_path / "p.label", apart=4.0)


def decided(project: Project, names: list[str], who: str = "Ada") -> None:
    for name in names:
        project.decide(name, classes=[CLASSES[int(name.split()[1]) % 3]], who=who)


def test_a_table_may_be_named_from_where_one_stands(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    for place in range(4):
        picture("circle", place).save(tmp_path / "in" / f"{place}.png")
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "shape"), *((f"in/{place}.png", "circle") for place in range(4))])
    monkeypatch.chdir(tmp_path)
    done = run("label", "start", "p.label", "t.csv", "--labels", "shape", "--encoder", "image=signal")
    assert done.exit_code == 0, done.stderr
    assert "people: 4 labelled" in done.stdout


@pytest.mark.parametrize("lease", [0.0, -1.0, float("nan"), float("inf"), 1e12])
def test_a_lease_ends(lease: float) -> None:
    with pytest.raises(InputError, match="seconds above 0 and at most a year"):
        Settings(lease=lease)


def test_a_proposer_that_nobody_has_is_refused_when_it_is_set(known: Project) -> None:
    with pytest.raises(UnknownNameError, match="no proposer is called 'frog'"):
        known.change(proposer="frog")
    assert known.change(proposer="logistic").proposer == "logistic"
    assert known.change(proposer="auto").proposer == "auto"


def test_what_a_source_said_is_nobody_s_step(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in" / "circle").mkdir(parents=True)
    for place in range(4):
        picture("circle", place).save(tmp_path / "in" / "circle" / f"{place}.png")
    file = tmp_path / "p.label"
    start = ("label", "start", file, tmp_path / "in", "--labels", "folder", "--class", "circle", "--class", "cross")
    assert run(*start, "--encoder", "image=signal", "--who", "Ada").exit_code == 0
    assert run("label", "decide", file, "circle/0.png=cross", "--who", "Ada").exit_code == 0
    assert "taken back: circle/0.png" in run("label", "undo", file, "--who", "Ada").stdout
    assert "nothing of Ada is left" in run("label", "undo", file, "--who", "Ada").stdout
    assert Project(file).progress().classes == {"circle": 4, "cross": 0}


def test_where_no_promise_is_made_the_reason_comes_before_the_missing_certificate(run: Run, known: Project) -> None:
    decided(known, ["item 0", "item 1", "item 2"])
    certificate = known.file.parent / "c.json"
    done = run("label", "propose", known.file, "-o", certificate)
    assert done.exit_code == 2
    assert "no promise can be made: 0 labels drawn at random" in done.stdout
    assert f"next: label items that are drawn at random: textanchor label next {known.file} --stream drawn" in done.stderr
    assert "c.json is not written: nothing is let through" in done.stderr
    assert not certificate.exists()


def test_the_next_step_follows_on_the_last(run: Run, known: Project) -> None:
    def next_step() -> str:
        return str(run("label", "info", known.file).stderr).split("next: ")[1].strip()

    file = known.file
    assert next_step().startswith(f"textanchor label next {file}, then")
    answered(known, 20)
    assert next_step() == f"textanchor label propose {file}"
    assert known.propose(level=0.3).through
    assert next_step() == f"textanchor label accept {file}"
    known.accept(who="Ada")
    for ask in known.next("Ada", 3, stream="audit"):  # what is looked at is not to be taken over once more
        decided(known, [ask.entry.id])
    assert known.progress().acceptable == 0
    assert not next_step().startswith(f"textanchor label accept {file}")


def test_what_is_on_trial_is_looked_at_before_it_is_taken_over(run: Run, known: Project) -> None:
    answered(known, 20)
    known.propose(form="audit", level=0.3)
    says = run("label", "info", known.file).stderr
    assert f"next: textanchor label next {known.file} --stream audit" in says
    assert "label accept" not in says
    answered(known, 30, stream="audit")
    assert known.audit().verdict == "met"
    assert f"next: textanchor label accept {known.file}" in run("label", "info", known.file).stderr
    assert f"next: textanchor label accept {known.file}" in run("label", "audit", known.file).stderr


def test_an_audit_says_which_looks_do_not_count_yet(run: Run, known: Project) -> None:
    answered(known, 20)
    known.propose(form="audit", level=0.3)
    open_, *looked = known.next("Ada", 6, stream="audit")
    decided(known, [ask.entry.id for ask in looked])
    found = known.audit()
    assert (found.shown, found.beyond) == (0, 5)
    assert "5 more were looked at; they count once" in run("label", "audit", known.file).stdout
    decided(known, [open_.entry.id])
    assert (known.audit().shown, known.audit().beyond) == (6, 0)


def test_an_audit_of_nothing_says_what_to_do(run: Run, known: Project) -> None:
    done = run("label", "audit", known.file)
    assert "nothing was taken over, and nothing is on trial" in done.stdout
    assert f"textanchor label accept {known.file}" in done.stderr
    asked = run("label", "next", known.file, "--stream", "audit")
    assert f"textanchor label accept {known.file}" in asked.stderr


def test_an_empty_table_decides_nothing_and_says_so(run: Run, known: Project, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("item,label\nitem 0,\n")
    fails(run("label", "decide", known.file, "--csv", tmp_path / "t.csv"), "t.csv holds no decision")


def test_an_unknown_class_says_how_to_add_one(run: Run, known: Project) -> None:
    fails(run("label", "decide", known.file, "item 0=frog"), "textanchor label class PROJECT KEY=TEXT")


def test_many_poor_class_texts_are_not_a_wall_of_lines(run: Run, tmp_path: Path) -> None:
    for place in range(3):
        picture("circle", place).save(tmp_path / f"{place}.png")
    poor = [f"--class={number}" for number in range(30)]
    done = run("label", "start", tmp_path / "p.label", tmp_path, "--encoder", "image=signal", *poor)
    assert done.stderr.count("is a number") == 5
    assert "... and 25 more classes: textanchor label check" in done.stderr


def test_an_interval_of_shares_stays_among_shares() -> None:
    assert interval(np.array([0.999, 0.9])) == (pytest.approx(0.9495 - 12.7062 * 0.0495, abs=1e-3), 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda held: held.decide("item 0", classes="red", who="Ada"),
        lambda held: held.accept("red", who="Ada"),
        lambda held: Project.start(held.file.parent / "q", ["a", "b", "c"], classes="red"),
    ],
)
def test_one_word_is_not_a_class_a_letter(known: Project, call: Callable[[Project], Any]) -> None:
    with pytest.raises(InputError, match=r"classes='red': expected a list of classes, such as \['"):
        call(known)


def test_a_replay_knows_one_class_an_item(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="have several classes each"):
        replayed(made(tmp_path / "p.label", multi=True))


def test_a_project_of_several_classes_says_that_it_has_no_certificate(run: Run, tmp_path: Path) -> None:
    held = made(tmp_path / "p.label", multi=True, apart=6.0)
    answered(held, 30)
    done = run("label", "propose", held.file, "--level", 0.4, "-o", tmp_path / "c.json")
    assert "each with a promise of its own, so that there is no certificate" in done.stderr
    assert "may be given a class without a look" in done.stdout


def test_arrays_that_are_lists_are_named() -> None:
    with pytest.raises(InputError, match="hold a list; expected numpy arrays"):
        Calibration(scores=[0.5], wrong=[False])  # type: ignore[arg-type]


def test_no_more_labels_are_wished_for_than_there_are_items() -> None:
    nothing = Calibration(scores=np.zeros(0), wrong=np.zeros(0, dtype=bool))
    few, many = (decide(nothing, Rest(scores=np.linspace(0, 1, count)), Promise()).reason for count in (8, 80))
    assert "25 more labels would do (an estimate), and 8 items are left" in few
    assert "label 25 more random items (an estimate)" in many


def test_no_mistake_seen_is_not_told_as_none_expected(known: Project) -> None:
    answered(known, 30)
    told = known.propose(level=0.3)
    assert told.through
    assert not any("0.0%" in line for line in told.says)
    assert any("none was proposed wrong" in line for line in told.says)


def test_what_an_audit_draws_says_nothing_of_all_proposals(known: Project) -> None:
    answered(known, 30)
    known.propose(level=0.3)
    known.accept(who="Ada")
    before = compared(known).proposed.items
    answered(known, 5, stream="audit")
    assert compared(known).proposed.items == before


def test_two_estimates_do_not_contradict_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textanchor.labelling.guarantee.deciding.needed", lambda *_: 112)
    monkeypatch.setattr("textanchor.labelling.project.proposing.freed", lambda *_, more: 1.0)
    held = made(tmp_path / "p.label", count=400, drawn=1.0)
    answered(held, 5)
    says = "\n".join(held.propose(level=0.01).says)
    assert "label 112 more random items" in says
    assert "200 more random labels would free about" in says
