"""A labelling project: decisions, who is asked what, several people and processes, damage, kill -9."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from label_made import CLASSES, COUNT, answered, made
from textanchor.database import Database
from textanchor.errors import DamagedError, InputError, UnknownNameError
from textanchor.labelling.guarantee import Certificate, Promise, stream, verify
from textanchor.labelling.guarantee import audited as said_by
from textanchor.labelling.project import Choice, Project
from textanchor.labelling.project.deciding import Event, settled
from textanchor.labelling.project.filling import rank


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return made(tmp_path / "p.label")


def test_what_was_written_is_read_back(project: Project) -> None:
    assert [one.key for one in project.classes] == list(CLASSES)
    entry = project.entry("item 7")
    assert (entry.item.value, entry.state.status, entry.proposed) == ("words 7", "open", None)
    pool = project.pool()
    assert len(pool) == COUNT
    assert pool.features[0].values.dtype == np.float32
    assert project.overview().ids == tuple(f"item {row}" for row in range(COUNT))
    assert project.progress().open == COUNT


def test_decisions_and_their_undoing_survive_a_restart(project: Project) -> None:
    project.decide("item 1", classes=["red"], who="Ada")
    project.decide_all([Choice(item="item 2", classes=("blue",)), Choice(item="item 3", kind="none")], who="Ada")
    project.decide("item 4", "unsure", who="Bob")
    project.close()
    again = Project(project.file)
    assert [again.entry(f"item {row}").state.status for row in (1, 2, 3, 4)] == ["label", "label", "none", "unsure"]
    undone = again.undo("Ada")
    assert [(one.item, one.kind) for one in undone] == [("item 2", "undo"), ("item 3", "undo")]
    assert [again.entry(f"item {row}").state.status for row in (1, 2, 3, 4)] == ["label", "open", "open", "unsure"]
    assert len(again.undo("Ada")) == 1
    assert again.undo("Ada") == []
    assert again.entry("item 4").state.who == "Bob"
    kept = again.history(item="item 2")
    assert [(one.kind, one.undone) for one in kept] == [("label", True), ("undo", False)]
    assert kept[1].undoes == kept[0].event


def test_the_log_is_only_appended_to(project: Project) -> None:
    project.decide("item 1", classes=["red"], who="Ada")
    with sqlite3.connect(project.file) as other:
        for statement in ("UPDATE events SET who = 'Eve'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="only appended"):
                other.execute(statement)
    other.close()


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (lambda p: p.decide("item 1", classes=["rde"], who="Ada"), "no class is called 'rde'; did you mean 'red'"),
        (lambda p: p.decide("itm 1", classes=["red"], who="Ada"), "no item 'itm 1'; did you mean 'item 1'"),
        (lambda p: p.decide("item 1", classes=["red", "blue"], who="Ada"), "several classes"),
        (lambda p: p.decide("item 1", who="Ada"), "needs a class"),
        (lambda p: p.decide("item 1", "none", ["red"], who="Ada"), "no class, and 'red' is named"),
        (lambda p: p.decide("item 1", "accept", who="Ada"), "nothing is proposed"),
        (lambda p: p.decide("item 1", classes=["red"], who="  "), "who decides"),
        (lambda p: p.decide("item 1", classes=["red"], who="Ada", how="drawn"), "how='drawn'"),
        (lambda p: p.add_class("red"), "there is a class 'red' already"),
        (lambda p: p.next("Ada", stream="best"), "stream=best"),
        (lambda p: p.change(colour=1), "'colour' is no setting"),
        (lambda p: p.change(seed=1), "'seed' is no setting"),
        (lambda p: p.entries(status="done"), "no status is called 'done'"),
    ],
)
def test_bad_input_is_answered(project: Project, what: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        what(project)
    assert project.progress().decisions == 0


def test_a_class_keeps_its_key(project: Project) -> None:
    project.decide("item 1", classes=["red"], who="Ada")
    project.add_class("dark red", "the colour of wine")
    assert project.describe("red", "the colour of blood").key == "red"
    with pytest.raises(UnknownNameError):
        project.describe("rot", "red in German")
    assert [one.key for one in project.classes] == [*CLASSES, "dark red"]
    assert project.entry("item 1").state.classes == ("red",)


def test_two_people_get_different_items_and_one_person_the_same_again(project: Project) -> None:
    ada, bob = project.next("Ada", 5), project.next("Bob", 5)
    assert not {one.entry.id for one in ada} & {one.entry.id for one in bob}
    assert [one.entry.id for one in project.next("Ada", 5)] == [one.entry.id for one in ada]
    project.decide(ada[0].entry.id, classes=["red"], who="Ada")
    again = project.next("Ada", 5)
    assert [one.entry.id for one in again[:4]] == [one.entry.id for one in ada[1:]]
    assert again[4].entry.id not in {one.entry.id for one in (*ada, *bob)}
    project.release("Bob")
    assert project.next("Cy", 1, stream="drawn")[0].entry.id in {one.entry.id for one in bob}


def test_a_lease_ends(tmp_path: Path) -> None:
    project = made(tmp_path / "p.label", lease=0.05)
    first = project.next("Ada", stream="drawn")[0]
    threading.Event().wait(0.1)
    assert project.next("Bob", stream="drawn")[0].entry.id == first.entry.id


def test_half_is_drawn_in_the_recorded_order_and_knows_how(project: Project) -> None:
    order = sorted((f"item {row}" for row in range(COUNT)), key=lambda name: rank(0, name))
    asked = []
    for _ in range(20):
        (ask,) = project.next("Ada")
        asked.append(ask)
        assert project.decide(ask.entry.id, classes=["red"], who="Ada").how == ask.how
    drawn = [ask.entry.id for ask in asked if ask.how == "drawn"]
    assert len(drawn) == 10
    chosen = {ask.entry.id for ask in asked} - set(drawn)
    assert drawn == [name for name in order if name not in chosen or name in drawn][:10]
    told = project.progress()
    assert (told.labelled, told.drawn, told.counting) == (20, 10, 10)
    assert project.labelled().drawn.sum() == 10


def test_what_is_drawn_behind_an_item_that_was_left_out_does_not_count(project: Project) -> None:
    asks = project.next("Ada", 6, stream="drawn")
    for place in (0, 3, 4, 5):
        project.decide(asks[place].entry.id, classes=["red"], who="Ada")
    assert (project.progress().drawn, project.progress().counting) == (4, 1)
    assert project.labelled().drawn.sum() == 1
    assert project.told().waiting == 3
    project.decide(asks[1].entry.id, "unsure", who="Ada")
    told = project.told()
    assert told.labelled.drawn.sum() == 4
    assert told.waiting == 0
    gap, unsure = project.entry(asks[2].entry.id).number - 1, project.entry(asks[1].entry.id).number - 1
    assert sorted(told.refused.tolist()) == sorted([gap, unsure])  # one may be missing, and counts as wrong
    assert told.refused_drawn.all()
    assert not told.decided[gap]


def test_people_who_differ(tmp_path: Path) -> None:
    last, most = made(tmp_path / "last"), made(tmp_path / "most", rule="majority")
    for one in (last, most):
        for who, colour in (("Ada", "red"), ("Bob", "red"), ("Cy", "blue")):
            one.decide("item 1", classes=[colour], who=who)
        one.decide("item 1", "unsure", who="Di")
        assert one.entry("item 1").state.disagree
        assert one.entry("item 1").state.people == 4
        assert len(one.entries(disagree=True)) == 1
    assert last.entry("item 1").state.classes == ("blue",)
    assert most.entry("item 1").state.classes == ("red",)
    last.change(rule="majority")
    assert last.entry("item 1").state.classes == ("red",)


def slow_state(events: list[Event], rule: str) -> tuple[Any, ...] | None:
    """The same by walking through the log."""
    alive = {one.event: one for one in events if one.kind != "undo"}
    for one in events:
        if one.undoes is not None:
            del alive[one.undoes]
    says: dict[str, Event] = {}
    for one in alive.values():
        if one.kind != "take":
            says.pop(one.who, None)
            says[one.who] = one
    sure = [one for one in says.values() if one.kind != "unsure"]
    if sure:
        opinions = [(one.kind if one.kind == "none" else "label", one.classes) for one in sure]
        best = sure[-1]
        if rule == "majority":
            best = max(sure, key=lambda one: (opinions.count(opinions[sure.index(one)]), sure.index(one)))
        return opinions[sure.index(best)][0], best.classes, best.event, len(says), len(set(opinions)) > 1
    if says:
        return "unsure", "", list(says.values())[-1].event, len(says), False
    taken = [one for one in alive.values() if one.kind == "take"]
    return ("machine", taken[-1].classes, taken[-1].event, 0, False) if taken and taken[-1].classes else None


@pytest.mark.parametrize("rule", ["last", "majority"])
def test_states_are_what_walking_through_the_log_gives(rule: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        events: list[Event] = []
        for number in range(1, rng.integers(2, 12)):
            undone = {one.undoes for one in events}
            free = [one for one in events if one.kind != "undo" and one.event not in undone]
            kind = str(rng.choice(["label", "accept", "other", "none", "unsure", "take", "undo"]))
            if kind == "undo" and not free:
                continue
            target = free[rng.integers(len(free))] if kind == "undo" else None
            naming = kind in ("label", "accept", "other", "take")
            who = target.who if target else str(rng.choice(["Ada", "Bob", "Cy"]))
            classes = str(rng.integers(1, 3)) if naming and (kind != "take" or rng.random() < 0.7) else ""
            event = Event(
                event=number, item=1, kind=kind, classes=classes, who=who, how="picked",
                undoes=target.event if target else None,
            )  # fmt: skip
            events.append(event)
        found = settled(events, rule)
        told = found and (found.status, found.classes, found.event, found.people, found.disagree)
        assert told == slow_state(events, rule)


def test_what_was_taken_back_is_asked_again_of_the_same_person_alone(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=6)
    (ask,) = project.next("Ada", stream="drawn")
    project.decide(ask.entry.id, classes=["red"], who="Ada")
    others = [one.entry.id for one in project.next("Ada", 2)]
    project.decide_all([Choice(item=name, classes=("red",)) for name in others], who="Ada")
    project.undo("Ada")
    project.undo("Ada")
    free = {one.id for one in project.entries()} - {ask.entry.id, *others}
    assert {one.entry.id for one in project.next("Bob", 6)} == free
    again = {one.entry.id: one.how for one in project.next("Ada", 6)}
    assert set(again) == {ask.entry.id, *others}
    assert again[ask.entry.id] == "drawn"
    assert project.decide(ask.entry.id, classes=["blue"], who="Ada").how == "drawn"


def test_what_nobody_had_been_asked_is_nobodys_when_it_is_taken_back(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=6)
    project.decide_all([Choice(item=f"item {row}", classes=("red",)) for row in range(6)], who="Ada")
    project.undo("Ada")
    assert len(project.next("Bob", 6)) == 6


def test_several_classes_an_item(tmp_path: Path) -> None:
    project = made(tmp_path / "p", multi=True)
    project.decide("item 1", classes=["blue", "red", "blue"], who="Ada")
    assert project.entry("item 1").state.classes == ("red", "blue")
    assert [one.id for one in project.entries(label="blue")] == ["item 1"]
    assert project.progress().classes == {"red": 1, "green": 0, "blue": 1}


def test_several_classes_are_proposed_class_by_class(tmp_path: Path) -> None:
    """Red and blue as before; every second item is green too, which its features do not show."""
    project = made(tmp_path / "p", count=600, multi=True)

    def truth(name: str) -> tuple[str, ...]:
        number = int(name.split()[1])
        return (CLASSES[number % 3], *(("green",) if number % 2 and number % 3 != 1 else ()))

    for ask in project.next("Ada", 250, stream="drawn"):
        project.decide(ask.entry.id, classes=truth(ask.entry.id), who="Ada")
    run = project.propose(level=0.1)
    assert run.through > 50
    let_through = project.entries(through=True)
    wrong = sum(not set(one.proposed.classes) <= set(truth(one.id)) for one in let_through if one.proposed)
    assert wrong <= 0.2 * len(let_through)
    assert project.accept(who="Ada") == run.through
    for ask in project.next("Bob", 5, stream="audit"):
        project.decide(ask.entry.id, classes=truth(ask.entry.id), who="Bob")
    assert project.audit().shown == 5
    assert project.audit().wrong <= 1


def test_repeats_are_asked_of_what_is_decided(tmp_path: Path) -> None:
    project = made(tmp_path / "p", repeats=0.5)
    hows = []
    for _ in range(60):
        (ask,) = project.next("Ada")
        hows.append(ask.how)
        project.decide(ask.entry.id, classes=["red"], who="Ada")
    assert 10 <= hows.count("repeat") <= 40
    assert "repeat" not in hows[:10]


def test_all_are_asked_once_and_then_nothing_is_left(project: Project) -> None:
    seen = []
    while asks := project.next("Ada", 7):
        seen += [ask.entry.id for ask in asks]
        project.decide_all([Choice(item=ask.entry.id, classes=("red",)) for ask in asks], who="Ada")
    assert sorted(seen) == sorted(f"item {row}" for row in range(COUNT))
    assert project.progress().labelled == COUNT


def test_threads_share_a_project(project: Project) -> None:
    failed: list[BaseException] = []

    def work(who: str) -> None:
        try:
            for _ in range(10):
                for ask in project.next(who):
                    project.decide(ask.entry.id, classes=["red"], who=who)
        except BaseException as why:
            failed.append(why)

    threads = [threading.Thread(target=work, args=(f"person {place}",)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert project.progress().labelled == 40
    assert not project.entries(disagree=True)


WRITER = """
import sys
from textanchor.labelling.project import Project
project, who = Project(sys.argv[1]), sys.argv[2]
while asks := project.next(who):
    project.decide(asks[0].entry.id, classes=["red"], who=who)
    print(asks[0].entry.id, flush=True)
"""


def test_everything_that_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=3000)
    project.close()
    acknowledged = []
    for turn in range(3):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(project.file), who], stdout=subprocess.PIPE, text=True)
            for who in ("Ada", "Bob")
        ]
        for writer in writers:
            assert writer.stdout is not None
            acknowledged += [writer.stdout.readline().strip() for _ in range(10 + 7 * turn)]
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged += writer.communicate()[0].splitlines()[:-1]  # the last may be cut
    again = Project(project.file)
    labelled = {one.id for one in again.entries(status="label")}
    assert set(filter(None, acknowledged)) <= labelled
    assert len(acknowledged) > 60
    assert len(labelled) - len(set(acknowledged)) <= 3 * 2 * 2
    assert not again.entries(disagree=True)
    assert again.database.one("PRAGMA integrity_check") == "ok"


def test_proposals_and_what_a_promise_lets_through(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    with pytest.raises(InputError, match="no item is labelled"):
        project.propose()
    answered(project, 120)
    run = project.propose(level=0.1)
    assert run.accuracy is not None
    assert run.accuracy > 0.9
    assert (run.labelled, run.through + run.left) == (120, 280)
    assert run.through > 200
    assert any("labelled without a look: at most 0.1 of them wrong" in line for line in run.says)
    assert project.run == run
    view = project.overview()
    assert ((view.proposal >= 0) == (view.statuses == 0)).all()
    assert view.through.sum() == run.through
    assert (view.proposal[view.through] == np.flatnonzero(view.through) % 3).mean() > 0.9
    probabilities = project.probabilities()
    assert probabilities is not None
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-2)
    entry = project.entries(through=True, order="surest", limit=1)[0]
    assert entry.proposed is not None
    taken = project.accept(who="Ada")
    assert taken == run.through
    assert project.accept(who="Ada") == 0
    assert project.progress().machine == run.through
    assert project.entry(entry.id).state.status == "machine"
    assert len(project.next("Bob", 400)) == run.left
    assert len(project.undo("Ada")) == taken
    assert project.progress().machine == 0


def test_taking_over_anew_is_one_step_to_undo(tmp_path: Path) -> None:
    """What a new promise gives back and what it takes, of two people; and out of the file and in again."""
    project = made(tmp_path / "p", count=200)
    answered(project, 60)
    project.propose(level=0.1)
    taken = project.accept(who="Ada")
    before = [(one.id, one.state) for one in project.entries()]
    given_back = project.entries(status="machine", limit=3)
    others = project.entries(status="machine")[3:5]
    with project.database.writing():  # another run, by which three are not let through and two are another class
        for one in given_back:
            project.database.ask("UPDATE proposals SET through = 0 WHERE item = ?", one.number)
        for one in others:
            project.database.ask("UPDATE proposals SET classes = classes % 3 + 1 WHERE item = ?", one.number)
    assert project.accept(who="Bob") == 2
    assert {project.entry(one.id).state.status for one in given_back} == {"open"}
    assert all(project.entry(one.id).state.classes not in ((), one.state.classes) for one in others)
    assert project.progress().machine == taken - 3
    assert project.audit().population == taken - 3
    other = made(tmp_path / "q", count=200)
    other.bring(project.history())
    assert other.progress().machine == taken - 3
    assert len(project.undo("Bob")) == 5
    assert [(one.id, one.state) for one in project.entries()] == before
    assert project.undo("Bob") == []
    assert project.accept(who="Bob") == 2
    project.undo("Ada")  # what was given back stays so
    assert project.progress().machine == 2
    project.accept(["red"], who="Ada")  # without a promise nothing is given back
    assert {project.entry(one.id).state.status for one in others} == {"machine"}


def test_a_promise_with_confidence_keeps_labels_from_the_proposer(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    answered(project, 160, stream="drawn")
    run = project.propose(form="confidence", level=0.1)
    assert run.through > 100
    assert "except with a probability of 0.1" in " ".join(run.says)


def test_what_nobody_could_tell_counts_as_wrong(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    answered(project, 100, stream="drawn")
    for ask in project.next("Ada", 30, stream="drawn"):
        project.decide(ask.entry.id, "none", who="Ada")
    run = project.propose(level=0.1)
    assert run.through == 0
    assert any("no promise can be made" in line for line in run.says)


def test_too_few_labels_promise_nothing_and_say_what_would_do(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    answered(project, 6)
    run = project.propose()
    assert run.through == 0
    with pytest.raises(InputError, match="lets nothing through"):
        project.accept(who="Ada")
    assert project.accept(["red"], who="Ada") > 0
    assert project.accept(above=0.0, who="Ada") > 0
    assert set(project.progress().machine_classes.values()) != {0}


def test_an_audit_counts_what_was_wrong_among_what_was_looked_at(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    answered(project, 60)
    project.propose()
    project.accept(above=0.0, who="Ada")
    assert project.audit().shown == 0
    for place, ask in enumerate(project.next("Bob", 40, stream="audit")):
        assert ask.how == "audit"
        wrong = place < 4
        project.decide(ask.entry.id, "other" if wrong else "accept", ["red" if ask.entry.state.classes != ("red",) else "blue"]
                       if wrong else [], who="Bob")  # fmt: skip
    found = project.audit()
    assert (found.shown, found.wrong, found.population) == (40, 4, 340)
    exact = said_by(340, [True] * 4 + [False] * 36, Promise())
    assert (found.low, found.high) == (exact.low / 300, exact.high / 300)
    assert found.low < 0.1 < found.high


def test_what_lies_before_the_first_gap_is_the_audit(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=100)
    answered(project, 20)
    project.propose()
    project.accept(above=0.0, who="Ada")
    asks = project.next("Bob", 5, stream="audit")
    for ask in (asks[0], asks[1], asks[3], asks[4]):
        project.decide(ask.entry.id, "accept", who="Bob")
    assert project.audit().shown == 2


def test_nothing_on_trial_is_taken_before_the_audit(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    answered(project, 60)
    run = project.propose(form="audit", level=0.1)
    assert run.through > 100
    with pytest.raises(InputError, match="before an audit says so"):
        project.accept(who="Ada")
    looked = 0
    while project.audit().verdict == "open":
        for ask in project.next("Ada", stream="audit"):
            assert ask.entry.state.status == "open"
            answered(project, 1, stream="audit")
            looked += 1
    assert project.audit().verdict == "met"
    assert project.audit().shown == looked < 100
    assert project.accept(who="Ada") == run.through - looked


def test_a_certificate_says_what_was_decided_and_on_what(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400, apart=1.5)
    assert project.certificate == ""
    answered(project, 120)
    run = project.propose(level=0.1)
    told = Certificate.parsed(project.certificate)
    assert project.certificate == run.certificate
    assert verify(told).holds
    assert {told.items[place] for place in told.accepted} == {one.content for one in project.entries(through=True)}
    assert told.about.proposer == run.proposer
    drawn = {one.item for one in project.history() if one.how == "drawn"}
    assert set(told.exams) == {project.entry(name).content for name in drawn}
    project.accept(who="Ada")
    project.propose(level=0.2)
    assert project.runs()[0].certificate == run.certificate
    project.propose(level=0.3)
    assert [bool(one.certificate) for one in project.runs()] == [True, False, True]


def test_an_audits_certificate_holds_when_the_audit_is_met(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400)
    answered(project, 60)
    project.propose(form="audit", level=0.1)
    told = Certificate.parsed(project.certificate)
    order = stream(np.isin(np.arange(len(told.items)), told.accepted), 0)
    assert not verify(told).holds
    asks = project.next("Ada", 5, stream="audit")
    assert [one.entry.content for one in asks] == [told.items[place] for place in order[:5]]
    answered(project, 100, stream="audit")
    after = Certificate.parsed(project.certificate)
    assert len(after.looks) == 100
    assert verify(after).holds


def test_an_older_file_is_brought_up_to_date(tmp_path: Path) -> None:
    from textanchor.labelling.project import schema

    older = Database(tmp_path / "p", replace(schema.KIND, migrations=schema.MIGRATIONS[:1]), create=True)
    assert "turn" not in [row[1] for row in older.ask("PRAGMA table_info(proposals)")]
    older.close()
    with Project(tmp_path / "p") as project:
        assert project.progress().items == 0
        assert "turn" in [row[1] for row in project.database.ask("PRAGMA table_info(proposals)")]


def test_what_the_machine_holds_is_what_the_newest_promise_lets_through(tmp_path: Path) -> None:
    project = made(tmp_path / "p", count=400, apart=0.8)
    answered(project, 120)
    project.propose(level=0.2)
    before = project.accept(who="Ada")
    strict = project.propose(level=0.1)
    assert strict.through < before
    project.accept(who="Ada")
    assert project.progress().machine == strict.through
    assert {one.id for one in project.entries(status="machine")} == {one.id for one in project.entries(through=True)}


def test_files_of_others_and_damaged_ones(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Project(tmp_path / "none")
    with pytest.raises(InputError, match="is a folder"):
        Project(tmp_path)
    with pytest.raises(InputError, match="exists already"):
        made(project.file)
    (tmp_path / "text").write_text("not a project")
    with pytest.raises(DamagedError):
        Project(tmp_path / "text")
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE t (a)")
    other.commit()
    other.close()
    with pytest.raises(DamagedError, match="not written by textanchor"):
        Project(tmp_path / "other")
    with project.database.writing():
        project.database.ask("UPDATE arrays SET data = zeroblob(length(data)) WHERE name LIKE 'sight%'")
    with pytest.raises(DamagedError, match="is not what was written"):
        Project(project.file).pool()


def test_flipped_bytes_are_never_a_stack_trace(tmp_path: Path) -> None:
    """Either the damage shows, or it lies where it changes nothing that can be told."""
    project = made(tmp_path / "p", count=80)
    answered(project, 40)
    project.propose(level=0.3)
    project.close()
    whole = (tmp_path / "p").read_bytes()
    rng, shown = np.random.default_rng(3), 0
    for turn in range(60):
        broken = bytearray(whole)
        start = int(rng.integers(len(whole) - 400))
        length = int(rng.integers(1, 400))
        broken[start : start + length] = rng.bytes(length)
        file = tmp_path / f"{turn}"
        file.write_bytes(bytes(broken))
        try:
            with Project(file) as found:
                found.progress()
                found.overview()
                found.entries()
                found.history()
                found.next("Ada", 3)
                found.decide("item 1", classes=["red"], who="Ada")
                found.propose(proposer="logistic")
                found.undo("Ada")
        except (DamagedError, InputError):
            shown += 1
    assert shown > 5
