"""A folder of latents addressed by (encoder fingerprint, sha256 of the raw bytes); append-only and safe for several writers.

    <folder>/<encoder fingerprint>/about.json                          what the encoder is called; for people only
    <folder>/<encoder fingerprint>/<sha256 of the shard>.safetensors   keys [n, 32], vectors [n, d] (float32), or
                                                                       tokens [total, d] (float16) and lengths [n]

A shard's name is the hash of its bytes: a damaged one no longer fits its name, is set aside when it is first used, and its
items are encoded again. Two processes never write one file; equal shards are equal files. Only keys are held in memory.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from textanchor.files import write_bytes, write_json
from textanchor.records import Vectors

log = logging.getLogger(__name__)
KEPT = 4  # shards held in memory
ABOUT, SHARDS, DAMAGED, KEYS = "about.json", "*.safetensors", ".damaged", "sha256 of keys"


class LatentCache:
    """One encoder output's part of the cache. Keys are content hashes as hex; values are [d], or [n, d] where `ragged`."""

    def __init__(self, folder: Path, fingerprint: str, dim: int, *, ragged: bool = False, name: str = "") -> None:
        self._folder, self._dim, self._ragged, self._name = folder / fingerprint, dim, ragged, name
        self._paths: list[Path] = []
        self._known: set[str] = set()
        self._index = _Index()
        self._held: OrderedDict[int, _Shard] = OrderedDict()
        self._kept: dict[str, np.ndarray] = {}  # never written
        self.refresh()

    def __contains__(self, key: str) -> bool:
        return key in self._kept or bool(self._index.find([key])[0][0] >= 0)

    def __len__(self) -> int:
        return len(self._index) + len(self._kept)

    def get(self, keys: Sequence[str]) -> Vectors:
        """Vectors of keys that are all present. *Shape:* [len(keys), dim]. Raises `KeyError`."""
        found = self.find(keys)
        return np.stack([found[key] for key in keys]) if keys else np.empty((0, self._dim), dtype=np.float32)

    def find(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """What is held of these keys. A shard that turns out damaged is set aside, and its keys are not held."""
        found = {key: self._kept[key] for key in keys if key in self._kept}
        numbers, rows = self._index.find(keys)
        for number in np.unique(numbers[numbers >= 0]):
            shard = self._shard(int(number))
            if shard is None:
                continue
            for place in np.flatnonzero(numbers == number):
                key, row = keys[int(place)], int(rows[place])
                if shard.keys[row].tobytes().hex() == key:
                    low, high = shard.starts[row], shard.starts[row + 1]
                    found[key] = shard.values[low:high] if self._ragged else shard.values[row]
        return found

    def put(self, new: Mapping[str, np.ndarray], *, store: bool = True) -> None:
        """Write one shard; when this returns, it is on disk. Without `store` it is kept in memory only."""
        if not new:
            return
        if not store:
            self._kept.update(new)
            return
        keys = np.frombuffer(bytes.fromhex("".join(new)), dtype=np.uint8).reshape(len(new), 32)
        tensors = {"keys": keys, **self._packed(list(new.values()))}
        content = save(tensors, metadata={KEYS: hashlib.sha256(keys.tobytes()).hexdigest()})
        name = hashlib.sha256(content).hexdigest()
        if not self._paths and self._name:
            about = {"encoder": self._name, "dim": self._dim, "ragged": self._ragged}
            write_json(self._folder / ABOUT, about)
        path = self._folder / f"{name}.safetensors"
        write_bytes(path, content)
        self._add(path, keys)

    def refresh(self) -> None:
        """Learn of the shards that this or another process has added since."""
        for path in sorted(self._folder.glob(SHARDS)):
            if path.stem not in self._known:
                try:
                    with safe_open(path, "numpy") as shard:
                        keys, told = shard.get_tensor("keys"), (shard.metadata() or {}).get(KEYS)
                    if keys.dtype != np.uint8 or keys.shape[1:] != (32,):
                        raise ValueError(f"keys of shape {keys.shape}")
                    if told is not None and told != hashlib.sha256(keys.tobytes()).hexdigest():
                        raise ValueError("its keys do not fit their hash")
                except FileNotFoundError:  # pruned by another process just now
                    continue
                except (SafetensorError, ValueError, OSError) as why:
                    set_aside(path, str(why))
                    continue
                self._add(path, keys)

    def _add(self, path: Path, keys: np.ndarray) -> None:
        if path.stem not in self._known:
            self._index.add(keys, len(self._paths))
            self._known.add(path.stem)
            self._paths.append(path)

    def _packed(self, values: list[np.ndarray]) -> dict[str, np.ndarray]:
        if not self._ragged:
            return {"vectors": np.stack(values).astype(np.float32)}
        return {
            "tokens": np.concatenate(values).astype(np.float16),
            "lengths": np.array([len(value) for value in values], dtype=np.int64),
        }

    def _shard(self, number: int) -> _Shard | None:
        if number in self._held:
            self._held.move_to_end(number)
            return self._held[number]
        path = self._paths[number]
        try:
            shard = self._checked(path)
        except (ValueError, KeyError, OSError, SafetensorError) as why:
            set_aside(path, str(why))
            self._index.drop(number)
            self._known.discard(path.stem)
            return None
        self._held[number] = shard
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        return shard

    def _checked(self, path: Path) -> _Shard:
        tensors = verified(path)
        values = tensors["tokens" if self._ragged else "vectors"]
        lengths = tensors["lengths"] if self._ragged else np.ones(len(values), dtype=np.int64)
        fits = len(tensors["keys"]) == len(lengths) and lengths.sum() == len(values) and values.shape[1:] == (self._dim,)
        if not fits or values.dtype != (np.float16 if self._ragged else np.float32):
            raise ValueError(f"holds {values.shape} for {tensors['keys'].shape} keys")
        return _Shard(keys=tensors["keys"], values=values, starts=np.concatenate([[0], np.cumsum(lengths)]))


class _Shard(NamedTuple):
    keys: np.ndarray
    values: np.ndarray
    starts: np.ndarray


class _Index:
    """Where each key is, 16 bytes a key: 8 bytes mixed from it, sorted, beside the number of the shard and the row in it."""

    def __init__(self) -> None:
        self._prefix, self._number, self._row = np.empty(0, "<u8"), np.empty(0, "<i4"), np.empty(0, "<i4")

    def __len__(self) -> int:
        return len(np.unique(self._prefix))

    def add(self, keys: np.ndarray, number: int) -> None:
        """The keys [n, 32] of one shard."""
        prefix = np.concatenate([self._prefix, _mixed(keys)])
        order = np.argsort(prefix, kind="stable")
        self._prefix = prefix[order]
        self._number = np.concatenate([self._number, np.full(len(keys), number, "<i4")])[order]
        self._row = np.concatenate([self._row, np.arange(len(keys), dtype="<i4")])[order]

    def drop(self, number: int) -> None:
        """Forget a shard."""
        kept = self._number != number
        self._prefix, self._number, self._row = self._prefix[kept], self._number[kept], self._row[kept]

    def find(self, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Shard numbers (-1: not there) and rows."""
        wanted = _mixed(np.frombuffer(bytes.fromhex("".join(keys)), dtype=np.uint8).reshape(-1, 32))
        if not len(self._prefix) or not len(wanted):
            return np.full(len(wanted), -1), np.zeros(len(wanted), int)
        place = np.minimum(np.searchsorted(self._prefix, wanted), len(self._prefix) - 1)
        there = self._prefix[place] == wanted
        return np.where(there, self._number[place], -1), np.where(there, self._row[place], 0)


def _mixed(keys: np.ndarray) -> np.ndarray:
    odd = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype="<u8")
    return (np.ascontiguousarray(keys).view("<u8") * odd).sum(axis=1, dtype="<u8")


def verified(path: Path) -> dict[str, np.ndarray]:
    """A shard's tensors. Raises `ValueError` if its bytes do not fit its name, `OSError` if it cannot be read."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != path.stem:
        raise ValueError("its bytes do not fit its name")
    return dict(load(content))


def set_aside(path: Path, why: str) -> None:
    """Rename a damaged shard, so that its items are encoded again, and say so."""
    try:
        path.replace(path.with_suffix(DAMAGED))
    except FileNotFoundError:  # another process was quicker
        return
    except OSError as denied:  # a cache that may only be read is still of use
        why = f"{why}; and it cannot be renamed: {denied.strerror}"
    log.warning("latent shard %s set aside (%s); its items are encoded again", path.name[:12], why)
