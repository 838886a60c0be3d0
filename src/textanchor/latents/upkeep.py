"""Looking after the folder of cached latents: what is in it, whether it is sound, and what may go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from textanchor import config
from textanchor.errors import DamagedError, InputError
from textanchor.files import read_json
from textanchor.latents.cache import ABOUT, DAMAGED, SHARDS, set_aside, verified

LEFTOVER = 3600.0  # seconds after which a temporary file is nobody's work in progress


@dataclass(frozen=True, kw_only=True)
class Held:
    """One encoder output's part of the cache. `size` is in bytes, `used` the time of its newest shard, seconds since 1970."""

    fingerprint: str
    encoder: str
    items: int
    shards: int
    damaged: int
    size: int
    used: float


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was removed, or would be: files and their bytes."""

    files: int
    size: int


def listing(cache: str | Path | None = None) -> list[Held]:
    """Every encoder output in the cache, the largest first. An item counts once a shard, as two writers may both hold it."""
    return sorted((_held(folder) for folder in _folders(cache)), key=lambda one: -one.size)


def verify(cache: str | Path | None = None) -> tuple[int, list[str]]:
    """Read every shard whole; how many are sound, and those set aside now, whose items will be encoded again."""
    sound, bad = 0, []
    for folder in _folders(cache):
        for path in sorted(folder.glob(SHARDS)):
            try:
                verified(path)
                sound += 1
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, OSError, SafetensorError) as why:
                set_aside(path, str(why))
                bad.append(f"{folder.name[:12]}/{path.name[:12]}: {why}")
    return sound, bad


def prune(
    cache: str | Path | None = None,
    *,
    fingerprint: str | None = None,
    older_than: float | None = None,
    max_size: int | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Remove damaged shards and leftovers of killed runs; and on request more.

    `fingerprint`: all of the encoder output whose fingerprint begins so; `older_than`: shards of more days; `max_size`: the
    oldest shards until the rest fits so many bytes. Raises `InputError` if no or several fingerprints begin so.
    """
    folders = list(_folders(cache))
    going = [path for folder in folders for path in _waste(folder)]
    shards = [path for folder in folders for path in folder.glob(SHARDS)]
    if fingerprint is not None:
        found = [folder for folder in folders if folder.name.startswith(fingerprint)]
        if len(found) != 1 or not fingerprint:
            raise InputError(
                f"{len(found)} encoders in the cache have a fingerprint that begins with '{fingerprint}'; see `cache ls`"
            )
        going += found[0].glob(SHARDS)
    if older_than is not None:
        limit = time.time() - older_than * 86400
        going += [path for path in shards if _changed(path) < limit]
    if max_size is not None:
        left = [path for path in sorted(shards, key=_changed) if path not in set(going)]
        total = sum(_size(path) for path in left)
        for path in left:
            if total <= max_size:
                break
            total -= _size(path)
            going.append(path)
    unique = list(dict.fromkeys(going))
    done = Pruned(files=len(unique), size=sum(_size(path) for path in unique))
    if not dry_run:
        for path in unique:
            path.unlink(missing_ok=True)
        for folder in folders:
            if not any(folder.glob(SHARDS)):
                (folder / ABOUT).unlink(missing_ok=True)
                with suppress(OSError):  # somebody has just put something there
                    folder.rmdir()
    return done


def _folders(cache: str | Path | None) -> Iterator[Path]:
    root = config.cache_folder(cache)
    if cache is not None and not root.is_dir():
        raise InputError(f"{root} is no folder; expected a cache of latents")
    if root.is_dir():
        yield from sorted(path for path in root.iterdir() if path.is_dir() and len(path.name) == 64)


def _waste(folder: Path) -> Iterator[Path]:
    yield from folder.glob(f"*{DAMAGED}")
    for path in folder.glob(".*"):  # temporary files of writers that were killed
        if time.time() - _changed(path) > LEFTOVER:
            yield path


def _held(folder: Path) -> Held:
    shards, items, bad = list(folder.glob(SHARDS)), 0, len(list(folder.glob(f"*{DAMAGED}")))
    for path in shards:
        try:
            with safe_open(path, "numpy") as shard:
                items += shard.get_slice("keys").get_shape()[0]
        except (SafetensorError, OSError):
            bad += 1
    try:
        encoder = str(read_json(folder / ABOUT)["encoder"])
    except (DamagedError, KeyError, TypeError):
        encoder = "?"
    return Held(
        fingerprint=folder.name,
        encoder=encoder,
        items=items,
        shards=len(shards),
        damaged=bad,
        size=sum(_size(path) for path in folder.iterdir()),
        used=max((_changed(path) for path in shards), default=0.0),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
