"""Names of parts."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from textanchor import registry
from textanchor.errors import InputError, UnknownNameError


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in registry.KINDS for name in registry.BUILT_IN[kind]])
def test_every_built_in_part_loads_and_says_what_it_is(kind: str, name: str) -> None:
    assert (registry.load(kind, name).__doc__ or "").strip()


def test_unknown_name_gives_the_nearest_and_all() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no aligner is called 'rigde'; did you mean 'ridge'\? \(known: asif, auto, bank,"
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
