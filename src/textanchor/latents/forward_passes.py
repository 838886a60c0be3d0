"""Forward passes of an encoder over items: decode and prepare ahead, encode by size, isolate what fails.

Preparation runs in several threads; the model is one encoder's, so one thread at a time computes with it, whoever asks.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Lock, RLock
from typing import Any

import numpy as np

from textanchor.data.decoding import decode, one_line
from textanchor.encoders import Encoder, batch_size, staged
from textanchor.errors import ItemError
from textanchor.records import Item, Waveform
from textanchor.runtime import Limits, Runtime

SORTED = 16  # batches that are gathered before they are sorted by size
BUDGET = 256 << 20  # bytes of inputs that may wait
Row = tuple[np.ndarray, ...]  # one entry an output
Forward = Callable[[Sequence[Any]], list[Any]]
Notice = Callable[[Item, Any], None]  # is told every decoded value
Prepare = Callable[[Item], Any]  # the input of the model, or an `ItemError`

_locks: dict[int, RLock] = {}
_locking = Lock()


def encoded_rows(
    items: Sequence[Item], encoder: Encoder, pool: ThreadPoolExecutor, runtime: Runtime, *, notice: Notice | None = None
) -> Iterator[tuple[Item, Row | ItemError]]:
    """Each item with its latents, one entry an output, or with why it has none; not in order. `notice` runs in threads."""
    batch, steps = batch_size(encoder), staged(encoder)
    forward = partial(_alone, lock_of(encoder), steps.forward)
    prepare = partial(_prepared, prepare=steps.prepare, notice=notice, limits=runtime.limits)
    waiting: list[tuple[Item, Any]] = []
    for item, value in _ahead(items, prepare, pool, batch, runtime.workers):
        if isinstance(value, ItemError):
            yield item, value
            continue
        waiting.append((item, value))
        even = len(waiting) == batch and len({_size(input_) for _, input_ in waiting}) == 1
        if even or len(waiting) >= SORTED * batch or len(waiting) * _bytes(value) > BUDGET:
            yield from _encoded(waiting, forward, batch)
            waiting = []
    yield from _encoded(waiting, forward, batch)


def lock_of(encoder: Encoder) -> RLock:
    """The lock of one encoder object, for as long as the object lives."""
    with _locking:
        if id(encoder) not in _locks:
            _locks[id(encoder)] = RLock()
            with suppress(TypeError):  # a class with slots; its lock stays behind, and may serve another
                weakref.finalize(encoder, _locks.pop, id(encoder), None).atexit = False
        return _locks[id(encoder)]


def _alone(lock: RLock, forward: Forward, inputs: Sequence[Any]) -> list[Any]:
    with lock:
        return forward(inputs)


def _ahead(
    items: Sequence[Item], prepare: Prepare, pool: ThreadPoolExecutor, batch: int, workers: int
) -> Iterator[tuple[Item, Any]]:
    """Items with their prepared inputs, in order; so many are prepared ahead as fit the budget."""
    queue: deque[tuple[Item, Future[Any]]] = deque()
    limit = workers + 1
    for item in items:
        if is_light(item):
            yield item, prepare(item)
            continue
        queue.append((item, pool.submit(prepare, item)))
        while len(queue) >= limit:
            first, future = queue.popleft()
            value = future.result()
            if not isinstance(value, ItemError):
                limit = max(workers + 1, min(2 * batch, BUDGET // max(1, _bytes(value))))
            yield first, value
    for first, future in queue:
        yield first, future.result()


def is_light(item: Item) -> bool:
    """Whether reading it is less work than handing it to a thread: a text in memory."""
    return item.path is None and isinstance(item.value, str)


def _prepared(item: Item, *, prepare: Callable[[Any], Any], notice: Notice | None, limits: Limits) -> Any:
    try:
        value = decode(item, limits)
        if notice is not None:
            notice(item, value)
        return prepare(value)
    except ItemError as why:
        return why
    except (ValueError, MemoryError) as why:
        return ItemError(item.id, one_line(why))


def _encoded(waiting: list[tuple[Item, Any]], forward: Forward, batch: int) -> Iterator[tuple[Item, Row | ItemError]]:
    """In batches of inputs of like size, the largest first so that a lack of memory shows at once."""
    order = sorted(range(len(waiting)), key=lambda row: _size(waiting[row][1]), reverse=True)
    for start in range(0, len(order), batch):
        together = [waiting[row] for row in order[start : start + batch]]
        yield from zip((item for item, _ in together), _rows(together, forward), strict=True)


def _rows(waiting: list[tuple[Item, Any]], forward: Forward) -> list[Row | ItemError]:
    """A batch that fails, for lack of memory or by one bad item, is halved until the bad one stands alone."""
    try:
        latents = forward([value for _, value in waiting])
        return [_checked(item, tuple(out[row] for out in latents)) for row, (item, _) in enumerate(waiting)]
    except (ValueError, RuntimeError, MemoryError, OSError) as why:  # torch's out-of-memory errors are RuntimeErrors
        if len(waiting) == 1:
            return [ItemError(waiting[0][0].id, f"cannot be encoded: {one_line(why)[:200]}")]
    half = len(waiting) // 2
    return _rows(waiting[:half], forward) + _rows(waiting[half:], forward)


def _checked(item: Item, row: Row) -> Row | ItemError:
    if all(np.isfinite(latent).all() for latent in row):
        return row
    return ItemError(item.id, "the encoder gave NaN or infinite values")


def _size(value: Any) -> tuple[int, ...]:
    """What inputs must share to be encoded together without padding; sorts by amount of work."""
    if isinstance(value, dict | tuple | list):
        pieces = list(value.values()) if isinstance(value, dict) else list(value)
        return (len(pieces), *(_size(pieces[0]) if pieces else ()))
    if isinstance(value, Waveform):
        return (len(value.samples),)
    if isinstance(value, str):
        return (len(value),)
    shape = getattr(value, "shape", None) or getattr(value, "size", ())
    return tuple(int(side) for side in shape) if isinstance(shape, tuple) else ()


def _bytes(value: Any) -> int:
    if isinstance(value, dict | tuple | list):
        return sum(_bytes(piece) for piece in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, Waveform):
        return int(value.samples.nbytes)
    size = getattr(value, "nbytes", None)
    return int(size) if isinstance(size, int) else 3 * int(np.prod(_size(value) or (1,)))
