"""Values out of foreign JSON, as what they should be or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float64, Int

from textanchor.errors import DamagedError

T = TypeVar("T")
LONGEST = 200  # characters of a value in an error
LARGEST = 2**63 - 1


def parsed(text: str, place: str, kind: str) -> Table:
    """JSON that is an object and calls itself of that `kind`, without NaN. Raises `DamagedError`."""
    try:
        found = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as why:
        raise DamagedError(f"{place} is not readable JSON ({why}); get it again from whoever made it") from None
    if not isinstance(found, dict) or found.get("kind") != kind:
        raise DamagedError(
            f"{place} is no {kind}: {_told(found)}; expected an object whose kind is '{kind}', as "
            "`textanchor label propose -o` and `textanchor label audit -o` write"
        )
    return Table(found, place)


def _told(found: object) -> str:
    if not isinstance(found, dict):
        return f"it holds {json.dumps(found)[:LONGEST]}"
    return f"its kind is {json.dumps(found['kind'])[:LONGEST]}" if "kind" in found else "it says no kind"


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number")


class Table:
    """An object of JSON whose fields are asked for one by one. Every answer raises `DamagedError` with the place and what was
    expected."""

    def __init__(self, found: object, place: str) -> None:
        self._place = place
        if not isinstance(found, dict):
            raise self._damaged("", found, "an object")
        self._found = found

    def only(self, *names: str) -> None:
        """Nothing else may be there, and nothing of this missing."""
        if unknown := sorted(set(self._found) ^ set(names)):
            which = unknown[0][:LONGEST]
            raise DamagedError(f"{self._place}: '{which}' is missing or does not belong there; expected {', '.join(names)}")

    def table(self, name: str) -> Table:
        """An object within."""
        return Table(self._found.get(name), f"{self._place}: {name}")

    def missing(self, name: str) -> bool:
        """Whether it is null."""
        return self._found.get(name) is None

    def text(self, name: str) -> str:
        """A string."""
        return self._one(name, str, "a string")

    def whole(self, name: str) -> int:
        """A whole number of 0 or more."""
        value = self._one(name, int, "a whole number of 0 or more")
        if not 0 <= value <= LARGEST:
            raise self._damaged(name, value, "a whole number of 0 or more")
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        value = self._found.get(name)
        if not isinstance(value, int | float) or not _is_number(value):
            raise self._damaged(name, value, "a finite number")
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(self._list(name, lambda one: type(one) is str, "strings"))

    def numbers(self, name: str) -> Float64[np.ndarray, " n"]:
        """A list of finite numbers."""
        return np.array(self._list(name, _is_number, "finite numbers"), dtype=np.float64)

    def wholes(self, name: str) -> Int[np.ndarray, " n"]:
        """A list of whole numbers of 0 or more."""
        found = self._list(name, lambda one: type(one) is int and 0 <= one <= LARGEST, "whole numbers of 0 or more")
        return np.array(found, dtype=np.int64)

    def flags(self, name: str) -> Bool[np.ndarray, " n"]:
        """A list of 0 and 1."""
        return self.wholes_up_to(name, 1).astype(bool)

    def wholes_up_to(self, name: str, most: int) -> Int[np.ndarray, " n"]:
        """A list of whole numbers from 0 to `most`."""
        found = self.wholes(name)
        if (found > most).any():
            raise self._damaged(name, int(found.max()), f"whole numbers from 0 to {most}")
        return found

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All fields, which are strings."""
        return tuple((name, self.text(name)) for name in self._found)

    def _one(self, name: str, kind: type[T], meaning: str) -> T:
        value = self._found.get(name)
        if type(value) is not kind:
            raise self._damaged(name, value, meaning)
        return value

    def _list(self, name: str, holds: Any, meaning: str) -> Sequence[Any]:
        found = self._found.get(name)
        if not isinstance(found, list):
            raise self._damaged(name, found, f"a list of {meaning}")
        for one in found:
            if not holds(one):
                raise self._damaged(name, one, f"a list of {meaning}")
        return found

    def _damaged(self, name: str, value: object, meaning: str) -> DamagedError:
        place = f"{self._place}: {name}" if name else self._place
        return DamagedError(f"{place} is {json.dumps(value)[:LONGEST]}; expected {meaning}")


def _is_number(value: object) -> bool:
    if type(value) is int:
        return abs(value) <= LARGEST
    return type(value) is float and math.isfinite(value)
