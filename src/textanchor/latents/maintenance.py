"""Looking after the folder of cached latents: what is in it, whether it is sound, and what may go."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from textanchor.config import cache_folder
from textanchor.errors import DamagedError, InputError
from textanchor.files import read_json
from textanchor.latents import shards
from textanchor.latents.shards import DAMAGE, DAMAGED_SUFFIX, SUFFIX, set_aside
from textanchor.latents.store import ABOUT

LEFTOVER = 3600.0  # seconds after which a temporary file is nobody's work in progress
DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Usage:
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


def listing(cache: Path) -> list[Usage]:
    """Every encoder output in the cache, the largest first. An item counts once a shard, as two writers may both hold it."""
    return sorted((_usage(folder) for folder in _folders(cache)), key=lambda usage: -usage.size)


def verify(cache: Path) -> tuple[int, list[str]]:
    """Read every shard whole; how many are sound, and those set aside now, whose items will be encoded again."""
    sound, damaged = 0, []
    for folder in _folders(cache):
        for path in sorted(_shards(folder)):
            try:
                shards.verify(path)
                sound += 1
            except FileNotFoundError:
                continue
            except DAMAGE as why:
                set_aside(path, why)
                damaged.append(f"{folder.name[:12]}/{path.name[:12]}: {why}")
    return sound, damaged


def prune(
    cache: Path,
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
    stored = [path for folder in folders for path in _shards(folder)]
    chosen = [path for folder in folders for path in _waste(folder)]
    if fingerprint is not None:
        chosen += _shards(_named(folders, fingerprint))
    if older_than is not None:
        chosen += _older(stored, days=older_than)
    if max_size is not None:
        chosen += _excess(set(stored).difference(chosen), max_size)
    waste = set(chosen)
    pruned = Pruned(files=len(waste), size=sum(_size(path) for path in waste))
    if not dry_run:
        for path in waste:
            path.unlink(missing_ok=True)
        for folder in folders:
            _remove_if_empty(folder)
    return pruned


def _folders(cache: Path) -> Iterator[Path]:
    """Each encoder output's folder. Raises `InputError` for a cache that is not there, unless it is the default one."""
    if cache.is_dir():
        yield from sorted(path for path in cache.iterdir() if path.is_dir() and re.fullmatch(r"[0-9a-f]{64}", path.name))
    elif cache != cache_folder():
        raise InputError(f"{cache} is no folder; expected a cache of latents")


def _shards(folder: Path) -> list[Path]:
    return list(folder.glob(f"*{SUFFIX}"))


def _damaged(folder: Path) -> list[Path]:
    return list(folder.glob(f"*{DAMAGED_SUFFIX}"))


def _waste(folder: Path) -> Iterator[Path]:
    """Damaged shards, and temporary files of writers that were killed."""
    yield from _damaged(folder)
    for path in folder.glob(".*"):
        if time.time() - _changed(path) > LEFTOVER:
            yield path


def _named(folders: Sequence[Path], fingerprint: str) -> Path:
    """The one folder whose name begins so."""
    named = [folder for folder in folders if fingerprint and folder.name.startswith(fingerprint)]
    if len(named) != 1:
        raise InputError(
            f"{len(named)} encoders in the cache have a fingerprint that begins with '{fingerprint}'; see `cache ls`"
        )
    return named[0]


def _older(paths: Sequence[Path], *, days: float) -> list[Path]:
    limit = time.time() - days * DAY
    return [path for path in paths if _changed(path) < limit]


def _excess(paths: set[Path], max_size: int) -> list[Path]:
    """The oldest, so many that the rest fits."""
    excess, total = [], sum(_size(path) for path in paths)
    for path in sorted(paths, key=_changed):
        if total <= max_size:
            break
        total -= _size(path)
        excess.append(path)
    return excess


def _remove_if_empty(folder: Path) -> None:
    if not _shards(folder):
        (folder / ABOUT).unlink(missing_ok=True)
        with suppress(OSError):  # somebody has just put something there
            folder.rmdir()


def _usage(folder: Path) -> Usage:
    paths, items, damaged = _shards(folder), 0, len(_damaged(folder))
    for path in paths:
        try:
            items += shards.count(path)
        except DAMAGE:
            damaged += 1
    try:
        encoder = str(read_json(folder / ABOUT)["encoder"])
    except (DamagedError, KeyError, TypeError):
        encoder = "?"
    return Usage(
        fingerprint=folder.name,
        encoder=encoder,
        items=items,
        shards=len(paths),
        damaged=damaged,
        size=sum(_size(path) for path in folder.iterdir()),
        used=max((_changed(path) for path in paths), default=0.0),
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
