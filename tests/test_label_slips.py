"""Slips that are made while labelling, and steps that are made twice: each is answered, nothing stands that does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from label_made import CLASSES, answered, made
from test_cli import fails
from textanchor.errors import InputError
from textanchor.labelling.formats import import_labels
from textanchor.labelling.guarantee import Promise
from textanchor.labelling.project import Choice, Project
from textanchor.labelling.project.proposing import propose

Run = Callable[..., Any]


@pytest.fixture
def known(tmp_path: Path) -> Project:
    """Sixty items in three clouds, none decided on."""
    return made(tmp_path / "p.label", apart=4.0)


def right(name: str) -> Choice:
    return Choice(item=name, classes=(CLASSES[int(name.split()[1]) % 3],))


def other_class(project: Project) -> None:
    """Ada thinks otherwise of an item that she decided on."""
    first = project.history(who="Ada")[0]
    project.decide(first.item, classes=[next(one for one in CLASSES if one not in first.classes)], who="Ada")


@pytest.mark.parametrize("slip", [lambda project: project.undo("Ada"), other_class])
def test_a_run_that_stood_on_other_labels_is_not_taken_over(run: Run, known: Project, slip: Callable[[Project], Any]) -> None:
    answered(known, 20)
    assert known.propose(level=0.3).through
    answered(known, 3, who="Bob")  # more labels change none of those that the run stood on
    assert known.progress().otherwise == 0
    slip(known)
    fails(run("label", "accept", known.file), "labels that the promise stood on are not the same any more (1); propose again")
    assert f"next: textanchor label propose {known.file} (labels that" in run("label", "info", known.file).stderr
    assert known.accept(above=0.9, who="Ada") > 0
    known.undo("Ada")
    known.propose(level=0.3)
    assert f"next: textanchor label accept {known.file}" in run("label", "info", known.file).stderr
    assert known.accept(who="Ada") > 0


def test_a_label_that_is_given_again_is_the_same(known: Project) -> None:
    answered(known, 20)
    known.propose(level=0.3)
    (back,) = known.undo("Ada")
    assert known.progress().otherwise == 1
    known.decide(back.item, classes=back.classes, who="Ada")
    assert known.progress().otherwise == 0
    assert known.accept(who="Ada") > 0
    known.undo("Ada")  # what was taken over is no label that a run stands on
    assert known.progress().otherwise == 0


def test_with_all_labels_taken_back_labels_come_first(run: Run, known: Project) -> None:
    known.decide_all([right(ask.entry.id) for ask in known.next("Ada", 20)], who="Ada")
    assert known.propose(level=0.3).through
    known.undo("Ada")
    assert f"next: textanchor label next {known.file} --stream drawn" in run("label", "info", known.file).stderr


def test_an_audit_that_is_met_on_other_labels_asks_for_a_new_run(run: Run, known: Project) -> None:
    answered(known, 20)
    known.propose(form="audit", level=0.3)
    answered(known, 30, stream="audit")
    assert known.audit().verdict == "met"
    other_class(known)
    assert f"next: textanchor label propose {known.file}" in run("label", "audit", known.file).stderr


def test_a_table_that_is_imported_twice_is_written_once(run: Run, known: Project, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("item,label\nitem 0,red\nitem 1,green\nitem 1,green\n")
    known.decide("item 0", classes=["red"], who="Ada")
    assert "1 decisions are new, 2 were there already" in run("label", "import", known.file, table, "--who", "Ada").stdout
    assert "0 decisions are new, 3 were there already" in run("label", "import", known.file, table, "--who", "Ada").stdout
    assert len(known.history()) == 2
    assert import_labels(known, table, who="Bob").new == 2  # another person says it too
    known.undo("Ada")
    brought = import_labels(known, table, who="Ada")
    assert (brought.new, brought.known) == (1, 2)  # what was taken back stands no more
    other = tmp_path / "u.csv"
    other.write_text("item,label\nitem 0,blue\n")
    assert import_labels(known, other, who="Ada").new == 1
    assert import_labels(known, table, who="Ada").new == 1  # the other way about again
    assert known.entry("item 0").state.classes == ("red",)


@pytest.mark.parametrize("command", [("decide", "--csv"), ("import",)])
def test_two_classes_of_one_item_are_refused_with_both_rows(
    run: Run, known: Project, tmp_path: Path, command: tuple[str, ...]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("item,label\nitem 0,red\nitem 1,green\nitem 0,blue\n")
    name, *option = command
    done = run("label", name, known.file, *option, table, "--who", "Ada")
    fails(done, "t.csv:2 says that 'item 0' is 'red', and t.csv:4 that it is 'blue'")
    assert not known.history()
    table.write_text("item,label,who\nitem 0,red,Ada\nitem 0,blue,Bob\n")  # two people may differ
    assert run("label", name, known.file, *option, table).exit_code == 0
    assert known.entry("item 0").state.disagree


def test_one_person_may_have_thought_otherwise_later(known: Project, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("item,label,at\nitem 0,red,2026-01-01\nitem 0,blue,2026-01-02\n")
    assert import_labels(known, table).new == 2
    assert import_labels(known, table).new == 0
    assert known.entry("item 0").state.classes == ("blue",)


def test_classes_that_nobody_labelled_are_told_before_they_are_missed(run: Run, known: Project) -> None:
    for name in ("item 0", "item 3", "item 6"):
        known.decide(name, classes=["red"], who="Ada")
    known.propose()
    told = "2 of 3 classes have no label, and nothing is proposed as one of them"
    assert told in run("label", "accept", known.file, "--above", 0, "--who", "Cy").stderr
    known.undo("Cy")
    answered(known, 20)
    known.propose()
    assert "have no label" not in run("label", "accept", known.file, "--above", 0.5).stderr


@pytest.mark.parametrize("form", ["average", "confidence", "audit"])
@pytest.mark.parametrize("multi", [False, True])
def test_where_all_is_labelled_no_more_labels_are_wished_for(tmp_path: Path, form: str, multi: bool) -> None:
    held = made(tmp_path / "p.label", multi=multi)
    answered(held, 60)
    says = " ".join(held.propose(form=form).says)
    assert "nothing is left to label" in says
    assert "label items" not in says
    assert "more" not in says


def test_where_all_is_decided_names_alone_wish_for_nothing(known: Project) -> None:
    pool = replace(known.pool(), by_names=np.full((60, 3), 1 / 3, dtype=np.float32))
    for ask in known.next("Ada", 60):
        known.decide(ask.entry.id, "none", who="Ada")
    assert propose(pool, known.told(), Promise()).says[-1] == "nothing is left to label"


def test_a_beginning_says_what_its_items_are_taken_for(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("item,label\n" + "".join(f"photos/{place}.jpg,red {place}\n" for place in range(4)))
    done = run("label", "start", tmp_path / "p.label", table, "--encoder", "document=signal")
    assert done.exit_code == 0, done.stderr
    assert "items by modality: 4 text" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [("{}", "it says no kind"), ('{"kind": "a recipe"}', 'its kind is "a recipe"'), ("[1]", "it holds [1]")],
)
def test_what_is_no_certificate_is_told_from_one(run: Run, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "c.json").write_text(text)
    done = run("label", "verify", tmp_path / "c.json")
    fails(done, f"c.json is no textanchor labelling certificate: {told}; expected an object whose kind is")


def test_a_certificate_is_not_written_over(run: Run, known: Project, tmp_path: Path) -> None:
    answered(known, 20)
    certificate = tmp_path / "c.json"
    certificate.write_text("mine")
    propose = ("label", "propose", known.file, "--level", 0.3, "-o", certificate)
    fails(run(*propose), "c.json exists already; name another place or add --overwrite")
    assert certificate.read_text() == "mine"
    assert known.run is None  # nothing was done before
    assert run(*propose, "--overwrite").exit_code == 0
    assert run("label", "verify", certificate).exit_code == 0


def test_a_run_of_an_older_version_stands_on_what_it_said(known: Project) -> None:
    answered(known, 20)
    known.propose(level=0.3)
    with known.database.writing():
        known.database.ask("UPDATE runs SET told = json_remove(told, '$.event')")
    known.undo("Ada")
    assert known.progress().otherwise == 0
    with pytest.raises(InputError, match="who decides"):
        known.accept(who="")
