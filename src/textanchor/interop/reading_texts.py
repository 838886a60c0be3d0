"""The space's anchor as the library sentence-transformers knows it, and as a module from tokens to vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.encoders import parse
from textanchor.encoders._hf import quiet
from textanchor.encoders.networks import Network
from textanchor.encoders.places import place_of
from textanchor.encoders.sentence import Sentence
from textanchor.errors import InputError
from textanchor.space import TEXT, Space

EXAMPLES = ["a dog", "a considerably longer sentence about two dogs and the sea"]


def anchor_model(space: Space, **settings: Any) -> tuple[Any, Path, str]:
    """The anchor as a `SentenceTransformer`, its folder, and its prompt. Raises `InputError` for an anchor of another kind."""
    call = parse(space.anchor)
    place = place_of(call, offline=space.runtime.offline) if call.name == "st" else None
    if place is None:
        raise InputError(f"anchor {space.anchor} is no model of sentence-transformers, whose files an export is made of")
    with quiet():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(place), device="cpu", **settings)
    return model.eval(), place, cast(Sentence, space.encoder(TEXT)).prompt


def text_network(space: Space) -> Network:
    """The anchor's network from the numbers of tokens to unit vectors."""
    model, folder, prompt = anchor_model(space, model_kwargs={"attn_implementation": "eager"})  # which graphs can hold
    held = model.tokenizer([prompt + text for text in EXAMPLES], padding=True, return_tensors="np")
    inputs = {name: np.asarray(held[name]) for name in ("input_ids", "attention_mask")}
    told = {
        "by": "tokenizer.json with the special tokens of the model, white space at the ends taken off",
        "prompt": prompt,
        "longest": model.max_seq_length,
        "padding token": getattr(model.tokenizer, "pad_token_id", None),
    }
    return Network(module=_Anchor(model), inputs=inputs, preprocessing=told, folder=folder)


class _Anchor(nn.Module):
    """All modules of the model on the names that they know, and length 1."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors [n, d]."""
        features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
        return normalize(features["sentence_embedding"], dim=1)
