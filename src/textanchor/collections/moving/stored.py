"""A map as one safetensors file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from textanchor.collections.moving.mapping import AS_IS, KINDS, ORTHOGONAL, Form, VectorMap
from textanchor.errors import DamagedError
from textanchor.escaping import openable
from textanchor.files import new_file

KEY, VERSION = "textanchor.map", 1
ARRAYS = ("old_mean", "new_mean", "matrix")


def save_map(made: VectorMap, file: Path) -> None:
    """Replaces what lies there, whole or not at all."""
    from safetensors.numpy import save_file

    form = {"kind": made.form.kind, "start": made.form.start, "penalty": made.form.penalty}
    facts = {"version": VERSION, "form": form, "count": made.count, "old": made.old, "new": made.new}
    with new_file(file, overwrite=True) as temporary:
        arrays = {name: np.ascontiguousarray(getattr(made, name)) for name in ARRAYS}
        save_file(arrays, temporary, metadata={KEY: json.dumps(facts)})


def load_map(file: Path) -> VectorMap:
    """Raises `DamagedError` unless the file holds a map that `save_map` wrote."""
    from safetensors import SafetensorError, safe_open

    try:
        with openable(file) as name, safe_open(name, framework="numpy") as stored:
            facts = json.loads((stored.metadata() or {})[KEY])
            arrays = {one: stored.get_tensor(one) for one in ARRAYS}
        form = Form(kind=str(facts["form"]["kind"]), start=str(facts["form"]["start"]), penalty=float(facts["form"]["penalty"]))
        made = VectorMap(form=form, count=int(facts["count"]), old=str(facts["old"]), new=str(facts["new"]), **arrays)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as why:
        raise DamagedError(f"{file} is no readable map ({why!r:.120}); start the move again") from None
    if facts.get("version") != VERSION or not _fits(made):
        raise DamagedError(f"{file} holds no map of format {VERSION}, or one that does not fit together; start the move again")
    return made


def _fits(made: VectorMap) -> bool:
    arrays = (made.old_mean, made.new_mean, made.matrix)
    shapes = made.matrix.shape == (*made.old_mean.shape, *made.new_mean.shape) and made.matrix.ndim == 2
    kinds = made.form.kind in KINDS[1:] and made.form.start in ("", AS_IS, ORTHOGONAL) and math.isfinite(made.form.penalty)
    return shapes and kinds and all(one.dtype == np.float64 and np.isfinite(one).all() for one in arrays)
