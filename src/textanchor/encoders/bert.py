"""The network of the default anchor and of its students, a BERT with mean pooling, from its own files alone.

The libraries that run any such model take four CPU seconds to import, which is most of what a single search takes. The same
numbers as theirs to 1e-6, which a test holds. Source: Devlin et al. 2019, arXiv:1810.04805; the model is all-MiniLM-L6-v2
(Wang et al. 2020, arXiv:2002.10957).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32
from safetensors import safe_open
from tokenizers import Tokenizer

from textanchor.encoders.bert_numpy import WORDS, NumpyBert
from textanchor.files import read_json
from textanchor.records import Vectors

if TYPE_CHECKING:
    from textanchor.encoders.bert_torch import TorchBert

FEW = 4  # texts for which torch is not imported
HEAD = "2_Dense"  # a linear map behind the pool, in a folder of its own, that students may have


def runs_here(folder: Path) -> bool:
    """Whether a folder's modules are a plain BERT, its mean, perhaps a linear map, and vectors of length 1."""
    kinds = [str(module["type"]).rpartition(".")[2] for module in read_json(folder / "modules.json")]
    settings, pool = read_json(folder / "config.json"), read_json(folder / "1_Pooling" / "config.json")
    plain = settings.get("model_type") == "bert" and settings.get("hidden_act") == "gelu"
    absolute = settings.get("position_embedding_type", "absolute") == "absolute"
    means = pool.get("pooling_mode", "mean" if pool.get("pooling_mode_mean_tokens") else "") in ("mean", ["mean"])
    return (
        plain and absolute and means and [kind for kind in kinds if kind != "Dense"] == ["Transformer", "Pooling", "Normalize"]
    )


class Bert:
    """A folder of `sentence-transformers` that holds a BERT and pools its mean; what `Sentence` asks of a model."""

    default_prompt_name = None

    def __init__(self, folder: Path, *, device: str, weights: str) -> None:
        """`weights` tells these weights from others."""
        self.weights = weights
        settings = read_json(folder / "config.json")
        self.device = device
        self.max_seq_length = _longest(folder)
        self._file, self._pad = folder / "model.safetensors", int(settings["pad_token_id"])
        self._layers, self._heads = int(settings["num_hidden_layers"]), int(settings["num_attention_heads"])
        self._epsilon = float(settings["layer_norm_eps"])
        self._head = _head(folder / HEAD / "model.safetensors")
        self._tokens = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokens.enable_truncation(self.max_seq_length)
        self._tokens.no_padding()

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        if self._head is not None:
            return len(self._head)
        with safe_open(self._file, "numpy") as stored:
            return int(stored.get_slice(WORDS).get_shape()[1])

    def encode(self, texts: Sequence[str], *, prompt: str, batch_size: int) -> Vectors:
        """Texts of like length go together. *Shape:* [n, d], each of length 1."""
        ids = [encoding.ids for encoding in self._tokens.encode_batch([prompt + text.strip() for text in texts])]
        if len(ids) <= FEW and "torch" not in sys.modules and self.device == "cpu":
            return self._mapped(self._light.encode(ids))
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        vectors = np.empty((len(ids), self.get_embedding_dimension()), dtype=np.float32)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            vectors[rows] = self._mapped(self._network.encode([ids[row] for row in rows]))
        return vectors

    def _mapped(self, vectors: Vectors) -> Vectors:
        """A map without a constant does the same before and after vectors are brought to length 1."""
        if self._head is None:
            return vectors
        mapped = vectors @ self._head.T
        return (mapped / np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-12)).astype(np.float32)

    def pieces(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The tokens of each text, none cut off; "" for one that is not known. Not while another thread encodes."""
        self._tokens.no_truncation()
        try:
            held = self._tokens.encode_batch([text.strip() for text in texts], add_special_tokens=False)
        finally:
            self._tokens.enable_truncation(self.max_seq_length)
        return [tuple("" if token == "[UNK]" else token for token in row.tokens) for row in held]

    @cached_property
    def _light(self) -> NumpyBert:
        return NumpyBert(self._file, layers=self._layers, heads=self._heads, epsilon=self._epsilon)

    @cached_property
    def _network(self) -> TorchBert:
        from textanchor.encoders.bert_torch import TorchBert

        sizes = {"layers": self._layers, "heads": self._heads}
        return TorchBert(self._file, **sizes, epsilon=self._epsilon, pad=self._pad, device=self.device)


def _head(file: Path) -> Float32[np.ndarray, "k d"] | None:
    if not file.is_file():
        return None
    with safe_open(file, "numpy") as stored:
        return np.asarray(stored.get_tensor("linear.weight"), dtype=np.float32)


def _longest(folder: Path) -> int:
    """Tokens of a text: where the library wrote it, formerly and now."""
    told = read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    return int(told or read_json(folder / "tokenizer_config.json")["model_max_length"])
