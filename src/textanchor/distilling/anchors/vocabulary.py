"""A tokenizer with fewer pieces: what is left out is spelled by shorter ones."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from tokenizers import Tokenizer

from textanchor.errors import InputError


def smaller(tokens: Tokenizer, texts: Sequence[str], count: int) -> tuple[Tokenizer, list[int]]:
    """A tokenizer of at most `count` pieces, and of each the number that it had.

    Special tokens and single characters stay, so that every word can still be spelled, then the pieces of the texts, then the
    tokenizer's in their order, which is that of their frequency in most. Raises `InputError` for a tokenizer that is no
    WordPiece, or a count that leaves no room for what must stay.
    """
    told = json.loads(tokens.to_str())
    if told["model"]["type"] != "WordPiece":
        raise InputError(
            f"vocabulary={count}: the teacher's tokenizer is a {told['model']['type']}, and WordPiece alone can be cut"
        )
    vocabulary: dict[str, int] = {**told["model"]["vocab"], **{one["content"]: one["id"] for one in told["added_tokens"]}}
    special = {one["content"] for one in told["added_tokens"]}
    must = [piece for piece in vocabulary if piece in special or len(piece.removeprefix("##")) == 1]
    if count < len(must):
        raise InputError(f"vocabulary={count}: {len(must)} pieces, special ones and single characters, cannot be left out")
    seen = {number for one in tokens.encode_batch_fast(list(texts), add_special_tokens=False) for number in one.ids}
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)
    first = [piece for piece in ordered if vocabulary[piece] in seen]
    kept = set(list(dict.fromkeys([*must, *first, *ordered]))[:count])
    former = [vocabulary[piece] for piece in ordered if piece in kept]
    number = {piece: place for place, piece in enumerate(piece for piece in ordered if piece in kept)}
    return Tokenizer.from_str(json.dumps(_renumbered(told, number, special))), former


def _renumbered(told: dict[str, object], number: dict[str, int], special: Collection[str]) -> dict[str, object]:
    """The tokenizer's own description with new numbers wherever one stands."""
    made = json.loads(json.dumps(told))
    made["model"]["vocab"] = number
    for one in made["added_tokens"]:
        one["id"] = number[one["content"]]
    processor = made.get("post_processor") or {}
    for name, one in (processor.get("special_tokens") or {}).items():
        one["ids"] = [number[piece] for piece in one["tokens"]]
        assert name in special
    for name in ("cls", "sep"):  # of the older kind of processor
        if isinstance(processor.get(name), list):
            processor[name][1] = number[processor[name][0]]
    if made.get("padding"):
        made["padding"]["pad_id"] = number[made["padding"]["pad_token"]]
    return made
