"""A fitted modality as arrays and plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as read_arrays

from textanchor.data.wording import wording
from textanchor.errors import DamagedError
from textanchor.projectors import Kept, build
from textanchor.records import Affine, Bent, Choice, Hubness, Map, Unseen, View
from textanchor.space.examples import Examples
from textanchor.space.fitted import Fitted

SIDES = ("item", "text")
UNSEEN = ("items", "texts", "edges", "foreign")
Arrays = Mapping[str, np.ndarray]


def arrays(fitted: Fitted) -> dict[str, np.ndarray]:
    """All numbers of the projector, the view and the validation pairs that are kept."""
    numbers = {f"projector.{name}": value for name, value in fitted.projector.numbers.items()}
    view, unseen = fitted.view, fitted.choice.unseen
    if unseen is not None:
        named = {name: getattr(unseen, name) for name in UNSEEN}
        numbers |= {f"unseen.{name}": array for name, array in named.items() if array is not None}
    if fitted.examples is not None:
        numbers |= {"examples.items": fitted.examples.items, "examples.anchors": fitted.examples.anchors}
    for side in SIDES if view is not None else ():
        numbers |= {f"view.{side}.{name}": array for name, array in getattr(view, side).arrays().items()}
    if view is not None and view.hubness is not None:
        numbers |= {"view.bank.items": view.hubness.items, "view.bank.texts": view.hubness.texts}
    return {name: np.ascontiguousarray(value) for name, value in numbers.items()}


def described(fitted: Fitted) -> dict[str, Any]:
    """Everything else, JSON-ready."""
    projector, view, examples = fitted.projector, fitted.view, fitted.examples
    hubness = view.hubness if view else None
    return {
        "encoder": fitted.encoder,
        "fingerprint": fitted.fingerprint,
        "projector": {"name": projector.name, "settings": projector.settings},
        "view": view.id if view else None,
        "maps": {side: getattr(view, side).spec for side in SIDES} if view else None,
        "hubness": {"method": hubness.method, "settings": dict(hubness.settings)} if hubness else None,
        "choice": fitted.choice.described(),
        "asked": fitted.asked,
        "seed": fitted.seed,
        "wording": fitted.wording.described(),
        "examples": {"items": list(examples.names), "texts": list(examples.texts)} if examples else None,
    }


def read_fitted(told: Mapping[str, Any], file: Path) -> Fitted:
    """A modality from `described`'s values and the file of its numbers. Raises `DamagedError`, or what wrong values raise."""
    numbers = read_arrays(file.read_bytes())
    if not all(bool(np.isfinite(value).all()) for value in numbers.values()):
        raise DamagedError(f"{file} holds NaN or infinite numbers; fit the space again")
    view = _view(numbers, told) if told["view"] else None
    if view is not None and view.id != told["view"]:
        raise DamagedError(f"{file}: the view is not the one that space.json names; fit the space again")
    return Fitted(
        encoder=str(told["encoder"]),
        fingerprint=str(told["fingerprint"]),
        projector=Kept(str(told["projector"]["name"]), dict(told["projector"]["settings"]), _below(numbers, "projector.")),
        view=view,
        choice=replace(Choice.read(told["choice"]), unseen=_unseen(_below(numbers, "unseen."))),
        asked=str(told["asked"]),
        seed=int(told["seed"]),
        wording=wording(**told["wording"]),
        examples=_examples(_below(numbers, "examples."), told.get("examples")),
    )


def _unseen(numbers: Arrays) -> Unseen | None:
    """None in spaces that an older version wrote, and in those without validation pairs."""
    return Unseen(**numbers) if numbers else None


def _examples(numbers: Arrays, told: Mapping[str, Any] | None) -> Examples | None:
    if not told:
        return None
    names, texts = tuple(map(str, told["items"])), tuple(map(str, told["texts"]))
    if not len(names) == len(texts) == len(numbers["items"]) == len(numbers["anchors"]):
        raise ValueError("examples that do not fit together")
    return Examples(names=names, texts=texts, items=numbers["items"], anchors=numbers["anchors"])


def _view(numbers: Arrays, told: Mapping[str, Any]) -> View:
    maps = told.get("maps") or {}
    item, text = (_map(_below(numbers, f"view.{side}."), maps.get(side)) for side in SIDES)
    return View(item=item, text=text, hubness=_hubness(numbers, told.get("hubness")))


def _map(numbers: Arrays, spec: Mapping[str, Any] | None) -> Map:
    """Affine where nothing else is said, as in spaces of format 2 and before."""
    if spec is None or spec["kind"] == "affine":
        return Affine(**numbers)
    if spec["kind"] != "bent":
        raise ValueError(f"a view of kind {spec['kind']!r}")
    from torch import from_numpy

    state = {name: from_numpy(value) for name, value in _below(numbers, "module.").items()}
    return Bent(mean=numbers["mean"], module=build(spec["projector"]["name"], spec["projector"]["settings"], state))


def _hubness(numbers: Arrays, told: Mapping[str, Any] | None) -> Hubness | None:
    if not told:
        return None
    items, texts = (numbers[f"view.bank.{name}"] for name in ("items", "texts"))
    return Hubness(method=told["method"], settings=told["settings"], items=items, texts=texts)


def _below(numbers: Arrays, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in numbers.items() if name.startswith(prefix)}
