"""The same cache filled by several processes or machines, by Ray Data; the extra `[ray]`.

Actors hold the encoder and write shards of their own into one cache folder, which all machines must see, as they must see
the items' files. A lost actor is replaced, and only the batch that it had is encoded again. What cannot be read is left to
the caller, who goes through the cache afterwards and names it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from textanchor import config
from textanchor.encoders import make
from textanchor.errors import InputError, MissingError
from textanchor.latents.engine import stream
from textanchor.records import Item
from textanchor.runtime import Runtime

BATCH = 256
ENGINES = ("local", "ray")


class Worker:
    """An actor: one encoder, one batch of items after the other."""

    def __init__(self, encoder: str, modality: str, cache: str, device: str) -> None:
        self._encoder, self._cache = make(encoder, modality, Runtime(device=device)), cache

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Encode into the cache; gives back how many were new."""
        columns = (batch[name].tolist() for name in ("id", "path", "part", "value"))
        items = [
            Item(id=name, modality=self._encoder.modality, path=Path(path) if path else None, part=part, value=value or None)
            for name, path, part, value in zip(*columns, strict=True)
        ]
        new = sum(chunk.new for chunk in stream(items, self._encoder, cache=self._cache))
        return {"new": np.array([new])}


def prefill(
    items: Iterable[Item],
    encoder: str,
    modality: str,
    *,
    engine: str,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> int:
    """What another engine than `local` encodes beforehand, as `fill`; `local` does nothing. Raises `InputError` for others."""
    if engine not in ENGINES:
        raise InputError(f"no engine is called '{engine}' (known: {', '.join(ENGINES)})")
    return fill(items, encoder, modality, cache=cache, device=device, progress=progress) if engine == "ray" else 0


def fill(
    items: Iterable[Item],
    encoder: str,
    modality: str,
    *,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> int:
    """Encode what the cache lacks, with `config.workers()` actors; the number of new latents.

    Items are files or texts. A running cluster is used if `RAY_ADDRESS` names one, else processes on this machine. Raises
    `MissingError` without Ray, `InputError` for other values in memory.
    """
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
    context.enable_progress_bars = progress
    told = {"encoder": encoder, "modality": modality, "cache": str(config.cache_folder(cache).absolute()), "device": device}
    actors = min(config.workers(), -(-len(rows) // BATCH))
    done = ray.data.from_items(rows, override_num_blocks=max(actors, -(-len(rows) // BATCH))).map_batches(
        Worker,
        fn_constructor_kwargs=told,
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_gpus=1 if device.startswith("cuda") else 0,
    )
    return int(sum(row["new"] for row in done.iter_rows()))


def _rows(items: Iterable[Item]) -> Iterator[dict[str, Any]]:
    for item in items:
        if item.path is None and not isinstance(item.value, str):
            raise InputError(f"{item.id}: Ray takes files and texts, not a {type(item.value).__name__} in memory")
        path = str(item.path.absolute()) if item.path else ""
        yield {"id": item.id, "path": path, "part": item.part, "value": item.value if item.path is None else ""}
