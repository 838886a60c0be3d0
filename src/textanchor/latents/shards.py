"""A file of latents: written whole, named by the hash of its bytes, read by row.

Tensors of a shard: keys [n, 32] uint8, and vectors [n, d] float32 or, of ragged latents, tokens [total, d] float16 with
lengths [n] int64. Its metadata hold a hash of the keys, so that keys can be trusted before the whole file is hashed.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from textanchor.escaping import openable
from textanchor.files import file_digest, write_bytes
from textanchor.latents.keys import KEY, as_bytes

log = logging.getLogger(__name__)
SUFFIX, DAMAGED_SUFFIX = ".safetensors", ".damaged"
KEYS_HASH = "sha256 of keys"
DAMAGE = (SafetensorError, ValueError, KeyError, OSError)  # what reading a shard may raise
SETTLED = 2_000_000_000  # nanoseconds after which a change is sure to show in a file system's times


class Stamp(NamedTuple):
    """What shows that a file or folder has changed; times in nanoseconds."""

    size: int
    changed: int
    inode: int

    @property
    def settled(self) -> bool:
        """Whether a change from now on would get another time."""
        return time.time_ns() - self.changed > SETTLED


def stamp(path: Path) -> Stamp:
    """The present one. Raises `OSError`."""
    state = path.stat()
    return Stamp(size=state.st_size, changed=state.st_mtime_ns, inode=state.st_ino)


def write(folder: Path, latents: Mapping[str, np.ndarray], *, ragged: bool) -> Path:
    """A shard of latents by key; when this returns, it is on disk."""
    keys, values = as_bytes(list(latents)), list(latents.values())
    tensors = {"keys": keys, **(_ragged(values) if ragged else {"vectors": np.stack(values).astype(np.float32)})}
    content = save(tensors, metadata={KEYS_HASH: hashlib.sha256(keys.tobytes()).hexdigest()})
    path = folder / (hashlib.sha256(content).hexdigest() + SUFFIX)
    write_bytes(path, content)
    return path


def _ragged(values: list[np.ndarray]) -> dict[str, np.ndarray]:
    lengths = np.array([len(value) for value in values], dtype=np.int64)
    return {"tokens": np.concatenate(values).astype(np.float16), "lengths": lengths}


def keys(path: Path) -> UInt8[np.ndarray, "n 32"]:
    """A shard's keys, checked by their own hash. Raises one of `DAMAGE`."""
    with openable(path) as name, safe_open(name, "numpy") as shard:
        stored, expected = shard.get_tensor("keys"), (shard.metadata() or {}).get(KEYS_HASH)
    if stored.dtype != np.uint8 or stored.shape[1:] != (KEY,):
        raise ValueError(f"keys of shape {stored.shape}")
    if expected is not None and expected != hashlib.sha256(stored.tobytes()).hexdigest():
        raise ValueError("its keys do not fit their hash")
    return np.asarray(stored)


def count(path: Path) -> int:
    """How many latents a shard holds, by its header. Raises one of `DAMAGE`."""
    with openable(path) as name, safe_open(name, "numpy") as shard:
        return int(shard.get_slice("keys").get_shape()[0])


def verify(path: Path) -> None:
    """Hash the whole file. Raises `ValueError` if its bytes do not fit its name, `OSError` if it cannot be read."""
    if file_digest(path) != path.stem:
        raise ValueError("its bytes do not fit its name")


def read(path: Path, rows: Int[np.ndarray, " m"], *, dim: int, ragged: bool) -> dict[str, np.ndarray]:
    """Latents by key at the given rows, which ascend; only these are read. Raises one of `DAMAGE`."""
    with openable(path) as name, safe_open(name, "numpy") as shard:
        stored, values = shard.get_tensor("keys"), shard.get_slice("tokens" if ragged else "vectors")
        lengths = shard.get_tensor("lengths") if ragged else np.ones(len(stored), dtype=np.int64)
        shape, kind = tuple(values.get_shape()), values.get_dtype()
        if len(stored) != len(lengths) or shape != (lengths.sum(), dim) or kind != ("F16" if ragged else "F32"):
            raise ValueError(f"holds {shape} for {stored.shape} keys")
        starts = np.concatenate([[0], np.cumsum(lengths)])
        latents = {}
        for neighbours in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            first = int(starts[neighbours[0]])
            block = values[first : int(starts[neighbours[-1] + 1])]
            for row in neighbours:
                low, high = starts[row] - first, starts[row + 1] - first
                latents[stored[row].tobytes().hex()] = block[low:high] if ragged else block[low]
    return latents


def set_aside(path: Path, why: Exception) -> None:
    """Rename a damaged shard, so that its items are encoded again, and say so."""
    reason = str(why)
    try:
        path.replace(path.with_suffix(DAMAGED_SUFFIX))
    except FileNotFoundError:  # pruned, or another process was quicker
        return
    except OSError as denied:  # a cache that may only be read is still of use
        reason = f"{reason}; and it cannot be renamed: {denied.strerror}"
    log.warning("latent shard %s set aside (%s); its items are encoded again", path.name[:12], reason)
