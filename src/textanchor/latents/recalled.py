"""Latents that the cache still has, by the contents of items that need not be there any more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textanchor.data.decoding import cache_key
from textanchor.encoders import Encoder, outputs
from textanchor.errors import InputError
from textanchor.latents.store import opened
from textanchor.records import Latents, Pooled, Ragged
from textanchor.runtime import Runtime


def recalled(contents: Sequence[str], encoder: Encoder, runtime: Runtime) -> Latents:
    """The latents of some contents, those that the runtime's cache lacks left out; ids are the contents.

    Nothing is encoded. Raises `InputError` for an encoder of several outputs.
    """
    if len(outs := outputs(encoder)) != 1:
        raise InputError(f"the encoder gives {len(outs)} latents an item; one was expected")
    (output,) = outs
    keys = {content: cache_key(content) for content in dict.fromkeys(contents)}
    found = opened(runtime.cache).find(output, list(keys.values()))
    names = tuple(content for content, key in keys.items() if key in found)
    rows = [found[keys[name]] for name in names]
    if not output.ragged:
        vectors = np.stack(rows) if rows else np.empty((0, output.dim), dtype=np.float32)
        return Pooled(vectors=vectors, ids=names, contents=names, fingerprint=encoder.fingerprint)
    tokens = np.concatenate(rows) if rows else np.empty((0, output.dim), dtype=np.float16)
    offsets = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    return Ragged(tokens=tokens, offsets=offsets, ids=names, contents=names, fingerprint=encoder.fingerprint)
