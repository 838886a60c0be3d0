"""Latents of any number of items through the store, in this process and in bounded memory.

A chunk of items at a time is hashed, looked up, and what is missing is read, decoded and prepared by threads while the encoder
works on earlier items. Inputs of one size are encoded together, so that no padding is computed that could be avoided.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from textanchor.data.decoding import cache_key, content_hash
from textanchor.encoders import Encoder, Output, outputs
from textanchor.errors import InputError, ItemError
from textanchor.latents.decoded import Marking
from textanchor.latents.forward_passes import Row, encoded_rows, is_light
from textanchor.latents.store import Store, opened
from textanchor.progress import Bar
from textanchor.records import Item, Latents, Pooled, Ragged, Skipped, Vectors
from textanchor.runtime import Runtime

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


def contents(items: Iterable[Item], runtime: Runtime) -> tuple[dict[str, str], tuple[Skipped, ...]]:
    """Content hash of every readable item by id, and the items that cannot be read."""
    hashes: dict[str, str] = {}
    skipped: list[Skipped] = []
    total = len(items) if isinstance(items, Sequence) else None
    with ThreadPoolExecutor(runtime.workers) as pool, runtime.progress.bar("read", total=total) as bar:
        for chunk in _chunks(items):
            readable, unreadable = _hashed(chunk, {}, pool)
            hashes.update(readable)
            skipped += unreadable.values()
            bar.advance(len(chunk))
    return hashes, tuple(skipped)


def encode(
    items: Sequence[Item],
    encoder: Encoder,
    runtime: Runtime,
    *,
    known: Mapping[str, str] | None = None,
    store: bool = True,
) -> Encoded:
    """Latents of items of one modality through the runtime's cache.

    Without `store` nothing new is written, which suits single queries. Items that cannot be read are left out and named in
    `skipped`, all of them if need be; where the runtime is strict, the first of them raises `ItemError`. `known` gives content
    hashes already computed. Raises `InputError` for an encoder of several outputs, which `stream` takes.
    """
    outs = outputs(encoder)
    if len(outs) != 1:
        raise InputError(f"the encoder gives {len(outs)} latents an item; use stream")
    vectors = np.empty((0 if outs[0].ragged else len(items), encoder.dim), dtype=np.float32)
    ragged: list[Ragged] = []
    ids: list[str] = []
    hashes: list[str] = []
    skipped: list[Skipped] = []
    cached = new = 0
    for chunk in stream(items, encoder, runtime, known=known, store=store):
        (latents,) = chunk.latents
        if isinstance(latents, Pooled):
            vectors[len(ids) : len(ids) + len(latents)] = latents.vectors
        else:
            ragged.append(latents)
        ids += latents.ids
        hashes += latents.contents
        skipped += chunk.skipped
        cached, new = cached + chunk.cached, new + chunk.new
    whole: Latents
    if outs[0].ragged:
        whole = _concatenated(ragged, encoder, tuple(ids), tuple(hashes))
    else:
        readable = vectors[: len(ids)]
        whole = Pooled(vectors=readable, ids=tuple(ids), contents=tuple(hashes), fingerprint=encoder.fingerprint)
    return Encoded(latents=whole, skipped=tuple(skipped), cached=cached, new=new)


def stream(
    items: Iterable[Item],
    encoder: Encoder,
    runtime: Runtime,
    *,
    known: Mapping[str, str] | None = None,
    store: bool = True,
    total: int | None = None,
) -> Iterator[Chunk]:
    """Like `encode`, a chunk of at most 2048 items at a time, every output of the encoder; memory does not grow with the items.

    What was encoded is on disk when a minute has passed or a shard is full, so an interrupted run loses no more than that.
    """
    total = len(items) if total is None and isinstance(items, Sequence) else total
    bar_of = runtime.progress.bar(f"encode {encoder.modality}", total=total)
    counts = Counter(new=0, cached=0, skipped=0)
    with ThreadPoolExecutor(runtime.workers) as pool, bar_of as bar:
        work = _Work(
            encoder=encoder,
            outputs=outputs(encoder),
            store=opened(runtime.cache),
            writes=store,
            runtime=runtime,
            pool=pool,
            bar=bar,
        )
        for given in _chunks(items):
            chunk = work.chunk(given, known or {})
            if runtime.strict and chunk.skipped:
                raise ItemError(chunk.skipped[0].item, chunk.skipped[0].reason)
            counts.update(new=chunk.new, cached=chunk.cached, skipped=len(chunk.skipped))
            bar.note(**counts)
            yield chunk


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What the chunks of one stream share."""

    encoder: Encoder
    outputs: tuple[Output, ...]
    store: Store
    writes: bool
    runtime: Runtime
    pool: ThreadPoolExecutor
    bar: Bar

    def chunk(self, items: list[Item], known: Mapping[str, str]) -> Chunk:
        """Look up what is stored, encode the rest."""
        hashes, skipped = _hashed(items, known, self.pool)
        keys = {item: cache_key(content) for item, content in hashes.items()}
        rows = self._stored(keys)
        missing = _missing(items, keys, rows)
        self.bar.advance(len(items) - len(missing))
        failed = self._encode(missing, rows)
        skipped |= {item: replace(failed[key], item=item) for item, key in keys.items() if key in failed}
        readable = tuple(item for item in items if item.id not in skipped)
        new = len({keys[item.id] for item in readable} & missing.keys())
        return Chunk(
            latents=tuple(
                _latents([stored[keys[item.id]] for item in readable], readable, hashes, output)
                for stored, output in zip(rows, self.outputs, strict=True)
            ),
            items=readable,
            skipped=tuple(skipped[item.id] for item in items if item.id in skipped),
            cached=len(readable) - new,
            new=new,
        )

    def _stored(self, keys: Mapping[str, str]) -> list[dict[str, np.ndarray]]:
        """Each output's latents of these keys, as far as the store has them."""
        distinct = list(dict.fromkeys(keys.values()))
        return [self.store.find(output, distinct) for output in self.outputs]

    def _encode(self, missing: Mapping[str, Item], rows: Sequence[dict[str, np.ndarray]]) -> dict[str, Skipped]:
        """Add what is missing to `rows` and to the store, a shard at a time; what cannot be encoded, by key."""
        if missing and self.writes:
            self.store.check_writable()
        key_of = {item.id: key for key, item in missing.items()}
        marks = Marking(self.store, self.encoder, key_of) if self.writes and missing else None
        unwritten: dict[str, Row] = {}
        failed: dict[str, Skipped] = {}
        since = time.monotonic()
        try:
            for item, row in encoded_rows(list(missing.values()), self.encoder, self.pool, self.runtime, notice=marks):
                self.bar.advance()
                if isinstance(row, ItemError):
                    failed[key_of[item.id]] = _left_out(row)
                    continue
                unwritten[key_of[item.id]] = row
                if len(unwritten) >= SHARD or time.monotonic() - since > SECONDS:
                    self._flush(unwritten, rows, marks)
                    since = time.monotonic()
        finally:
            self._flush(unwritten, rows, marks)
        return failed

    def _flush(self, unwritten: dict[str, Row], rows: Sequence[dict[str, np.ndarray]], marks: Marking | None) -> None:
        """Write what is new of each output; what one of them has already stays as it is there."""
        name = str(getattr(self.encoder, "name", ""))
        for place, (output, stored) in enumerate(zip(self.outputs, rows, strict=True)):
            new = {key: row[place] for key, row in unwritten.items() if key not in stored}
            if self.writes:
                self.store.put(output, new, name=f"{name} {output.name}".strip())
            stored.update(new)
        if marks is not None:
            marks.keep(unwritten)
        unwritten.clear()


def _missing(items: Sequence[Item], keys: Mapping[str, str], rows: Sequence[Mapping[str, np.ndarray]]) -> dict[str, Item]:
    """By key the first item of each content that not every output has."""
    missing: dict[str, Item] = {}
    for item in items:
        key = keys.get(item.id)
        if key is not None and not all(key in stored for stored in rows):
            missing.setdefault(key, item)
    return missing


def _latents(rows: list[np.ndarray], items: Sequence[Item], hashes: Mapping[str, str], output: Output) -> Latents:
    ids, content = tuple(item.id for item in items), tuple(hashes[item.id] for item in items)
    if not output.ragged:
        vectors = np.stack(rows) if rows else np.empty((0, output.dim), dtype=np.float32)
        return Pooled(vectors=vectors, ids=ids, contents=content, fingerprint=output.fingerprint)
    tokens = np.concatenate(rows) if rows else np.empty((0, output.dim), dtype=np.float16)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Ragged(tokens=tokens, offsets=offsets, ids=ids, contents=content, fingerprint=output.fingerprint)


def _concatenated(chunks: Sequence[Ragged], encoder: Encoder, ids: tuple[str, ...], content: tuple[str, ...]) -> Ragged:
    tokens = [chunk.tokens for chunk in chunks] or [np.empty((0, encoder.dim), dtype=np.float16)]
    sizes = np.concatenate([[0], *(np.diff(chunk.offsets) for chunk in chunks)]).astype(np.int64)
    return Ragged(
        tokens=np.concatenate(tokens), offsets=np.cumsum(sizes), ids=ids, contents=content, fingerprint=encoder.fingerprint
    )


def _hashed(
    items: Sequence[Item], known: Mapping[str, str], pool: ThreadPoolExecutor
) -> tuple[dict[str, str], dict[str, Skipped]]:
    """Content hashes by id, those that are known already as they are, and what cannot be read."""
    hashes = {item.id: known[item.id] for item in items if item.id in known}
    unknown = [item for item in items if item.id not in known]
    skipped: dict[str, Skipped] = {}
    for item, result in zip(unknown, _all_hashes(unknown, pool), strict=True):
        if isinstance(result, ItemError):
            skipped[item.id] = _left_out(result)
        else:
            hashes[item.id] = result
    return hashes, skipped


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, SHARD)):
        yield chunk


def _left_out(why: ItemError) -> Skipped:
    return Skipped(item=why.item, reason=why.reason, absent=why.absent)


def _all_hashes(items: Sequence[Item], pool: ThreadPoolExecutor) -> Iterator[str | ItemError]:
    """Several items a thread's turn, because hashing one is less work than handing it over."""
    if all(is_light(item) for item in items):
        return map(_try_hash, items)
    turns = [items[start : start + TURN] for start in range(0, len(items), TURN)]
    return chain.from_iterable(pool.map(lambda turn: [_try_hash(item) for item in turn], turns))


def _try_hash(item: Item) -> str | ItemError:
    try:
        return content_hash(item)
    except ItemError as why:
        return why
