"""What an index leaves on disk, written whole: its arrays as one safetensors file, or where it lies in a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textanchor.errors import DamagedError
from textanchor.escaping import openable
from textanchor.files import new_file, read_json, write_json

KIND = "textanchor.index"


def write_arrays(file: Path, kind: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Replaces what lies there."""
    from safetensors.numpy import save_file

    with new_file(file, overwrite=True) as temporary:
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(contiguous, temporary, metadata={KIND: kind})


def read_arrays(file: Path, kind: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Raises `DamagedError` unless the file holds those arrays of an index of that kind."""
    from safetensors import SafetensorError, safe_open

    try:
        with openable(file) as name, safe_open(name, framework="numpy") as stored:
            if (stored.metadata() or {}).get(KIND) == kind and set(names) <= set(stored.keys()):
                return {name: stored.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as why:
        raise DamagedError(f"{file} is not a readable index ({why}); build it again") from None
    raise DamagedError(f"{file} holds no index of kind '{kind}'; build it again")


def write_pointer(file: Path, kind: str, **told: str | int) -> None:
    """Where an index lies and what is to be known of it. Replaces what lies there."""
    write_json(file, {KIND: kind, **told})


def read_pointer(file: Path, kind: str, **expected: type) -> dict[str, str | int]:
    """What `write_pointer` was told, of these types. Raises `DamagedError` unless the file says so of an index of that kind."""
    try:
        told = read_json(file)
    except DamagedError as why:
        raise DamagedError(f"{file} is not a readable index: {why}") from None
    if not isinstance(told, dict) or told.get(KIND) != kind:
        raise DamagedError(f"{file} holds no index of kind '{kind}'; build it again")
    if any(type(told.get(name)) is not one for name, one in expected.items()):
        raise DamagedError(f"{file} is not a readable index: it does not say its {', '.join(expected)}; build it again")
    return {name: told[name] for name in expected}
