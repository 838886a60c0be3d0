"""Which columns of a table are channels, which is the time, and which only count the rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from textanchor.data.readers._moments import DAY, Moments, moments, past_midnight

UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunden"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), DAY),
}
TIME = {
    "time", "times", "timestamp", "timestamps", "time stamp", "t", "ts", "datetime", "date time", "date", "epoch", "epochs",
    "elapsed", "elapsed time", "time elapsed", "relative time", "sample time", "sampling time", "unix time", "unixtime",
    "unix timestamp", "local time", "utc", "utc time", "gps time", "system time", "zeit", "zeitstempel", "uhrzeit", "datum",
    "temps", "heure", "tiempo", "fecha", "hora", "tempo",
}  # fmt: skip
ALONE = {unit for unit in UNITS if len(unit) > 2} - {"min", "mins", "day", "days", "hour", "hours", "hrs"}  # names of a time
INDEX = {
    "index", "idx", "row", "rows", "rownum", "row number", "no", "no.", "nr", "number", "#", "id", "sample", "samples",
    "sample number", "sample no", "sample index", "frame", "frames", "frame number", "counter", "count", "n", "level 0",
}  # fmt: skip
SHORT = re.compile(r"ts?|t[ _.-]?(min|[munµμ]?s|sec|h|d)", re.I)  # a time only where it ascends: also names of temperatures
DIGITS = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])([0-3]\d)(?:([01]\d|2[0-3])([0-5]\d)([0-5]\d)?)?")
NAMELESS = re.compile(r"(unnamed: ?\d+(\.\d+)*(_level_\d+)?|__index_level_\d+__)?", re.I)
EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))  # numbers that large are no seconds since 1970


@dataclass(frozen=True, kw_only=True)
class _Time:
    """A column that tells the time, in seconds."""

    place: int
    seconds: Float64[np.ndarray, " n"]
    sure: bool = True

    @property
    def ascends(self) -> bool:
        return bool((np.diff(self.seconds) > 0).all())

    @property
    def fits(self) -> bool:
        """Whether it is surely named a time, or goes on and never back."""
        held = self.seconds[np.isfinite(self.seconds)]
        return self.sure or bool((np.diff(held) >= 0).all() and held[0] < held[-1])


def told_apart(names: Sequence[str], columns: Sequence[Any]) -> tuple[np.ndarray | None, list[np.ndarray]]:
    """The time in seconds, or None, and the channels. Raises `ValueError` for a column that holds neither."""
    names = [" ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip(" '\"")).split()) for name in names]
    empty = {place for place, column in enumerate(columns) if not names[place] and column.null_count == len(column)}
    held = {place: column for place, column in enumerate(columns) if place not in empty or len(empty) == len(columns)}
    times, numbers = _read(names, held)
    counting = {place for place in numbers if _counts(names, place, numbers[place])}
    if not times:
        times = [_Time(place=place, seconds=numbers[place]) for place in numbers if _runs(names, place, numbers)]
    chosen = next((time for time in times if time.ascends), times[0] if times else None)
    channels = [place for place in numbers if place not in counting | {time.place for time in times}]
    if not channels and chosen is None:
        channels = list(numbers)  # a lone column is measured, whatever it looks like
    return (None if chosen is None else chosen.seconds), [numbers[place] for place in channels]


def _read(names: Sequence[str], held: Mapping[int, Any]) -> tuple[list[_Time], dict[int, np.ndarray]]:
    """What may be the time, in order, and all numbers, those of a time too."""
    times, dates, clocks, numbers = list[_Time](), list[_Time](), list[_Time](), dict[int, np.ndarray]()
    for place, column in held.items():
        if (found := _moments(column)) is not None:
            own = dates if not found.clocked else times if found.dated else clocks
            own.append(_Time(place=place, seconds=found.seconds))
            continue
        numbers[place] = _numbers(names[place], place, column)
        scale = _scale(names[place])
        if scale == 0 and (found := _as_dates(numbers[place])) is not None:
            (times if found.clocked else dates).append(_Time(place=place, seconds=found.seconds))
        elif scale is not None and np.isfinite(numbers[place]).any():
            seconds = _in_seconds(column, numbers[place], scale)
            times.append(_Time(place=place, seconds=seconds, sure=SHORT.fullmatch(names[place]) is None))
    fitting = [time for time in (*times, *_joined(dates, clocks)) if time.fits]
    return sorted(fitting, key=lambda time: not time.sure), numbers


def _counts(names: Sequence[str], place: int, values: np.ndarray) -> bool:
    """Whether a column only counts the rows.

    Whole numbers ascend without a name beside others with names, are consecutive under a name that says so, or are 0, 1, 2 ...
    or 1, 2, 3 ... in the first column of a table without names.
    """
    steps = np.diff(values)
    if not np.isfinite(values).all() or (values != np.round(values)).any() or (steps <= 0).any():
        return False
    if not any(names):
        return place == 0 and len(values) > 2 and values[0] in (0, 1) and bool((steps == 1).all())
    return NAMELESS.fullmatch(names[place]) is not None or (names[place].lower() in INDEX and bool((steps == 1).all()))


def _runs(names: Sequence[str], place: int, numbers: Mapping[int, np.ndarray]) -> bool:
    """Whether a column is the nameless first of a table with names, and ascends in fractions: an index of moments."""
    values = numbers[place]
    first = place == min(numbers) and len(numbers) > 1 and any(names) and NAMELESS.fullmatch(names[place]) is not None
    return first and len(values) > 1 and bool((np.diff(values) > 0).all()) and bool((values != np.round(values)).any())


def _scale(name: str) -> float | None:
    """Seconds a unit of a column that its heading calls a time, 0 where it names no unit; None for any other heading.

    A `T` is a temperature.
    """
    if name == "T":
        return None
    plain = re.sub(r"[\s_\-./,:;|]+", " ", re.sub(r"[\[\](){}<>]", " ", name)).strip().lower()
    if plain in TIME:
        return 0.0
    if plain in ALONE:
        return UNITS[plain]
    head, _, unit = plain.rpartition(" ")
    if unit in UNITS and (head in TIME or head.removesuffix(" in") in TIME):
        return UNITS[unit]
    unit, _, tail = plain.partition(" ")  # seconds_elapsed
    if unit in ALONE and tail in ("elapsed", "since start", "since epoch", "time"):
        return UNITS[unit]
    stuck = re.fullmatch(r"(time|timestamp|elapsed|t)(ms|us|µs|ns|s|sec)", plain)
    return UNITS[stuck[2]] if stuck and plain != "ts" and plain != "times" else None


def _as_dates(values: np.ndarray) -> Moments | None:
    """What whole numbers of 8, 12 or 14 digits say where all are dates: 20240328, 20240328235959."""
    cells: list[str | None] = []
    for value in values:
        found = DIGITS.fullmatch(f"{value:.0f}")
        if not np.isnan(value) and (found is None or value % 1):
            return None
        day, clock = ("-".join(found.groups()[:3]), found.groups()[3:]) if found else ("", ())
        cells.append(f"{day} {':'.join(part for part in clock if part)}")
    return moments(cells)


def _in_seconds(column: Any, values: np.ndarray, scale: float) -> np.ndarray:
    """From the first value on, so that no digit is lost."""
    import pyarrow as pa

    held = values[np.isfinite(values)]
    if not scale:
        scale = next((unit for least, unit in EPOCHS if np.abs(held).min() >= least), 1.0)
    if pa.types.is_integer(column.type) and not column.null_count:
        whole = np.asarray(column.cast(pa.int64()).to_numpy())
        return np.asarray((whole - whole[0]) * scale)
    return np.asarray((values - held[0]) * scale)


def _joined(dates: list[_Time], clocks: list[_Time]) -> list[_Time]:
    """Days and times of day of two columns together; or what there is of them."""
    if dates and clocks:
        date, clock = dates[0].seconds, clocks[0].seconds % DAY
        whole = _Time(place=clocks[0].place, seconds=date + clock)
        return [whole, *(_Time(place=one.place, seconds=one.seconds) for one in (*dates, *clocks[1:]))]
    return [*clocks, *dates]


def _moments(column: Any) -> Moments | None:
    """What a column of dates, times or durations says; None for a column of something else."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return moments(column.to_pylist())
    if not pa.types.is_temporal(kind):
        return None
    if pa.types.is_duration(kind):
        return Moments(seconds=_from_first(column.cast(pa.duration("ns"))), dated=True, clocked=True)
    if pa.types.is_time(kind):
        clock = _from_first(column.cast(pa.time64("ns")), whole=True)
        return Moments(seconds=past_midnight(clock), dated=False, clocked=True)
    return Moments(seconds=_from_first(column.cast(pa.timestamp("ns"))), dated=True, clocked=not pa.types.is_date(kind))


def _from_first(column: Any, *, whole: bool = False) -> np.ndarray:
    """Nanoseconds as seconds from the first value on; as they are if `whole`."""
    import pyarrow as pa

    raw = column.cast(pa.int64())
    count = np.asarray(raw.fill_null(0).to_numpy(), dtype=np.int64)
    missing = np.asarray(raw.is_null().to_numpy(), dtype=bool)
    first = 0 if whole or missing.all() else count[~missing][0]
    return np.where(missing, np.nan, (count - first) / 1e9)


def _numbers(name: str, place: int, column: Any) -> np.ndarray:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)):
        raise ValueError(f"column '{name or place + 1}' holds {kind}, expected numbers")
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
