"""Types of settings: what a number must be, said in a part's signature and checked wherever a part is named."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from textanchor.errors import InputError

Count: TypeAlias = int
"""1 or more."""
Positive: TypeAlias = float
"""Above 0."""
Amount: TypeAlias = float
"""0 or more."""
Share: TypeAlias = float
"""From 0 to 1."""
Numbers: TypeAlias = Sequence[float | int]
"""A list of them."""

KNOWN: dict[str, tuple[type, Callable[[Any], bool], str]] = {
    "float": (float, math.isfinite, "a number"),
    "int": (int, lambda value: True, "a whole number"),
    "str": (str, lambda value: True, "a name"),
    "bool": (bool, lambda value: True, "true or false"),
    "None": (type(None), lambda value: True, "None"),
    "Count": (int, lambda value: value >= 1, "a whole number of 1 or more"),
    "Positive": (float, lambda value: 0 < value < math.inf, "a number above 0"),
    "Amount": (float, lambda value: 0 <= value < math.inf, "a number of 0 or more"),
    "Share": (float, lambda value: 0 <= value <= 1, "a number from 0 to 1"),
    "Numbers": (list, lambda value: all(type(one) in (int, float) for one in value), "a list of numbers"),
}


def checked(value: Any, annotation: str, place: str) -> Any:
    """The value if it is what the annotation says, whole numbers as floats where those are meant; as it is where the annotation
    says nothing that is known here. Raises `InputError`."""
    wanted = annotation.split(" | ")
    if not all(one in KNOWN for one in wanted):
        return value
    for kind, holds, _ in map(KNOWN.__getitem__, wanted):
        same = float(value) if kind is float and type(value) is int else value
        if type(same) is kind and holds(same):
            return same
    raise InputError(f"{place}={value}: expected {' or '.join(KNOWN[one][2] for one in wanted if one != 'None')}")
