"""Fill the cache: read, decode and encode what is not there yet, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from textanchor.config import cache_folder
from textanchor.data.contents import content_hash, decode
from textanchor.encoders import Encoder
from textanchor.errors import ItemError
from textanchor.latents.cache import LatentCache
from textanchor.records import Item, Pooled, Skipped

BATCH, SHARD, WORKERS = 64, 2048, 2


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Latents of the readable items, in the order given, and how they came about."""

    latents: Pooled
    skipped: tuple[Skipped, ...]
    cached: int
    new: int


def contents(items: Sequence[Item], *, progress: bool = False) -> tuple[dict[str, str], tuple[Skipped, ...]]:
    """Content hash of every readable item by id, and the items that cannot be read."""
    found, skipped = {}, []
    with ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(_try_hash, items, chunksize=64)
        for item, result in zip(items, _bar(results, len(items), "read", progress), strict=True):
            if isinstance(result, ItemError):
                skipped.append(Skipped(item=result.item, reason=result.reason))
            else:
                found[item.id] = result
    return found, tuple(skipped)


def encode(
    items: Sequence[Item],
    encoder: Encoder,
    *,
    cache: str | Path | None = None,
    known: Mapping[str, str] | None = None,
    store: bool = True,
    strict: bool = False,
    progress: bool = False,
) -> Encoded:
    """Latents of items of one modality through the cache at `cache` (None: the platform's cache folder).

    Without `store` nothing new is written, which suits single queries. Items that cannot be read are left out and named in
    `skipped`, all of them if need be; with `strict` the first of them raises `ItemError`. `known` gives content hashes
    already computed.
    """
    bad: dict[str, str] = {}
    if known is None:
        known, unread = contents(items, progress=progress)
        bad.update({one.item: one.reason for one in unread})
    held = LatentCache(cache_folder(cache), encoder.fingerprint, encoder.dim)
    keys = {item.id: known[item.id] for item in items if item.id in known}
    missing = list({keys[item.id]: item for item in items if item.id in keys and keys[item.id] not in held}.values())
    for item, reason in _fill(missing, keys, encoder, held, store=store, progress=progress):
        bad.update({other: reason for other, key in keys.items() if key == keys[item.id]})
    if strict and bad:
        raise ItemError(*next(iter(bad.items())))
    good = [item.id for item in items if item.id in keys and item.id not in bad]
    hashes = tuple(keys[item] for item in good)
    latents = Pooled(vectors=held.get(hashes), ids=tuple(good), contents=hashes, fingerprint=encoder.fingerprint)
    skipped = tuple(Skipped(item=item, reason=reason) for item, reason in bad.items())
    new = len({keys[item.id] for item in missing} & set(hashes))
    return Encoded(latents=latents, skipped=skipped, cached=len(good) - new, new=new)


def _fill(
    missing: Sequence[Item],
    keys: Mapping[str, str],
    encoder: Encoder,
    held: LatentCache,
    *,
    store: bool,
    progress: bool,
) -> Iterator[tuple[Item, str]]:
    """Encode into the cache, a shard at a time; yields the items that failed."""
    waiting: dict[str, np.ndarray] = {}
    bar = tqdm(total=len(missing), desc=f"encode {encoder.modality}", unit="item", disable=None if progress else True)
    with bar, ThreadPoolExecutor(WORKERS) as pool:
        try:
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                values = list(pool.map(_try_decode, batch))
                good = [row for row, value in enumerate(values) if not isinstance(value, ItemError)]
                vectors = encoder.encode([values[row] for row in good]) if good else np.empty((0, encoder.dim))
                finite = [bool(np.isfinite(vector).all()) for vector in vectors]
                for row, vector, fine in zip(good, vectors, finite, strict=True):
                    if fine:
                        waiting[keys[batch[row].id]] = vector
                    else:
                        yield batch[row], "the encoder gave NaN or infinite values"
                yield from ((batch[row], value.reason) for row, value in enumerate(values) if isinstance(value, ItemError))
                if len(waiting) >= SHARD:
                    held.put(waiting, store=store)
                    waiting = {}
                bar.update(len(batch))
        finally:
            held.put(waiting, store=store)


def _bar(results: Iterator[str | ItemError], total: int, what: str, progress: bool) -> Iterator[str | ItemError]:
    yield from tqdm(results, total=total, desc=what, unit="item", disable=None if progress else True)


def _try_hash(item: Item) -> str | ItemError:
    try:
        return content_hash(item)
    except ItemError as why:
        return why


def _try_decode(item: Item) -> object:
    try:
        return decode(item)
    except ItemError as why:
        return why
