"""Latents of any number of items through the cache, in this process and in bounded memory.

A chunk of items at a time is hashed, looked up, and what is missing is read, decoded and prepared by threads while the encoder
works on earlier items. Inputs of one size are encoded together, so that no padding is computed that could be avoided.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from textanchor import config
from textanchor.data.contents import cache_key, content_hash
from textanchor.encoders import Encoder, Output, outputs
from textanchor.errors import InputError, ItemError
from textanchor.latents.cache import LatentCache
from textanchor.latents.passes import encoded_rows, is_light
from textanchor.records import Item, Latents, Pooled, Ragged, Skipped, Vectors

SHARD, SECONDS = 2048, 60.0  # items a shard, and how much work may be lost at most
TURN = 32


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Latents of the readable items, in the order given, and how they came about."""

    latents: Latents
    skipped: tuple[Skipped, ...]
    cached: int
    new: int

    @property
    def vectors(self) -> Vectors:
        """Latents of an encoder that is known to give one vector an item."""
        assert isinstance(self.latents, Pooled)
        return self.latents.vectors


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Part of a stream: one `latents` entry an output of the encoder, all with the same ids."""

    latents: tuple[Latents, ...]
    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    cached: int
    new: int


def contents(items: Iterable[Item], *, progress: bool = False) -> tuple[dict[str, str], tuple[Skipped, ...]]:
    """Content hash of every readable item by id, and the items that cannot be read."""
    found: dict[str, str] = {}
    skipped: list[Skipped] = []
    total = len(items) if isinstance(items, Sequence) else None
    with ThreadPoolExecutor(config.workers()) as pool, _bar(total, "read", progress) as bar:
        for part in _chunks(items):
            hashes, bad = _hashes(part, pool)
            found.update(hashes)
            skipped += bad.values()
            bar.update(len(part))
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
    already computed. Raises `InputError` for an encoder of several outputs, which `stream` takes.
    """
    outs = outputs(encoder)
    if len(outs) != 1:
        raise InputError(f"the encoder gives {len(outs)} latents an item; use stream")
    rows = np.empty((0 if outs[0].ragged else len(items), encoder.dim), dtype=np.float32)
    tokens: list[Ragged] = []
    ids: list[str] = []
    hashes: list[str] = []
    skipped: list[Skipped] = []
    cached = new = 0
    for chunk in stream(items, encoder, cache=cache, known=known, store=store, strict=strict, progress=progress):
        (part,) = chunk.latents
        if isinstance(part, Pooled):
            rows[len(ids) : len(ids) + len(part)] = part.vectors
        else:
            tokens.append(part)
        ids += part.ids
        hashes += part.contents
        skipped += chunk.skipped
        cached, new = cached + chunk.cached, new + chunk.new
    told: dict[str, Any] = {"ids": tuple(ids), "contents": tuple(hashes), "fingerprint": encoder.fingerprint}
    latents: Latents = Pooled(vectors=rows[: len(ids)], **told)
    if outs[0].ragged:
        parts = [part.tokens for part in tokens] or [np.empty((0, encoder.dim), dtype=np.float16)]
        sizes = np.concatenate([[0], *(np.diff(part.offsets) for part in tokens)]).astype(np.int64)
        latents = Ragged(tokens=np.concatenate(parts), offsets=np.cumsum(sizes), **told)
    return Encoded(latents=latents, skipped=tuple(skipped), cached=cached, new=new)


def stream(
    items: Iterable[Item],
    encoder: Encoder,
    *,
    cache: str | Path | None = None,
    known: Mapping[str, str] | None = None,
    store: bool = True,
    strict: bool = False,
    total: int | None = None,
    progress: bool = False,
) -> Iterator[Chunk]:
    """Like `encode`, a chunk of at most 2048 items at a time, every output of the encoder; memory does not grow with the items.

    What was encoded is on disk when a minute has passed or a shard is full, so an interrupted run loses no more than that.
    """
    total = len(items) if total is None and isinstance(items, Sequence) else total
    outs, name = outputs(encoder), str(getattr(encoder, "name", ""))
    held = [
        LatentCache(config.cache_folder(cache), out.fingerprint, out.dim, ragged=out.ragged, name=f"{name} {out.name}".strip())
        for out in outs
    ]
    counts = {"new": 0, "cached": 0, "skipped": 0}
    with ThreadPoolExecutor(config.workers()) as pool, _bar(total, f"encode {encoder.modality}", progress) as bar:
        for part in _chunks(items):
            chunk = _chunk(part, encoder, outs, held, pool, bar, known, store=store)
            if strict and chunk.skipped:
                raise ItemError(chunk.skipped[0].item, chunk.skipped[0].reason)
            counts = {
                "new": counts["new"] + chunk.new,
                "cached": counts["cached"] + chunk.cached,
                "skipped": counts["skipped"] + len(chunk.skipped),
            }
            bar.set_postfix(counts, refresh=False)
            yield chunk


def _chunk(
    part: list[Item],
    encoder: Encoder,
    outs: Sequence[Output],
    held: Sequence[LatentCache],
    pool: ThreadPoolExecutor,
    bar: tqdm,
    known: Mapping[str, str] | None,
    *,
    store: bool,
) -> Chunk:
    if known is None:
        hashes, bad = _hashes(part, pool)
    else:
        hashes, bad = {item.id: known[item.id] for item in part if item.id in known}, {}
    keys = {item: cache_key(content) for item, content in hashes.items()}
    distinct = list(dict.fromkeys(keys.values()))
    found = [cache.find(distinct) for cache in held]
    missing = {
        keys[item.id]: item for item in reversed(part) if item.id in keys and not all(keys[item.id] in one for one in found)
    }
    work = [missing[key] for key in dict.fromkeys(keys.values()) if key in missing]
    bar.update(len(part) - len(work))
    waiting: dict[str, tuple[np.ndarray, ...]] = {}
    failed: dict[str, Skipped] = {}
    since = time.monotonic()
    try:
        for item, result in encoded_rows(work, encoder, pool):
            bar.update()
            if isinstance(result, ItemError):
                failed[keys[item.id]] = _left_out(result)
                continue
            waiting[keys[item.id]] = result
            if len(waiting) >= SHARD or time.monotonic() - since > SECONDS:
                _flush(waiting, held, found, store=store)
                since = time.monotonic()
    finally:
        _flush(waiting, held, found, store=store)
    bad.update({item: replace(failed[key], item=item) for item, key in keys.items() if key in failed})
    good = tuple(item for item in part if item.id in keys and item.id not in bad)
    latents = tuple(
        _latents([one[keys[item.id]] for item in good], good, hashes, out) for one, out in zip(found, outs, strict=True)
    )
    skipped = tuple(bad[item.id] for item in part if item.id in bad)
    new = len({keys[item.id] for item in good} & missing.keys())
    return Chunk(latents=latents, items=good, skipped=skipped, cached=len(good) - new, new=new)


def _flush(
    waiting: dict[str, tuple[np.ndarray, ...]],
    held: Sequence[LatentCache],
    found: Sequence[dict[str, np.ndarray]],
    *,
    store: bool,
) -> None:
    """Write what is new to each output's cache; what one of them held already stays as it is there."""
    for place, (cache, one) in enumerate(zip(held, found, strict=True)):
        new = {key: rows[place] for key, rows in waiting.items() if key not in one}
        cache.put(new, store=store)
        one.update(new)
    waiting.clear()


def _latents(rows: list[np.ndarray], items: Sequence[Item], hashes: Mapping[str, str], out: Output) -> Latents:
    ids, held = tuple(item.id for item in items), tuple(hashes[item.id] for item in items)
    if not out.ragged:
        vectors = np.stack(rows) if rows else np.empty((0, out.dim), dtype=np.float32)
        return Pooled(vectors=vectors, ids=ids, contents=held, fingerprint=out.fingerprint)
    tokens = np.concatenate(rows) if rows else np.empty((0, out.dim), dtype=np.float16)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Ragged(tokens=tokens, offsets=offsets, ids=ids, contents=held, fingerprint=out.fingerprint)


def _hashes(part: Sequence[Item], pool: ThreadPoolExecutor) -> tuple[dict[str, str], dict[str, Skipped]]:
    """Content hashes by id, and what cannot be read."""
    hashes: dict[str, str] = {}
    bad: dict[str, Skipped] = {}
    for item, result in zip(part, _all_hashes(part, pool), strict=True):
        if isinstance(result, ItemError):
            bad[item.id] = _left_out(result)
        else:
            hashes[item.id] = result
    return hashes, bad


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while part := list(islice(rest, SHARD)):
        yield part


def _bar(total: int | None, what: str, progress: bool) -> tqdm:
    return tqdm(total=total, desc=what, unit="item", disable=None if progress else True)


def _left_out(why: ItemError) -> Skipped:
    return Skipped(item=why.item, reason=why.reason, absent=why.absent)


def _all_hashes(part: Sequence[Item], pool: ThreadPoolExecutor) -> Iterator[str | ItemError]:
    """Several items a thread's turn, because hashing one is less work than handing it over."""
    if all(is_light(item) for item in part):
        return map(_try_hash, part)
    turns = [part[start : start + TURN] for start in range(0, len(part), TURN)]
    return chain.from_iterable(pool.map(lambda turn: [_try_hash(item) for item in turn], turns))


def _try_hash(item: Item) -> str | ItemError:
    try:
        return content_hash(item)
    except ItemError as why:
        return why
