"""The default anchor's network, a BERT with mean pooling, from its own files alone.

The libraries that run any such model take four CPU seconds to import, which is most of what a single search takes. The same
numbers as theirs to 1e-6, which a test holds. Source: Devlin et al. 2019, arXiv:1810.04805; the model is all-MiniLM-L6-v2
(Wang et al. 2020, arXiv:2002.10957).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm, linear, normalize, scaled_dot_product_attention

from textanchor.files import read_json
from textanchor.records import Vectors


class Bert:
    """A folder of `sentence-transformers` that holds a BERT and pools its mean; what `Sentence` asks of a model."""

    default_prompt_name = None

    def __init__(self, folder: Path, *, device: str) -> None:
        settings = read_json(folder / "config.json")
        self.device = torch.device(device)
        self.max_seq_length = int(read_json(folder / "sentence_bert_config.json")["max_seq_length"])
        self._layers, self._heads = int(settings["num_hidden_layers"]), int(settings["num_attention_heads"])
        self._epsilon, self._pad = float(settings["layer_norm_eps"]), int(settings["pad_token_id"])
        weights = load_file(folder / "model.safetensors", device=device)
        self._weights = {name: value for name, value in weights.items() if not name.endswith("position_ids")}
        self._tokens = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokens.enable_truncation(self.max_seq_length)
        self._tokens.no_padding()

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self._weights["embeddings.word_embeddings.weight"].shape[1])

    def encode(self, texts: Sequence[str], *, prompt: str, batch_size: int) -> Vectors:
        """Texts of like length go together. *Shape:* [n, d], each of length 1."""
        ids = [encoding.ids for encoding in self._tokens.encode_batch([prompt + text.strip() for text in texts])]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        vectors = np.empty((len(ids), self.get_embedding_dimension()), dtype=np.float32)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            vectors[rows] = self._pooled([ids[row] for row in rows]).cpu().numpy()
        return vectors

    def pieces(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The tokens of each text, none cut off; "" for one that is not known. Not while another thread encodes."""
        self._tokens.no_truncation()
        try:
            held = self._tokens.encode_batch([text.strip() for text in texts], add_special_tokens=False)
        finally:
            self._tokens.enable_truncation(self.max_seq_length)
        return [tuple("" if token == "[UNK]" else token for token in row.tokens) for row in held]

    @torch.inference_mode()
    def _pooled(self, ids: Sequence[Sequence[int]]) -> Float[Tensor, "n d"]:
        longest = max(map(len, ids))
        padded = torch.tensor([[*row, *[self._pad] * (longest - len(row))] for row in ids], device=self.device)
        lengths = torch.tensor([len(row) for row in ids], device=self.device)
        present = (torch.arange(longest, device=self.device) < lengths[:, None]).unsqueeze(2).float()
        hidden = self._hidden(padded, present)
        return normalize((hidden * present).sum(1) / present.sum(1).clamp(min=1e-9), dim=1)

    def _hidden(self, ids: Int[Tensor, "n t"], present: Float[Tensor, "n t 1"]) -> Float[Tensor, "n t d"]:
        weights = self._weights
        places = torch.arange(ids.shape[1], device=self.device)
        hidden = embedding(ids, weights["embeddings.word_embeddings.weight"])
        hidden = hidden + weights["embeddings.token_type_embeddings.weight"][0]
        hidden = hidden + embedding(places, weights["embeddings.position_embeddings.weight"])
        hidden = self._normed(hidden, "embeddings.LayerNorm")
        mask = present.squeeze(2)[:, None, None, :] > 0
        for number in range(self._layers):
            layer = f"encoder.layer.{number}."
            attended = self._linear(self._attended(hidden, layer + "attention.self.", mask), layer + "attention.output.dense")
            hidden = self._normed(attended + hidden, layer + "attention.output.LayerNorm")
            inner = gelu(self._linear(hidden, layer + "intermediate.dense"))
            hidden = self._normed(self._linear(inner, layer + "output.dense") + hidden, layer + "output.LayerNorm")
        return hidden

    def _attended(self, hidden: Float[Tensor, "n t d"], layer: str, mask: Tensor) -> Float[Tensor, "n t d"]:
        count, length, width = hidden.shape
        shape = (count, length, self._heads, width // self._heads)
        query, key, value = (
            self._linear(hidden, layer + name).view(shape).transpose(1, 2) for name in ("query", "key", "value")
        )
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(count, length, width)

    def _linear(self, values: Tensor, name: str) -> Tensor:
        return linear(values, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normed(self, values: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return layer_norm(values, (values.shape[-1],), weight, bias, self._epsilon)
