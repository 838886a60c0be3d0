"""A folder of latents addressed by (encoder fingerprint, sha256 of the raw bytes); append-only and safe for several writers.

    <folder>/<encoder fingerprint>/about.json                          what the encoder is called; for people only
    <folder>/<encoder fingerprint>/<sha256 of the shard>.safetensors   see `shards`

A process opens a folder once and holds its keys; values stay on disk. What other processes add or remove shows in the time of
the folder, which is asked at each look-up. A shard is hashed when it is first used and whenever its file has changed: a damaged
one no longer fits its name, is set aside, and its items are encoded again. Two processes never write one file; equal shards are
equal files. Everything here may be called from any thread.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock

import numpy as np

from textanchor.encoders import Output
from textanchor.errors import InputError
from textanchor.files import write_json
from textanchor.latents import shards
from textanchor.latents.keys import KeyIndex, as_bytes, short
from textanchor.latents.shards import DAMAGE, SUFFIX, Stamp, set_aside, stamp

ABOUT = "about.json"
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # errors that say nothing about the file

_stores: dict[Path, Store] = {}
_opening = Lock()


def opened(folder: Path) -> Store:
    """The store in a folder, which need not exist yet; the same object whenever this process asks."""
    place = folder.expanduser().resolve()
    with _opening:
        if place not in _stores:
            _stores[place] = Store(place)
        return _stores[place]


class Store:
    """Latents of any number of encoder outputs. Keys are content hashes as hex; values are [d], or [n, d] where ragged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelves: dict[tuple[str, int, bool], _Shelf] = {}
        self._lock = Lock()

    def find(self, output: Output, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """What is stored of these keys, under the output's fingerprint or one that older versions gave it."""
        latents: dict[str, np.ndarray] = {}
        with self._usable("read"):
            for fingerprint in (output.fingerprint, *getattr(output, "formerly", ())):
                wanted = [key for key in keys if key not in latents]
                latents |= self._shelf(output, fingerprint).find(wanted)
        return latents

    def put(self, output: Output, latents: Mapping[str, np.ndarray], *, name: str = "") -> None:
        """Write one shard; when this returns, it is on disk. `name` is what people call the encoder. Raises `InputError`."""
        if latents:
            with self._usable("written"):
                self._shelf(output, output.fingerprint).put(latents, name=name)

    def check_writable(self) -> None:
        """Raises `InputError` if nothing could be put here, before anybody works for it."""
        with self._usable("written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self._folder).close()

    @contextmanager
    def _usable(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as why:
            if why.errno in EXHAUSTED:
                raise
            raise InputError(
                f"the cache of latents, {self._folder}, cannot be {what} ({why.strerror or why}); "
                "name another folder by --cache (cache=) or $TEXTANCHOR_HOME"
            ) from None

    def _shelf(self, output: Output, fingerprint: str) -> _Shelf:
        place = (fingerprint, output.dim, output.ragged)
        with self._lock:
            if place not in self._shelves:
                self._shelves[place] = _Shelf(self._folder / fingerprint, output.dim, ragged=output.ragged)
            return self._shelves[place]


class _Shelf:
    """One encoder output's folder. `_lock` guards what is known of the folder, `_hashing` that no shard is hashed twice."""

    def __init__(self, folder: Path, dim: int, *, ragged: bool) -> None:
        self._folder, self._dim, self._ragged = folder, dim, ragged
        self._index = KeyIndex()
        self._numbers: dict[str, int] = {}  # by name
        self._names: dict[int, str] = {}
        self._count = 0  # of shards ever seen, so that no number is given twice
        self._sound: dict[int, Stamp] = {}  # shards that were hashed, and how they looked then
        self._refused: dict[str, Stamp] = {}  # damaged ones that could not be renamed
        self._listed: Stamp | None = None
        self._lock, self._hashing = RLock(), Lock()

    def find(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """What is stored of these keys. A shard that turns out damaged is set aside, and other shards are asked instead."""
        self._refresh()
        latents: dict[str, np.ndarray] = {}
        complete = False
        while keys and not complete:
            complete = True
            for number, places, rows in self._index.find(keys):
                try:
                    stored = self._read(number, rows)
                except DAMAGE as why:
                    self._blame(number, why)
                    complete = False
                    continue
                latents.update((keys[place], stored[keys[place]]) for place in places if keys[place] in stored)
            keys = [key for key in keys if key not in latents]
        return latents

    def put(self, latents: Mapping[str, np.ndarray], *, name: str) -> None:
        """Write one shard."""
        if not self._numbers and name:
            write_json(self._folder / ABOUT, {"encoder": name, "dim": self._dim, "ragged": self._ragged})
        path = shards.write(self._folder, latents, ragged=self._ragged)
        with self._lock:
            self._learn({path.stem: short(as_bytes(list(latents)))})

    def _read(self, number: int, rows: np.ndarray) -> dict[str, np.ndarray]:
        path = self._folder / (self._names[number] + SUFFIX)
        self._verify(number, path)
        return shards.read(path, rows, dim=self._dim, ragged=self._ragged)

    def _verify(self, number: int, path: Path) -> None:
        present = stamp(path)
        if self._sound.get(number) == present:
            return
        with self._hashing:
            if self._sound.get(number) == present:
                return
            settled = present.settled
            shards.verify(path)
            if settled:
                self._sound[number] = present

    def _blame(self, number: int, why: Exception) -> None:
        """Forget a shard that cannot be read, and set it aside unless it is only gone."""
        if isinstance(why, OSError) and why.errno in EXHAUSTED:
            raise why
        with self._lock:
            if name := self._names.get(number):
                self._forget([name])
                self._refuse(name, why)

    def _refuse(self, name: str, why: Exception) -> None:
        path = self._folder / (name + SUFFIX)
        set_aside(path, why)
        try:
            self._refused[name] = stamp(path)
        except OSError:
            self._refused.pop(name, None)

    def _refresh(self) -> None:
        """Learn of the shards that this or another process has added or removed, if the folder has changed."""
        if not (present := self._unlisted()):
            return
        with self._lock:
            if not (present := self._unlisted()):
                return
            settled = present.settled
            names = self._listing()
            self._forget(self._numbers.keys() - names)
            self._learn(
                {name: found for name in sorted(names - self._numbers.keys()) if (found := self._keys(name)) is not None}
            )
            self._listed = present if settled else None

    def _unlisted(self) -> Stamp | None:
        """The folder's stamp if it is another than at the last listing."""
        try:
            present = stamp(self._folder)
        except FileNotFoundError:
            present = Stamp(size=0, changed=0, inode=0)
        return present if present != self._listed else None

    def _listing(self) -> set[str]:
        try:
            return {name.removesuffix(SUFFIX) for name in os.listdir(self._folder) if name.endswith(SUFFIX)}  # noqa: PTH208 - names are enough
        except FileNotFoundError:
            return set()

    def _keys(self, name: str) -> np.ndarray | None:
        """The short keys of a shard; None if it is damaged, or pruned by another process just now."""
        path = self._folder / (name + SUFFIX)
        try:
            if self._refused and self._refused.get(name) == stamp(path):
                return None
            return short(shards.keys(path))
        except DAMAGE as why:
            if isinstance(why, OSError) and why.errno in EXHAUSTED:
                raise
            self._refuse(name, why)
            return None

    def _learn(self, found: Mapping[str, np.ndarray]) -> None:
        fresh: dict[int, np.ndarray] = {}
        for name, keys in found.items():
            if name not in self._numbers:
                self._numbers[name], self._names[self._count] = self._count, name
                fresh[self._count] = keys
                self._count += 1
        self._index.add(fresh)

    def _forget(self, names: Collection[str]) -> None:
        numbers = [self._numbers.pop(name) for name in list(names)]
        for number in numbers:
            self._names.pop(number)
            self._sound.pop(number, None)
        self._index.drop(numbers)
