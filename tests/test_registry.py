"""Names of parts."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import hypothesis
import pytest
from hypothesis import HealthCheck, given, strategies

from textanchor import registry
from textanchor import settings as types_of_settings
from textanchor.errors import InputError, UnknownNameError
from textanchor.settings import Count, Rule, Share
from textanchor.settings import Count as Whole


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in registry.KINDS for name in registry.BUILT_IN[kind]])
def test_every_built_in_part_loads_and_says_what_it_is(kind: str, name: str) -> None:
    assert (registry.load(kind, name).__doc__ or "").strip()


def test_unknown_name_gives_the_nearest_and_all() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no aligner is called 'rigde'; did you mean 'ridge'\? \(known: adversarial, asif, auto,"
    ):
        registry.load("aligner", "rigde")


def test_an_entry_point_adds_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint(name="mine", value="textanchor.aligners.ridge:Ridge", group="textanchor.aligner")
    monkeypatch.setattr(registry, "_foreign", lambda kind: {"mine": point} if kind == "aligner" else {})
    assert registry.names("aligner")[-1] == "mine"
    assert registry.load("aligner", "mine").__name__ == "Ridge"


def test_one_name_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name="ridge", value="elsewhere:Ridge", group="textanchor.aligner")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry._foreign.cache_clear()
    with pytest.raises(InputError, match="'ridge' is registered twice: by textanchor.aligners.ridge:Ridge and by elsewhere"):
        registry.names("aligner")
    registry._foreign.cache_clear()


def test_loading_one_part_imports_no_other() -> None:
    code = (
        "import sys; from textanchor import registry; registry.load('encoder', 'signal-audio'); "
        "print([m for m in sys.modules if m.startswith('textanchor.encoders.')])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "signal_audio" in found
    assert "sentence" not in found
    assert "hub" not in found


@pytest.mark.parametrize(
    ("kind", "spec", "told"),
    [
        ("aligner", "gradient(epochs=0)", "epochs=0: expected a whole number of 1 or more"),
        ("aligner", "gradient(epochs=2.5)", "epochs=2.5: expected a whole number of 1 or more"),
        ("aligner", "gradient(rate=-1)", "rate=-1: expected a number above 0"),
        ("aligner", "gradient(mixup=true)", "mixup=True: expected a number of 0 or more"),
        ("aligner", "ridge(alpha=0)", "alpha=0: expected a number above 0"),
        ("aligner", "ridge(alpha=1e999)", "alpha=inf: expected a number above 0"),
        ("aligner", "gradient(projector=mlp(hidden=abc))", "hidden=abc: expected a whole number of 1 or more"),
        ("aligner", "gradient(projector=mlp(dropout=2))", "dropout=2: expected a number from 0 to 1"),
        ("aligner", "gradient(loss=info-nce(temperature=0))", "temperature=0: expected a number above 0"),
        ("aligner", "ridge(view=whitening(shrinkage=-1))", "shrinkage=-1: expected a number of 0 or more"),
        ("aligner", "ridge(hubness=csls(k=0))", "k=0: expected a whole number of 1 or more"),
        ("aligner", "gradient(loss=5)", "loss=5: expected a name"),
        ("loss", "info-nce(repeats-are-negatives=1)", "repeats_are_negatives=1: expected true or false"),
        ("loss", "sum(a=mse, weights=5)", "weights=5: expected a list of numbers"),
        ("loss", "sum(a=mse, weights=[x])", "is no setting"),
    ],
)
def test_a_setting_is_what_its_signature_says(kind: str, spec: str, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        registry.part(kind, spec)


def test_good_settings_arrive() -> None:
    held = registry.part("aligner", "ridge(alpha=1, view=whitening(shrinkage=1))")
    assert (type(held.alpha), held.alpha) == (float, 1.0)
    assert registry.part("aligner", "ridge(alpha=None)").alpha is None


NAMES = strategies.from_regex(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*", fullmatch=True).filter(lambda name: not _is_constant(name))
KEYS = strategies.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True)
PLAIN = (
    strategies.text() | strategies.integers() | strategies.floats(allow_nan=False) | strategies.booleans() | strategies.none()
)
SETTINGS = strategies.recursive(
    strategies.dictionaries(KEYS, PLAIN | strategies.lists(PLAIN | strategies.lists(PLAIN)), max_size=3),
    lambda inner: strategies.dictionaries(KEYS, strategies.builds(registry.spelled, NAMES, inner), max_size=3),
    max_leaves=3,
)


def _is_constant(name: str) -> bool:
    return name in ("true", "false")


@hypothesis.settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(NAMES, SETTINGS)
def test_what_is_spelled_reads_back(name: str, settings: dict[str, Any]) -> None:
    again = registry.take_apart(registry.spelled(name, settings))
    assert again == (name, settings)
    assert repr(again) == repr((name, settings)), "True is not 1, 1 is not 1.0"


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("x(a=true, b=False, c=None)", {"a": True, "b": False, "c": None}),
        ("x(a=-3, b=.5, c=1e-3, d=[1, 2.5])", {"a": -3, "b": 0.5, "c": 0.001, "d": [1, 2.5]}),
        ('x(a="true", b="1", c="a, b", d=\'it\', e="")', {"a": "true", "b": "1", "c": "a, b", "d": "it", "e": ""}),
        ("x( a = y( b = 1 ) , )", {"a": "y(b=1)"}),
        ("x(some-key=open_clip, other=all-MiniLM-L6-v2)", {"some_key": "open_clip", "other": "all-MiniLM-L6-v2"}),
    ],
)
def test_settings_are_read(spec: str, settings: dict[str, Any]) -> None:
    assert registry.take_apart(spec) == ("x", settings)


@pytest.mark.parametrize(
    "spec", ["", "5", "x(", "x)", "x(1)", "x(a=1", "x(a=1) y", "x(a=1 b=2)", "x(=1)", "x(y(1)=2)", "x((((", "a b"]
)
def test_what_is_no_part_is_said(spec: str) -> None:
    with pytest.raises(InputError, match=r"is no part; expected a name or a call such as kernel-ridge\(width=1"):
        registry.take_apart(spec)


def test_a_setting_given_twice_is_said() -> None:
    with pytest.raises(InputError, match="alpha is given twice"):
        registry.take_apart("ridge(alpha=1, alpha=2)")
    with pytest.raises(InputError, match="is no part"):
        registry.take_apart("x(a=" * 5000)


def _optional(*, value: Optional[Count] = None) -> None: ...  # noqa: UP045
def _union(*, value: Union[None, Count] = None) -> None: ...  # noqa: UP007, RUF036
def _reversed(*, value: None | Count = None) -> None: ...  # noqa: RUF036
def _renamed(*, value: Whole | None = None) -> None: ...
def _dotted(*, value: types_of_settings.Count | None = None) -> None: ...
def _quoted(*, value: "Optional[Whole]" = None) -> None: ...  # noqa: UP037, UP045
def _own(*, value: Annotated[int, Rule(meaning="a whole number of 1 or more", holds=lambda value: value >= 1)] = 1) -> None: ...


class _Class:
    def __init__(self, *, value: "types_of_settings.Count") -> None: ...  # noqa: UP037


@dataclass
class _Record:
    value: Whole | None = None


SPELLINGS = [_optional, _union, _reversed, _renamed, _dotted, _quoted, _own, _Class, _Record, partial(_optional)]


@pytest.mark.parametrize("factory", SPELLINGS, ids=lambda factory: getattr(factory, "__name__", "partial"))
def test_any_spelling_of_an_annotation_is_checked(factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda kind, name: factory)
    for wrong in ("-3.0", "0", "1.5", "many", "true"):
        with pytest.raises(InputError, match=re.escape("expected a whole number of 1 or more")):
            registry.bind("aligner", f"x(value={wrong})")
    assert registry.bind("aligner", "x(value=3)")[1].arguments["value"] == 3


def _typed(
    *,
    kind: Literal["gram", "distance"] = "gram",
    share: Optional[Share] = None,  # noqa: UP045
    numbers: list[float] | None = None,
    other: Path | None = None,
    loose=None,  # type: ignore[no-untyped-def]
) -> None: ...


def test_choices_and_what_is_not_known_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda kind, name: _typed)
    with pytest.raises(InputError, match=r"view x: kind=cube: expected one of gram, distance"):
        registry.bind("view", "x(kind=cube)")
    with pytest.raises(InputError, match=r"share=-3.0: expected a number from 0 to 1"):
        registry.bind("view", "x(share=-3.0)")
    with pytest.raises(InputError, match=r"numbers=5: expected a list"):
        registry.bind("view", "x(numbers=5)")
    arguments = registry.bind("view", "x(kind=distance, share=1, other=5, loose=[1])")[1].arguments
    assert arguments == {"kind": "distance", "share": 1.0, "other": 5, "loose": [1]}


def test_unknown_settings_are_answered_by_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'alhpa'; did you mean 'alpha'\? \(known: alpha, view, hubness\)"):
        registry.part("aligner", "ridge(alhpa=1)")
    with pytest.raises(InputError, match=r"'anchors' \(known: shrinkage\)"):  # what the caller gives is nobody's setting
        registry.bind("view", "whitening(anchors=1)", anchors=None, items=None, targets=None)
    with pytest.raises(InputError, match=r"'x' \(known: none\)"):
        registry.part("loss", "mse(x=1)")


def test_names_with_underscores_are_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        name: EntryPoint(name=name, value=f"textanchor.aligners.{value}", group="textanchor.aligner")
        for name, value in (("my_ridge", "ridge:Ridge"), ("kernel_ridge", "procrustes:Procrustes"))
    }
    monkeypatch.setattr(registry, "_foreign", lambda kind: points if kind == "aligner" else {})
    assert registry.part("aligner", "my_ridge(alpha=1)").alpha == 1.0
    assert registry.part("aligner", "my-ridge(alpha=1)").alpha == 1.0
    assert type(registry.part("aligner", "kernel_ridge")).__name__ == "Procrustes"
    assert type(registry.part("aligner", "kernel-ridge")).__name__ == "KernelRidge"
    assert registry.load("view", "all_but_the_top") is registry.load("view", "all-but-the-top")
