"""A tiny teacher of text and sentences that it can be asked about."""

from __future__ import annotations

from itertools import product
from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = (
    "dog",
    "cat",
    "bird",
    "fox",
    "runs",
    "sits",
    "sings",
    "eats",
    "red",
    "blue",
    "old",
    "tiny",
    "in",
    "on",
    "the",
    "park",
    "lake",
)
SIZES = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 24}


def tiny_teacher(folder: Path) -> Path:
    """A random model of sentence-transformers with four layers, 16 numbers, and a vocabulary of letters and some words."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    raw = folder.with_name(f"{folder.name}-raw")
    raw.mkdir(parents=True)
    special, inner = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), (f"##{one}" for one in LETTERS)
    pieces = [*special, *LETTERS, *inner, *WORDS, "zebra", "walrus"]
    torch.manual_seed(0)
    config = transformers.BertConfig(**SIZES, vocab_size=len(pieces), initializer_range=0.3)
    transformers.BertModel(config).save_pretrained(raw)
    transformers.BertTokenizerFast(vocab={piece: number for number, piece in enumerate(pieces)}).save_pretrained(raw)
    transformer = Transformer(str(raw))
    transformer.max_seq_length = 32
    SentenceTransformer(modules=[transformer, Pooling(16), Normalize()], device="cpu").save(
        str(folder), create_model_card=False
    )
    return folder


def sentences() -> list[str]:
    """Distinct ones of made-up grammar."""
    parts = (WORDS[:4], WORDS[4:8], WORDS[8:12], ("in", "on"), ("park", "lake"))
    return [f"the {colour} {who} {does} {where} the {place}" for who, does, colour, where, place in product(*parts)]
