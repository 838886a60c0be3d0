"""Resampling and mel spectrograms, shared by the encoders that hear."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float32
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from textanchor.records import Waveform

RATE = 16_000
WINDOW, HOP = 400, 160  # 25 ms and 10 ms


def resampled(sound: Waveform, rate: int) -> Float32[np.ndarray, " t"]:
    """Samples at another rate, by soxr's high-quality resampler."""
    if sound.rate == rate:
        return sound.samples
    import soxr

    return np.asarray(soxr.resample(sound.samples, sound.rate, rate), dtype=np.float32)


@lru_cache
def _filters(bands: int) -> np.ndarray:
    from transformers.audio_utils import mel_filter_bank

    return np.asarray(mel_filter_bank(WINDOW // 2 + 1, bands, 0.0, RATE / 2, RATE, norm="slaney", mel_scale="slaney"))


def log_mel(sound: Waveform, bands: int) -> Float32[np.ndarray, "frames bands"]:
    """Natural log of mel energies, 25 ms windows every 10 ms at 16 kHz, Slaney's filters."""
    samples = resampled(sound, RATE)
    samples = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    transform = ShortTimeFFT(hann(WINDOW, sym=False), HOP, RATE)  # keeps what it last worked out, so threads share none
    power = np.abs(transform.stft(samples)) ** 2
    return np.log(power.T @ _filters(bands) + 1e-10).astype(np.float32)
