"""How work is done, how pairs are split and how they are read: records that travel together through everything.

Defaults come from the environment when a record is made, which happens at the boundary (a root function, a command, a request);
below it the record is handed on and the environment is not asked again. Nothing of `Runtime` is part of a result.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

from textanchor.config import cache_folder
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.progress import Progress, Silent, Terminal
from textanchor.records.showing import short

FRACTIONS = (0.7, 0.1, 0.2)
ALLOWED = 0.1  # share of rows that may be lost
ENGINES = ("local", "ray")
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:[0-9]+)?")


def _number(name: str, default: int) -> int:
    given = os.environ.get(name, "")
    if not given:
        return default
    if not given.isdecimal() or int(given) < 1:
        raise InputError(f"{name}={given}: expected a whole number above 0")
    return int(given)


def _offline() -> bool:
    names = ("TEXTANCHOR_OFFLINE", "HF_HUB_OFFLINE")
    return any(os.environ.get(name, "0").lower() not in ("", "0", "false", "no") for name in names)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Largest items that are decoded: pixels of an image, seconds of a sound or video, numbers of a series.

    Defaults: `$TEXTANCHOR_MAX_PIXELS` or 100 million, `$TEXTANCHOR_MAX_SECONDS` or ten minutes, `$TEXTANCHOR_MAX_NUMBERS` or
    100 million.
    """

    pixels: int = field(default_factory=lambda: _number("TEXTANCHOR_MAX_PIXELS", 100_000_000))
    seconds: int = field(default_factory=lambda: _number("TEXTANCHOR_MAX_SECONDS", 600))
    numbers: int = field(default_factory=lambda: _number("TEXTANCHOR_MAX_NUMBERS", 100_000_000))


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How work is done: on which device, with which cache, by whom, shown where. No figure depends on it.

    `cache` is the folder of latents (default `$TEXTANCHOR_HOME/latents` or the platform's cache folder); `engine` is `local` or
    `ray`; `workers` are threads that decode (Ray: actors; default `$TEXTANCHOR_WORKERS`, else a core each, at most eight);
    `offline` forbids fetching models (`$TEXTANCHOR_OFFLINE`, `$HF_HUB_OFFLINE`); with `strict` the first item that cannot be
    read raises instead of being left out.
    """

    __repr__ = short

    device: str = "auto"
    cache: Path = field(default_factory=cache_folder)
    engine: str = "local"
    workers: int = field(default_factory=lambda: _number("TEXTANCHOR_WORKERS", min(8, os.cpu_count() or 1)))
    offline: bool = field(default_factory=_offline)
    strict: bool = False
    limits: Limits = field(default_factory=Limits)
    progress: Progress = field(default_factory=Silent)

    def __post_init__(self) -> None:
        """Raises `InputError` for a device or an engine that nobody knows, or less than one worker."""
        if not _DEVICE.fullmatch(self.device):
            raise InputError(f"no device is called '{self.device}': say cuda (or cuda:1), mps or cpu; auto takes what is there")
        if self.engine not in ENGINES:
            raise InputError(f"no engine is called '{self.engine}' (known: {', '.join(ENGINES)})")
        if self.workers < 1:
            raise InputError(f"workers={self.workers}: at least 1")


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """How pairs are split: shares of train, validation and test, and the seed that fixes them.

    `resplit` splits anew although the table has a split of its own; `name` names a split of the table that breaks groups on
    purpose ("official, speakers shared").
    """

    fractions: tuple[float, float, float] = FRACTIONS
    seed: int = 0
    resplit: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        """Raises `InputError` unless the fractions are three shares of a whole, the first above 0."""
        shares = tuple(self.fractions)
        if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6 or not shares[0]:
            raise InputError(f"split fractions {shares} must be three numbers >= 0 that sum to 1, the first above 0")
        object.__setattr__(self, "fractions", shares)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How tables and folders are read: which columns, from where, what of them.

    `path_column` and `text_column` name columns (case does not matter; `caption.en` is a field of a structure, a number counts
    columns from 1); without them the usual names are known. `root` is the folder in which relative paths begin, by default the
    table's. `class_depth` says which folder names the class: 1 the first, 2 the second, 0 all of them together; by default the
    innermost whose name stands under one folder only. `include` and `exclude` are globs on paths within the source, names or
    folders; `modality` restricts to modalities, and says what files are whose ending does not. `follow_links` goes into linked
    folders. `allow_lost` is the share of rows that may be unusable before reading stops.
    """

    path_column: tuple[str, ...] = ()
    text_column: tuple[str, ...] = ()
    root: Path | None = None
    class_depth: int | None = None
    follow_links: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    allow_lost: float = ALLOWED

    def __post_init__(self) -> None:
        """Single names stand for tuples of one. Raises `InputError` for a share or depth that cannot be meant."""
        for name in ("path_column", "text_column", "include", "exclude", "modality"):
            told: Any = getattr(self, name)
            object.__setattr__(self, name, (told,) if isinstance(told, str) else tuple(told or ()))
        if self.root is not None:
            object.__setattr__(self, "root", located(self.root))
        if not 0 <= self.allow_lost <= 1:
            raise InputError(f"allow_lost={self.allow_lost}: expected a share between 0 and 1")
        if self.class_depth is not None and self.class_depth < 0:
            raise InputError(f"class_depth={self.class_depth}: expected 0 (all folders), 1 (the first), 2, ...")


class SimpleReading(TypedDict, total=False):
    """The same settings as keywords, for calls such as `read_pairs(table, text_column="breed", root="photos")`."""

    path_column: str | Sequence[str]
    text_column: str | Sequence[str]
    root: str | Path | None
    class_depth: int | None
    follow_links: bool
    include: str | Sequence[str]
    exclude: str | Sequence[str]
    modality: str | Sequence[str] | None
    allow_lost: float


class Simple(TypedDict, total=False):
    """The same settings as keywords, for calls such as `fit(pairs, seed=1, device="cuda", progress=True)`."""

    device: str
    cache: str | Path | None
    engine: str
    workers: int
    offline: bool
    strict: bool
    limits: Limits
    progress: bool | Progress


class SimpleSplit(Simple, total=False):
    """`Simple`, and the settings of a split."""

    seed: int
    fractions: tuple[float, ...] | list[float]
    resplit: bool
    split_name: str | None


def settled(runtime: Runtime | None, given: Any) -> Runtime:
    """The record with what was given by keyword. Raises `InputError` for a keyword that nobody knows."""
    told = {key: value for key, value in given.items() if key not in _SPLITTING}
    if unknown := told.keys() - Simple.__annotations__.keys():
        raise TypeError(f"unexpected keyword argument '{min(unknown)}'")
    if "cache" in told:
        told["cache"] = cache_folder(told["cache"])
    if isinstance(told.get("progress"), bool):
        told["progress"] = Terminal() if told["progress"] else Silent()
    return replace(runtime or Runtime(), **told)


def settled_split(splitting: Splitting | None, given: Any) -> Splitting:
    """The record with what was given by keyword."""
    told = {name: given[key] for key, name in _SPLITTING.items() if key in given}
    return replace(splitting or Splitting(), **told)


def settled_reading(reading: Reading | None, given: Any) -> Reading:
    """The record with what was given by keyword. Raises `TypeError` for a keyword that nobody knows."""
    if unknown := given.keys() - SimpleReading.__annotations__.keys():
        raise TypeError(f"unexpected keyword argument '{min(unknown)}'")
    return replace(reading or Reading(), **given)


_SPLITTING = {"seed": "seed", "fractions": "fractions", "resplit": "resplit", "split_name": "name"}
