"""One pass of an encoder over items: decode and prepare ahead, encode by size, isolate what fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from textanchor import config
from textanchor.data.contents import decode, one_line
from textanchor.encoders import Encoder, batch_size, staged
from textanchor.errors import ItemError
from textanchor.records import Item, Waveform

SORTED = 16  # batches that are gathered before they are sorted by size
BUDGET = 256 << 20  # bytes of inputs that may wait
Row = tuple[np.ndarray, ...]  # one entry an output
Forward = Callable[[Sequence[Any]], list[Any]]


def encoded_rows(items: Sequence[Item], encoder: Encoder, pool: ThreadPoolExecutor) -> Iterator[tuple[Item, Row | ItemError]]:
    """Each item with its latents, one entry an output, or with why it has none; not in order."""
    batch, steps = batch_size(encoder), staged(encoder)
    waiting: list[tuple[Item, Any]] = []
    for item, value in _ahead(items, steps.prepare, pool, batch):
        if isinstance(value, ItemError):
            yield item, value
            continue
        waiting.append((item, value))
        even = len(waiting) == batch and len({_size(held) for _, held in waiting}) == 1
        if even or len(waiting) >= SORTED * batch or len(waiting) * _bytes(value) > BUDGET:
            yield from _encoded(waiting, steps.forward, batch)
            waiting = []
    yield from _encoded(waiting, steps.forward, batch)


def _ahead(
    items: Sequence[Item], prepare: Callable[[Any], Any], pool: ThreadPoolExecutor, batch: int
) -> Iterator[tuple[Item, Any]]:
    """Items with their prepared inputs, in order; so many are prepared ahead as fit the budget."""
    queue: deque[tuple[Item, Future[Any]]] = deque()
    limit = config.workers() + 1
    for item in items:
        if is_light(item):
            yield item, _prepared(item, prepare)
            continue
        queue.append((item, pool.submit(_prepared, item, prepare)))
        while len(queue) >= limit:
            first, done = queue.popleft()
            value = done.result()
            if not isinstance(value, ItemError):
                limit = max(config.workers() + 1, min(2 * batch, BUDGET // max(1, _bytes(value))))
            yield first, value
    for first, done in queue:
        yield first, done.result()


def is_light(item: Item) -> bool:
    """Whether reading it is less work than handing it to a thread: a text in memory."""
    return item.path is None and isinstance(item.value, str)


def _prepared(item: Item, prepare: Callable[[Any], Any]) -> Any:
    try:
        return prepare(decode(item))
    except ItemError as why:
        return why
    except (ValueError, MemoryError) as why:
        return ItemError(item.id, one_line(why))


def _encoded(waiting: list[tuple[Item, Any]], forward: Forward, batch: int) -> Iterator[tuple[Item, Row | ItemError]]:
    """In batches of inputs of like size, the largest first so that a lack of memory shows at once."""
    order = sorted(range(len(waiting)), key=lambda row: _size(waiting[row][1]), reverse=True)
    for start in range(0, len(order), batch):
        part = [waiting[row] for row in order[start : start + batch]]
        yield from zip((item for item, _ in part), _rows(part, forward), strict=True)


def _rows(part: list[tuple[Item, Any]], forward: Forward) -> list[Row | ItemError]:
    """A batch that fails, for lack of memory or by one bad item, is halved until the bad one stands alone."""
    try:
        found = forward([value for _, value in part])
        return [_checked(item, tuple(out[row] for out in found)) for row, (item, _) in enumerate(part)]
    except (ValueError, RuntimeError, MemoryError, OSError) as why:  # torch's out-of-memory errors are RuntimeErrors
        if len(part) == 1:
            return [ItemError(part[0][0].id, f"cannot be encoded: {one_line(why)[:200]}")]
    half = len(part) // 2
    return _rows(part[:half], forward) + _rows(part[half:], forward)


def _checked(item: Item, row: Row) -> Row | ItemError:
    if all(np.isfinite(one).all() for one in row):
        return row
    return ItemError(item.id, "the encoder gave NaN or infinite values")


def _size(value: Any) -> tuple[int, ...]:
    """What inputs must share to be encoded together without padding; sorts by amount of work."""
    if isinstance(value, dict | tuple | list):
        parts = list(value.values()) if isinstance(value, dict) else list(value)
        return (len(parts), *(_size(parts[0]) if parts else ()))
    if isinstance(value, Waveform):
        return (len(value.samples),)
    if isinstance(value, str):
        return (len(value),)
    shape = getattr(value, "shape", None) or getattr(value, "size", ())
    return tuple(int(side) for side in shape) if isinstance(shape, tuple) else ()


def _bytes(value: Any) -> int:
    if isinstance(value, dict | tuple | list):
        return sum(_bytes(part) for part in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, Waveform):
        return int(value.samples.nbytes)
    held = getattr(value, "nbytes", None)
    return int(held) if isinstance(held, int) else 3 * int(np.prod(_size(value) or (1,)))
