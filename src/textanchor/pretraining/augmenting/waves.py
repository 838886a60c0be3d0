"""Changes of sounds as waves, by audiomentations: too dear for every epoch, so that some of each sound are made before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from textanchor.errors import MissingError
from textanchor.records import Waveform

LOUDER, NOISE, SPEEDS, SEMITONES = (-6.0, 6.0), (5.0, 40.0), (0.8, 1.25), (-2.0, 2.0)  # dB, dB below the sound, times, steps
LEAST = 512  # samples below which a sound is left alone


class Waves:
    """Pitch, speed, noise and gain, each of them of about half the sounds. Sources: Ko et al. 2015, Interspeech (speed);
    Salamon and Bello 2017, arXiv:1608.04363, section II.B."""

    def __init__(self) -> None:
        try:
            import audiomentations as by
        except ImportError:
            raise MissingError("audiomentations is not installed; get it with: pip install 'textanchor[pretrain]'") from None
        self._changes: tuple[Any, ...] = (
            by.PitchShift(*SEMITONES, p=0.5),
            by.TimeStretch(*SPEEDS, leave_length_unchanged=False, p=0.5),
            by.AddGaussianSNR(*NOISE, p=0.5),
            by.Gain(*LOUDER, p=0.5),
        )

    def __call__(self, sound: Waveform, seed: tuple[int, ...]) -> Waveform:
        """A changed copy; the same one for the same seed. Not for several threads at once: the library draws from numbers that
        all of Python shares, which are put back."""
        samples = np.array(sound.samples, dtype=np.float32)
        with _drawing(seed):
            for change in self._changes if len(samples) >= LEAST else ():
                samples = change(samples, sound.rate)
        return Waveform(samples=np.clip(samples, -1, 1).astype(np.float32), rate=sound.rate)


@contextmanager
def _drawing(seed: tuple[int, ...]) -> Iterator[None]:
    were, was = random.getstate(), np.random.get_state()
    drawn = int(np.random.SeedSequence(seed).generate_state(1)[0])
    random.seed(drawn)
    np.random.seed(drawn)
    try:
        yield
    finally:
        random.setstate(were)
        np.random.set_state(was)
