"""The same network as `bert`, for a text or two in a process that has not imported torch, which takes longer than a search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from safetensors import safe_open

from textanchor.records import Vectors

Hidden = Float32[np.ndarray, "t d"]
WORDS = "embeddings.word_embeddings.weight"


class NumpyBert:
    """Layers, heads and epsilon are the model's; weights are read when a text comes."""

    def __init__(self, file: Path, *, layers: int, heads: int, epsilon: float) -> None:
        self._layers, self._heads, self._epsilon = layers, heads, epsilon
        with safe_open(file, "numpy") as stored:
            self._weights = {name: _single(stored.get_tensor(name)) for name in stored.keys() if name != WORDS}  # noqa: SIM118
        self._file = file

    def encode(self, ids: Sequence[Sequence[int]]) -> Vectors:
        """Token numbers to vectors of length 1. *Shape:* [n, d]."""
        with safe_open(self._file, "numpy") as stored:
            words = stored.get_slice(WORDS)
            rows = [_single(np.concatenate([words[token : token + 1] for token in one])) for one in ids]
        pooled = np.stack([self._hidden(embedded).mean(axis=0) for embedded in rows])
        return (pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)).astype(np.float32)

    def _hidden(self, embedded: Hidden) -> Hidden:
        places = self._weights["embeddings.position_embeddings.weight"][: len(embedded)]
        hidden = embedded + self._weights["embeddings.token_type_embeddings.weight"][0] + places
        hidden = self._normed(hidden, "embeddings.LayerNorm")
        for number in range(self._layers):
            layer = f"encoder.layer.{number}."
            attended = self._linear(self._attended(hidden, layer + "attention.self."), layer + "attention.output.dense")
            hidden = self._normed(attended + hidden, layer + "attention.output.LayerNorm")
            inner = _gelu(self._linear(hidden, layer + "intermediate.dense"))
            hidden = self._normed(self._linear(inner, layer + "output.dense") + hidden, layer + "output.LayerNorm")
        return hidden

    def _attended(self, hidden: Hidden, layer: str) -> Hidden:
        length, width = hidden.shape
        size = width // self._heads
        query, key, value = (
            self._linear(hidden, layer + name).reshape(length, self._heads, size).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(size))
        shares = np.exp(scores - scores.max(axis=2, keepdims=True))
        mixed = (shares / shares.sum(axis=2, keepdims=True)) @ value
        return mixed.transpose(1, 0, 2).reshape(length, width)

    def _linear(self, values: Hidden, name: str) -> Hidden:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normed(self, values: Hidden, name: str) -> Hidden:
        centred = values - values.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(self._epsilon))
        return centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _single(values: np.ndarray) -> np.ndarray:
    """Students may be stored in 16 bits."""
    return values.astype(np.float32, copy=False)


def _gelu(values: Hidden) -> Hidden:
    """With the error function to 1e-7. Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 7.1.26."""
    size = np.abs(values) / np.float32(np.sqrt(2))
    part = 1 / (1 + 0.3275911 * size.astype(np.float64))
    series = part * (0.254829592 + part * (-0.284496736 + part * (1.421413741 + part * (-1.453152027 + part * 1.061405429))))
    error = np.sign(values) * (1 - series * np.exp(-(size.astype(np.float64) ** 2)))
    return (0.5 * values * (1 + error)).astype(np.float32)
