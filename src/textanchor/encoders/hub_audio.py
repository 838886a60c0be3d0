"""Sounds for models of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.encoders._sound import resampled
from textanchor.records import Waveform

LONGEST = 30.0  # seconds at once for models without a length of their own, whose attention grows with its square
SHORTEST = 0.1
AST_TOKENS = 2  # class and distillation
WHISPER_HZ = 50  # encoder frames a second
INPUTS = ("input_values", "input_features", "is_longer")


class AudioFront:
    """The model's own feature extractor, one sound at a time, so that no sound is padded to another's length.

    A sound is at most `seconds` long here; longer ones come in windows. Of Whisper's 30 seconds only the frames that the sound
    fills are pooled.
    """

    modality = "audio"

    def __init__(self, folder: Path, model: Any) -> None:
        from transformers import AutoFeatureExtractor

        self._extractor: Any = AutoFeatureExtractor.from_pretrained(folder)
        self._kind = str(model.config.model_type)
        self._rate = int(self._extractor.sampling_rate)
        self.seconds = self._longest()

    def prepare(self, value: Waveform) -> dict[str, np.ndarray]:
        """What the extractor gives for one sound."""
        samples = resampled(value, self._rate)[: round(self.seconds * self._rate)]
        samples = np.pad(samples, (0, max(0, round(SHORTEST * self._rate) - len(samples))))
        features = self._extractor(samples, sampling_rate=self._rate, return_tensors="np")
        inputs = {key: np.asarray(features[key])[0] for key in INPUTS if key in features}
        inputs = {key: values.astype(np.float32) if values.dtype.kind == "f" else values for key, values in inputs.items()}
        if self._kind == "whisper":
            inputs["_valid"] = np.asarray(max(1, int(np.ceil(len(samples) / self._rate * WHISPER_HZ))))
        return inputs

    def _longest(self) -> float:
        if self._kind == "whisper":
            return float(self._extractor.chunk_length)
        if self._kind == "clap_audio_model":
            return float(self._extractor.max_length_s)
        if self._kind == "audio-spectrogram-transformer":
            return float(self._extractor.max_length) / 100  # frames of 10 ms
        return LONGEST

    def keywords(self) -> dict[str, bool]:
        """None."""
        return {}

    def recipe(self) -> bytes:
        """Features of a fixed noise."""
        inputs = self.prepare(Waveform(samples=_noise(), rate=self._rate))
        return b"".join(key.encode() + np.asarray(inputs[key], dtype=np.float64).round(3).tobytes() for key in sorted(inputs))

    def blank(self) -> Waveform:
        """A second of noise: silence has no variance to be normalised by."""
        return Waveform(samples=_noise(), rate=self._rate)

    @property
    def even(self) -> bool:
        """The audio spectrogram transformer fills every sound up to its own length."""
        return self._kind == "audio-spectrogram-transformer"

    def told(self) -> dict[str, str]:
        """In words; the numbers stand in the extractor's own file."""
        how = f"at {self._rate} Hz, at most {self.seconds:g} s; of a longer one the mean of its windows' vectors"
        return {"by": f"the model's feature extractor (preprocessor_config.json), of sounds {how}"}

    def processor(self) -> Any:
        """The model's own feature extractor."""
        return self._extractor

    def prefix(self, tokens: int, inputs: Mapping[str, Any]) -> int:
        """Two for the audio spectrogram transformer, else none."""
        return AST_TOKENS if self._kind == "audio-spectrogram-transformer" else 0


def _noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
