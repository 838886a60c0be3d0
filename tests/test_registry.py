"""Names of parts."""

from __future__ import annotations

import re
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
        ("aligner", "ridge(view=whitening(shrinkage=-1))", "shrinkage=-1: expected a number from 0 to 1"),
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
