"""The same cache filled by several processes or machines, by Ray Data; the extra `[ray]`.

Actors hold the encoder and write shards of their own into one cache folder, which all machines must see, as they must see
the items' files. A lost actor is replaced, and only the batch that it had is encoded again. What cannot be read is left to
the caller, who goes through the cache afterwards and names it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from textanchor.encoders import make
from textanchor.errors import InputError, MissingError
from textanchor.escaping import writable
from textanchor.latents.engine import stream
from textanchor.progress import Silent
from textanchor.records import Item
from textanchor.runtime import Runtime

BATCH = 256


class Worker:
    """An actor: one encoder, one batch of items after the other."""

    def __init__(self, encoder: str, modality: str, runtime: Runtime) -> None:
        self._encoder, self._runtime = make(encoder, modality, runtime), runtime

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Encode into the cache; gives back how many were new."""
        columns = (batch[name].tolist() for name in ("id", "path", "part", "value"))
        items = [
            Item(id=name, modality=self._encoder.modality, path=Path(path) if path else None, part=part, value=value or None)
            for name, path, part, value in zip(*columns, strict=True)
        ]
        new = sum(chunk.new for chunk in stream(items, self._encoder, self._runtime))
        return {"new": np.array([new])}


def prefill(items: Iterable[Item], encoder: str, modality: str, runtime: Runtime) -> int:
    """What another engine than `local` encodes beforehand, of what the cache lacks; the number of new latents.

    Ray takes `runtime.workers` actors, of a running cluster if `RAY_ADDRESS` names one, else processes on this machine. Items
    are files or texts. Raises `MissingError` without Ray, `InputError` for other values in memory.
    """
    if runtime.engine == "local":
        return 0
    try:
        import ray
    except ImportError:
        raise MissingError("Ray is not installed; get it with: pip install 'textanchor[ray]'") from None
    rows = list(_rows(items))
    if not rows:
        return 0
    if not ray.is_initialized():
        ray.init(address=os.environ.get("RAY_ADDRESS"), log_to_driver=False, configure_logging=False, include_dashboard=False)
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = not isinstance(runtime.progress, Silent)
    batches = -(-len(rows) // BATCH)
    actors = min(runtime.workers, batches)
    results = ray.data.from_items(rows, override_num_blocks=max(actors, batches)).map_batches(
        Worker,
        fn_constructor_kwargs={"encoder": encoder, "modality": modality, "runtime": _of_an_actor(runtime)},
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_gpus=1 if runtime.device.startswith("cuda") else 0,
    )
    return int(sum(row["new"] for row in results.iter_rows()))


def _of_an_actor(runtime: Runtime) -> Runtime:
    """The same, for a process that shows nothing, leaves what cannot be read to the caller, and may stand in another folder."""
    cache = runtime.cache.expanduser().absolute()
    return replace(runtime, cache=cache, engine="local", strict=False, progress=Silent())


class _Row(TypedDict):
    id: str
    path: str
    part: str | None
    value: object


def _rows(items: Iterable[Item]) -> Iterator[_Row]:
    for item in items:
        if item.path is None and not isinstance(item.value, str):
            raise InputError(f"{item.id}: Ray takes files and texts, not a {type(item.value).__name__} in memory")
        path = str(item.path.absolute()) if item.path else ""
        if writable(path) != path:
            continue  # Arrow takes only UTF-8; this process encodes it afterwards
        yield {"id": item.id, "path": path, "part": item.part, "value": item.value if item.path is None else ""}
