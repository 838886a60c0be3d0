"""A fitted modality as tensors and plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors.torch import load as read_tensors
from torch import Tensor, from_numpy

from textanchor.data.wording import wording
from textanchor.errors import DamagedError
from textanchor.projectors import Projector, build
from textanchor.records import Affine, Bent, Choice, Hubness, Map, Unseen, View
from textanchor.space.fitted import Fitted

SIDES = ("item", "text")
UNSEEN = ("items", "texts", "edges")


def tensors(fitted: Fitted) -> dict[str, Tensor]:
    """All numbers of the projector and the view."""
    numbers = {f"projector.{key}": value.contiguous().cpu() for key, value in fitted.projector.state_dict().items()}
    view, unseen = fitted.view, fitted.choice.unseen
    if unseen is not None:
        numbers |= {f"unseen.{name}": from_numpy(np.array(getattr(unseen, name))) for name in UNSEEN}
    if view is None:
        return numbers
    for side in SIDES:
        for name, array in getattr(view, side).arrays().items():
            numbers[f"view.{side}.{name}"] = from_numpy(np.array(array))
    if view.hubness is not None:
        numbers["view.bank.items"] = from_numpy(view.hubness.items.copy())
        numbers["view.bank.texts"] = from_numpy(view.hubness.texts.copy())
    return numbers


def described(fitted: Fitted) -> dict[str, Any]:
    """Everything else, JSON-ready."""
    projector, view = cast(Projector, fitted.projector), fitted.view
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
    }


def read_fitted(told: Mapping[str, Any], file: Path) -> Fitted:
    """A modality from `described`'s values and the file of its numbers. Raises `DamagedError`, or what wrong values raise."""
    numbers = read_tensors(file.read_bytes())
    if not all(bool(value.isfinite().all()) for value in numbers.values()):
        raise DamagedError(f"{file} holds NaN or infinite numbers; fit the space again")
    view = _view(numbers, told) if told["view"] else None
    if view is not None and view.id != told["view"]:
        raise DamagedError(f"{file}: the view is not the one that space.json names; fit the space again")
    return Fitted(
        encoder=str(told["encoder"]),
        fingerprint=str(told["fingerprint"]),
        projector=build(told["projector"]["name"], told["projector"]["settings"], _below(numbers, "projector.")),
        view=view,
        choice=replace(Choice.read(told["choice"]), unseen=_unseen(_below(numbers, "unseen."))),
        asked=str(told["asked"]),
        seed=int(told["seed"]),
        wording=wording(**told["wording"]),
    )


def _unseen(numbers: Mapping[str, Tensor]) -> Unseen | None:
    """None in spaces that an older version wrote, and in those without validation pairs."""
    return Unseen(**{name: numbers[name].numpy() for name in UNSEEN}) if numbers else None


def _view(numbers: Mapping[str, Tensor], told: Mapping[str, Any]) -> View:
    maps = told.get("maps") or {}
    item, text = (_map(_below(numbers, f"view.{side}."), maps.get(side)) for side in SIDES)
    return View(item=item, text=text, hubness=_hubness(numbers, told.get("hubness")))


def _map(numbers: Mapping[str, Tensor], spec: Mapping[str, Any] | None) -> Map:
    """Affine where nothing else is said, as in spaces of format 2 and before."""
    if spec is None or spec["kind"] == "affine":
        return Affine(**_arrays(numbers))
    if spec["kind"] != "bent":
        raise ValueError(f"a view of kind {spec['kind']!r}")
    module = build(spec["projector"]["name"], spec["projector"]["settings"], _below(numbers, "module."))
    return Bent(mean=_arrays(numbers)["mean"], module=module)


def _arrays(numbers: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(value.numpy()) for name, value in numbers.items() if not name.startswith("module.")}


def _hubness(numbers: Mapping[str, Tensor], told: Mapping[str, Any] | None) -> Hubness | None:
    if not told:
        return None
    items, texts = (np.ascontiguousarray(numbers[f"view.bank.{name}"].numpy()) for name in ("items", "texts"))
    return Hubness(method=told["method"], settings=told["settings"], items=items, texts=texts)


def _below(numbers: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in numbers.items() if key.startswith(prefix)}
