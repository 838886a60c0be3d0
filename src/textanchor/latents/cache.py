"""A folder of latents addressed by (encoder fingerprint, sha256 of the raw bytes); append-only and safe for several writers.

    <folder>/<encoder fingerprint>/<sha256 of the shard>.safetensors

A shard's name is the hash of its bytes: a damaged one no longer fits its name, is set aside and its items are encoded again.
Two processes never write one file; equal shards are equal files.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from textanchor.files import write_bytes
from textanchor.records import Vectors

log = logging.getLogger(__name__)


class LatentCache:
    """One encoder's part of the cache. Keys are content hashes as hex."""

    def __init__(self, folder: Path, fingerprint: str, dim: int) -> None:
        self._folder = folder / fingerprint
        self._dim = dim
        self._held: dict[str, np.ndarray] = {}
        self._read: set[str] = set()
        self.refresh()

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)

    def get(self, keys: Sequence[str]) -> Vectors:
        """Vectors of keys that are all present. *Shape:* [len(keys), dim]. Raises `KeyError`."""
        out = np.empty((len(keys), self._dim), dtype=np.float32)
        for row, key in enumerate(keys):
            out[row] = self._held[key]
        return out

    def put(self, new: Mapping[str, np.ndarray], *, store: bool = True) -> None:
        """Write one shard; when this returns, it is on disk. Without `store` it is kept in memory only."""
        self._held.update(new)
        if not new or not store:
            return
        vectors = np.stack(list(new.values())).astype(np.float32)
        keys = np.frombuffer(bytes.fromhex("".join(new)), dtype=np.uint8).reshape(len(new), 32)
        content = save({"keys": keys, "vectors": vectors})
        name = hashlib.sha256(content).hexdigest()
        write_bytes(self._folder / f"{name}.safetensors", content)
        self._read.add(name)

    def refresh(self) -> None:
        """Read the shards that this or another process has added since."""
        for path in sorted(self._folder.glob("*.safetensors")):
            if path.stem in self._read:
                continue
            self._read.add(path.stem)
            content = path.read_bytes()
            try:
                if hashlib.sha256(content).hexdigest() != path.stem:
                    raise ValueError("its bytes do not fit its name")
                shard = load(content)
                keys, vectors = shard["keys"], shard["vectors"]
                if keys.shape != (len(vectors), 32) or vectors.shape[1:] != (self._dim,) or vectors.dtype != np.float32:
                    raise ValueError(f"holds {vectors.shape} for {keys.shape} keys")
            except (ValueError, KeyError) as why:
                path.replace(path.with_suffix(".damaged"))
                log.warning("latent shard %s set aside (%s); its items are encoded again", path.name[:12], why)
                continue
            self._held.update(zip((row.tobytes().hex() for row in keys), vectors, strict=True))
