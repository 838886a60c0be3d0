"""Series as curves of one length."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.encoders.signal_series import stretched
from textanchor.records import Series
from textanchor.settings import Count


class Curves:
    """Each channel's course, brought to `length` points by linear interpolation."""

    name, modality, seconds = "curves", "series", None

    def __init__(self, *, channels: Count = 1, length: Count = 128) -> None:
        self.settings = {"channels": channels, "length": length}
        self.shape = (channels, 1, length)

    def __call__(self, value: Series) -> Float32[np.ndarray, "c 1 t"]:
        """*Shape:* [channels, 1, length]. Raises `ValueError` for another number of channels."""
        channels, _, length = self.shape
        if value.values.shape[1] != channels:
            raise ValueError(f"{value.values.shape[1]} channels; this encoder was made of series with {channels}")
        return np.ascontiguousarray(stretched(value.values, length).T[:, None], dtype=np.float32)
