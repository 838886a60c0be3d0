"""Certificates of what was promised: what they say follows from them, and nothing may be changed."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from textanchor.errors import DamagedError, InputError, TextAnchorError
from textanchor.labelling.guarantee import (
    About,
    Batch,
    Calibration,
    Certificate,
    Promise,
    Rest,
    decide,
    stream,
    verify,
)


def made(form: str = "average", *, groups: bool = False) -> tuple[Certificate, np.ndarray]:
    """Of 400 made-up items, with ties, and which of the rest are wrong."""
    rng = np.random.default_rng(0)
    scores = rng.random(400).round(2)
    wrong = rng.random(400) < (1 - scores) ** 4
    of = np.repeat(np.arange(100), 4) if groups else None
    weights = np.full(200, 1.5) if groups else None
    calibration = Calibration(scores=scores[:200], wrong=wrong[:200], groups=None if of is None else of[:200], weights=weights)
    rest = Rest(scores=scores[200:], groups=None if of is None else of[200:])
    promise = Promise(form=form, level=0.1, seed=3, batch=Batch(number=1, of=2 if form == "average" else 1))
    told = Certificate.of(
        decide(calibration, rest, promise),
        calibration,
        rest,
        promise,
        exams=[f"exam {row}" for row in range(200)],
        items=[f"item {row}" for row in range(200)],
        about=About(proposer="kernel-ridge", space="a space"),
    )
    return told, wrong[200:]


@pytest.mark.parametrize("form", ["average", "confidence", "audit(aim=0.3)"])
@pytest.mark.parametrize("groups", [False, True])
def test_what_is_written_is_read_and_verified(form: str, groups: bool, tmp_path: Path) -> None:
    told, wrong = made(form, groups=groups)
    assert told.accepted or groups
    if form.startswith("audit"):
        order = stream(np.isin(np.arange(200), told.accepted), 3)
        told = told.looked_at(wrong[order][:40].tolist())
    told.write(tmp_path / "promise.json")
    again = Certificate.read(tmp_path / "promise.json")
    assert again.text() == told.text()
    found = verify(again, scores={"item 3": float(told.rest.scores[3]), "unknown": 0.5})
    assert found.problems == ()
    assert (found.accepted, found.rest) == (len(told.accepted), 200)
    assert found.holds == (found.audit is None or found.audit.verdict == "met")
    assert any("Wrong means" in one for one in again.limits)
    assert dict(again.versions)["numpy"] == np.__version__
    assert not list(tmp_path.glob(".*")), "no half file stays"


def changed(told: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], object]]:
    """Every value of JSON with another in its place."""
    if isinstance(told, dict):
        for name, value in told.items():
            yield from changed(value, (*place, name))
    elif isinstance(told, list):
        yield place, told[:-1] if told else [1]
        for row in (0, len(told) - 1) if told else ():
            yield from changed(told[row], (*place, row))
    elif isinstance(told, str):
        yield place, told + " "
    elif isinstance(told, bool | int):
        yield place, int(not told) if told in (0, 1) else told + 1
    elif isinstance(told, float):
        yield place, told / 2
    else:
        yield place, 1


def test_no_field_may_be_changed() -> None:
    told, _ = made(groups=True)
    held = json.loads(told.text())
    tried = 0
    for place, other in changed(held):
        altered = copy.deepcopy(held)
        inner = altered
        for step in place[:-1]:
            inner = inner[step]
        assert inner[place[-1]] != other
        inner[place[-1]] = other
        tried += 1
        try:
            assert verify(Certificate.parsed(json.dumps(altered))).problems, place
        except TextAnchorError:
            continue
    assert tried > 40


def test_who_makes_the_digest_anew_is_found_out_by_the_decision_or_by_the_kept_digest() -> None:
    told, _ = made()
    held = json.loads(told.text())
    held["accepted"] = held["accepted"][:-1]
    forged = Certificate.parsed(json.dumps(held)).sealed()
    assert forged.digest != told.digest
    assert [one.split(" items follow")[0] for one in verify(forged).problems] == [str(len(told.accepted))]
    scores = dict(zip(told.items, told.rest.scores.tolist(), strict=True))
    scores["item 7"] += 0.1
    assert verify(told, scores=scores).problems == ("1 items have other scores today, item 7 for one",)
    audit, _ = made("audit")
    assert not verify(audit).holds, "nobody has looked"
    assert verify(audit.looked_at([False] * (len(audit.accepted) + 1))).problems[0].startswith(str(len(audit.accepted) + 1))


def test_what_is_no_certificate_gets_a_plain_answer(tmp_path: Path) -> None:
    told, _ = made()
    with pytest.raises(InputError, match="199 names for 200 calibration labels"):
        Certificate(**{**{name: getattr(told, name) for name in told.__dataclass_fields__}, "exams": told.exams[1:]})
    with pytest.raises(InputError, match="cannot be read"):
        Certificate.read(tmp_path / "absent.json")
    (tmp_path / "odd.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DamagedError, match="is no text"):
        Certificate.read(tmp_path / "odd.json")
    with pytest.raises(InputError, match="cannot be written"):
        told.write(tmp_path / "odd.json" / "x.json")
    held = json.loads(told.text())
    for text, why in (
        ("", "not readable JSON"),
        ("[" * 100_000, "not readable JSON"),
        ("[]", "expected an object"),
        (told.text().replace('"scores": [', '"scores": [NaN, ', 1), "NaN is no number"),
        (json.dumps({**held, "format": 2}), "newer format"),
        (json.dumps({**held, "more": 1}), "'more' is missing or does not belong there"),
        (json.dumps({**held, "accepted": [200]}), "whole numbers from 0 to 199"),
        (json.dumps({**held, "scored": "loudly"}), "expected 'held apart'"),
        (json.dumps({**held, "promise": {**held["promise"], "level": 7}}), "level is 7.0"),
        (json.dumps({**held, "promise": {**held["promise"], "seed": 10**400}}), "whole number of 0 or more"),
        (json.dumps({**held, "promise": {**held["promise"], "level": True}}), "level is true; expected a finite number"),
        (json.dumps({**held, "rest": {**held["rest"], "groups": [1]}}), "shapes"),
    ):
        with pytest.raises(DamagedError, match=why):
            Certificate.parsed(text)


LEAVES = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5)
VALUES = some.recursive(
    LEAVES,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(data=some.data())
def test_hostile_json_is_refused_or_does_not_hold(data: some.DataObject) -> None:
    held = json.loads(made(groups=True)[0].text())
    name = data.draw(some.sampled_from(sorted(held)))
    value = data.draw(VALUES)
    if isinstance(held[name], dict) and data.draw(some.booleans()):
        inner = data.draw(some.sampled_from(sorted(held[name])))
        same, held[name][inner] = held[name][inner] == value, value
    else:
        same, held[name] = held[name] == value, value
    with contextlib.suppress(TextAnchorError):
        assert same or not verify(Certificate.parsed(json.dumps(held))).holds
