"""Sounds as pictures of their energy over time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from textanchor.encoders._sound import HOP, RATE, log_mel
from textanchor.records import Waveform
from textanchor.settings import Count, Seconds

QUIET = 8 * np.log(10)  # 80 dB below the loudest point is silence
NOTHING = np.log(2e-10)  # below which no sound is loud, and all of it is silence


class LogMel:
    """Log-mel energies, low bands first, `frames` columns over `seconds`: 0 for silence to 1 for the loudest point.

    A shorter sound is followed by silence, of a longer one the middle is taken; within windows of `seconds` an encoder hears
    all of it. Energies are averaged over the 10 ms frames of a column.
    """

    name, modality = "log-mel", "audio"

    def __init__(self, *, bands: Count = 64, frames: Count = 64, seconds: Seconds = 1.0) -> None:
        self.settings = {"bands": bands, "frames": frames, "seconds": seconds}
        self.shape = (1, bands, frames)
        self.seconds: float | None = seconds

    def __call__(self, value: Waveform) -> Float32[np.ndarray, "1 h w"]:
        """*Shape:* [1, bands, frames]."""
        _, bands, frames = self.shape
        level = log_mel(value, bands)
        level = np.clip((level - level.max()) / QUIET + 1, 0, 1) if level.max() > NOTHING else 0 * level
        wanted = max(frames, round(float(self.settings["seconds"]) * RATE / HOP))
        start = max(0, (len(level) - wanted) // 2)
        level = level[start : start + wanted]
        level = np.pad(level, ((0, wanted - len(level)), (0, 0)))
        edges = np.linspace(0, wanted, frames + 1).round().astype(int)[:-1]
        columns = np.add.reduceat(level, edges, axis=0) / np.diff(np.append(edges, wanted))[:, None]
        return np.ascontiguousarray(columns.T[None], dtype=np.float32)
