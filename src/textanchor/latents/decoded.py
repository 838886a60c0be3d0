"""What items hold once they are decoded, so that copies in other files are known: other metadata, another lossless format.

A hash of 32 bytes an item is taken while the item is encoded, and stands in the store as a latent of 16 numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from textanchor.config import installed
from textanchor.data.readers import reader
from textanchor.encoders import Encoder, Output, outputs
from textanchor.errors import TextAnchorError
from textanchor.files import digest
from textanchor.latents.store import Store
from textanchor.records import Item, Vectors

DIM = 16  # numbers of 16 bits
NAME = "decoded contents"
DECODERS = ("pillow", "soundfile", "av", "numpy")  # whose next version may decode to something else


@lru_cache
def decoded_output(modality: str) -> Output:
    """Where the hashes of a modality stand in the store."""
    versions = [f"{name} {installed(name)}" for name in DECODERS]
    return Output(name="", dim=DIM, fingerprint=digest(NAME, "1", modality, *versions))


def mark(modality: str, value: Any) -> Float32[np.ndarray, " 16"]:
    """The hash of a decoded value, as numbers that are kept exactly."""
    raw = hashlib.sha256(reader(modality).content(value)).digest()
    return np.frombuffer(raw, dtype="<u2").astype(np.float32)


def as_hash(marked: Float32[np.ndarray, " 16"]) -> str:
    """A mark as 64 hexadecimal digits; of a file it is the content hash of the same value in memory."""
    return marked.astype("<u2").tobytes().hex()


class Marking:
    """Marks what is decoded while it is encoded, unless the store has its mark; may be called from any thread."""

    def __init__(self, store: Store, encoder: Encoder, key_of: Mapping[str, str]) -> None:
        self._store, self._key_of, self._output = store, key_of, decoded_output(encoder.modality)
        if any(output.fingerprint == self._output.fingerprint for output in outputs(encoder)):
            self._key_of = {}  # its latents are the marks
        self._known = set(store.find(self._output, list(self._key_of.values())))
        self._taken: dict[str, np.ndarray] = {}

    def __call__(self, item: Item, value: Any) -> None:
        """Mark one item."""
        key = self._key_of.get(item.id)
        if item.path is not None and key is not None and key not in self._known:
            with suppress(TextAnchorError, ValueError, TypeError, AttributeError):  # a mark is not worth an item
                self._taken[key] = mark(item.modality, value)

    def keep(self, keys: Iterable[str]) -> None:
        """Write the marks of these."""
        marks = {key: self._taken.pop(key) for key in keys if key in self._taken}
        self._store.put(self._output, marks, name=NAME)


class Decoded:
    """An encoder that only decodes: its latents are marks."""

    batch = 64
    name = NAME

    def __init__(self, modality: str) -> None:
        self.modality, self.dim = modality, DIM
        self.outputs = (decoded_output(modality),)
        self.fingerprint = self.outputs[0].fingerprint

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, 16]."""
        return np.stack([self.prepare(value) for value in batch])

    def prepare(self, value: Any) -> Float32[np.ndarray, " 16"]:
        """The mark."""
        return mark(self.modality, value)

    def forward(self, inputs: Sequence[Any]) -> list[Any]:
        """Nothing is left to do."""
        return [np.stack(inputs)]
