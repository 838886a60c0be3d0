"""A vector a token, and a text is their mean: what `textanchor distill` writes as a static student, with no torch.

The folder is one of `sentence-transformers` (a `StaticEmbedding` in the layout of model2vec), so that others read it too.
Numbers are 8-bit integers with a scale a token; of a vocabulary that was reduced, all that was left out shares a row of zeros.
Source: Tulkens and van Dongen 2024, model2vec, github.com/MinishLab/model2vec.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from textanchor.errors import DamagedError
from textanchor.files import digest, file_digest
from textanchor.records import Vectors

NUMBERS, TOKENS = "model.safetensors", "tokenizer.json"
UNBOUNDED = 1 << 20  # tokens


class Static:
    """What `Sentence` asks of a model. A text without a known token is a vector of zeros. Raises `DamagedError`."""

    default_prompt_name = None
    max_seq_length = UNBOUNDED
    device = "cpu"

    def __init__(self, folder: Path) -> None:
        try:
            stored = load_file(folder / NUMBERS)
            self._rows, self._places = stored["embeddings"], stored["mapping"]
            self._scales = stored["weights"].astype(np.float32)
            self._tokens: Tokenizer = Tokenizer.from_file(str(folder / TOKENS))
        except (OSError, SafetensorError, KeyError) as why:
            raise DamagedError(f"{folder}: no static student can be read there ({why}); restore the folder") from None
        if self._rows.ndim != 2 or self._places.max(initial=0) >= len(self._rows) or len(self._scales) != len(self._places):
            raise DamagedError(f"{folder / NUMBERS}: rows, places and scales do not fit together; restore the folder")
        self._tokens.no_truncation()
        self._tokens.no_padding()
        self.weights = digest("static", file_digest(folder / NUMBERS), file_digest(folder / TOKENS))

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self._rows.shape[1])

    def encode(self, texts: Sequence[str], *, prompt: str, batch_size: int) -> Vectors:
        """*Shape:* [n, d], each of length 1 or 0."""
        held = self._tokens.encode_batch_fast([prompt + text for text in texts], add_special_tokens=False)
        rows = [one.ids for one in held]
        summed = self._summed(np.fromiter(chain.from_iterable(rows), dtype=np.int64), np.array([len(row) for row in rows]))
        return (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)).astype(np.float32)

    def _summed(self, ids: Int[np.ndarray, " t"], lengths: Int[np.ndarray, " n"]) -> Float32[np.ndarray, "n d"]:
        """A sum has the mean's direction."""
        vectors = self._rows[self._places[ids]] * self._scales[ids, None]
        summed = np.zeros((len(lengths), self._rows.shape[1]), dtype=np.float32)
        some = np.flatnonzero(lengths)
        if len(some):
            summed[some] = np.add.reduceat(vectors, (np.cumsum(lengths) - lengths)[some], axis=0)
        return summed

    def pieces(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The tokens of each text; "" for one that the vectors do not know."""
        held = self._tokens.encode_batch(list(texts), add_special_tokens=False)
        known = self._scales != 0
        return [tuple(token if known[one] else "" for token, one in zip(row.tokens, row.ids, strict=True)) for row in held]
