"""The network of the default anchor in torch; `bert` says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm, linear, normalize, scaled_dot_product_attention

from textanchor.records import Vectors


class TorchBert:
    """Layers, heads, epsilon and the token that fills up are the model's."""

    def __init__(self, file: Path, *, layers: int, heads: int, epsilon: float, pad: int, device: str) -> None:
        self.device = torch.device(device)
        self._layers, self._heads, self._epsilon, self._pad = layers, heads, epsilon, pad
        weights = load_file(file, device=device)
        self._weights = {name: value.float() for name, value in weights.items() if not name.endswith("position_ids")}

    def encode(self, ids: Sequence[Sequence[int]]) -> Vectors:
        """Token numbers to vectors of length 1. *Shape:* [n, d]."""
        vectors: Vectors = self._pooled(ids).cpu().numpy()
        return vectors

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
