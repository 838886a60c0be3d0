"""Arrays of an index as one safetensors file, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textanchor.errors import DamagedError
from textanchor.escaping import openable
from textanchor.files import new_file

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
