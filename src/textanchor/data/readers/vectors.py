"""Vectors that were made elsewhere: what items of a modality without a reader of its own are, arrays in memory."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float32

from textanchor.runtime import Limits


class VectorReader:
    """One array [d] of finite numbers an item; there are no files of single vectors."""

    modality = "vectors"
    extensions: tuple[str, ...] = ()
    default_encoder = "vectors"

    def read(self, stream: BinaryIO, limits: Limits) -> Float32[np.ndarray, " d"]:
        """Raises `ValueError`: nothing is one vector in a file."""
        raise ValueError("an item of this modality is an array in memory; files of vectors are read by `textanchor import`")

    def accept(self, value: Any) -> Float32[np.ndarray, " d"]:
        """An array [d], as float32."""
        vector = np.asarray(value)
        if vector.dtype.kind not in "biuf" or vector.ndim != 1 or not vector.size:
            raise ValueError(f"a vector is an array [d] of numbers, not {vector.dtype} {list(vector.shape)}")
        vector = np.ascontiguousarray(vector, dtype=np.float32)
        if not np.isfinite(vector).all():
            raise ValueError(
                f"{int((~np.isfinite(vector)).sum())} of {vector.size} numbers are NaN, infinite or beyond float32"
            )
        return vector

    def content(self, value: Float32[np.ndarray, " d"]) -> bytes:
        """Length and numbers."""
        return f"vector {value.size} ".encode() + value.tobytes()
