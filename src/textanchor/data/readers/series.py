"""Numbers over time, from tables as text, NPY and Parquet files; always evenly spaced and finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from textanchor.data.readers._series_columns import told_apart
from textanchor.data.readers._series_text import columns
from textanchor.records import Series
from textanchor.runtime import Limits

LARGEST = 1 << 30  # bytes of text that are parsed


class SeriesReader:
    """Sensor data: a row a moment, a column a channel. Only where a table or `--modality series` says so.

    A column of dates, or one called a time (`time`, `Timestamp [ms]`, `Time_s`), gives the rate, and uneven moments are
    interpolated to even ones; a column that counts the rows (`Unnamed: 0`, no name, `index`) is no channel. Missing and
    infinite values are interpolated within their channel; a channel without any is 0.
    """

    modality = "series"
    extensions: tuple[str, ...] = ()
    on_request: tuple[str, ...] = (".csv", ".tsv", ".npy", ".parquet")
    default_encoder = "signal"

    def read(self, stream: BinaryIO, limits: Limits) -> Series:
        """By its first bytes, not by its name. Raises `ValueError` with the row or column."""
        head = stream.read(8)
        stream.seek(0)
        if not head:
            raise ValueError("empty file")
        if head.startswith(b"\x93NUMPY"):
            return self.accept(_npy(stream, limits))
        return self.accept(_series(*(_parquet if head.startswith(b"PAR1") else _text)(stream, limits), limits))

    def accept(self, value: Any) -> Series:
        """A `Series`, numbers [t] or [t, channels], or (numbers, rate in Hz)."""
        rate = None
        if isinstance(value, tuple) and len(value) == 2:
            value, rate = value[0], float(value[1])
        if isinstance(value, Series):
            value, rate = value.values, value.rate
        if not isinstance(value, np.ndarray | list):
            raise ValueError(f"a series in memory is an array [t, channels] or (array, rate), not {type(value).__name__}")
        values = np.asarray(value)
        if values.dtype.kind not in "biuf" or values.ndim not in (1, 2) or not values.size:
            raise ValueError(f"a series needs numbers [t] or [t, channels], not {values.dtype} {values.shape}")
        if rate is not None and not (np.isfinite(rate) and rate > 0):
            raise ValueError(f"a series needs a rate above 0, not {rate} Hz")
        return Series(values=_whole(values.reshape(len(values), -1).astype(np.float64)), rate=rate)

    def content(self, value: Series) -> bytes:
        """Rate, shape, type and numbers."""
        return f"{value.rate} {value.values.shape} {value.values.dtype} ".encode() + value.values.tobytes()


def _npy(stream: BinaryIO, limits: Limits) -> np.ndarray:
    try:
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            np.lib.format.read_magic(stream), np.lib.format.read_array_header_2_0
        )
        shape, _, kind = read(stream)
    except (EOFError, ValueError) as why:
        raise ValueError(f"damaged NPY: {why}") from None
    if kind.hasobject:
        raise ValueError("NPY of Python objects; expected numbers")
    _check_numbers(int(np.prod(shape, dtype=np.float64)), limits)
    stream.seek(0)
    try:
        return np.asarray(np.load(stream, allow_pickle=False))
    except (EOFError, ValueError) as why:
        raise ValueError(f"damaged NPY: {why}") from None


def _parquet(stream: BinaryIO, limits: Limits) -> tuple[list[str], list[Any]]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
    except (OSError, ValueError) as why:
        raise ValueError(f"damaged Parquet: {why}") from None
    _check_numbers(file.metadata.num_rows * file.metadata.num_columns, limits)
    try:
        table = file.read()
    except (OSError, ValueError) as why:
        raise ValueError(f"damaged Parquet: {why}") from None
    return list(table.column_names), list(table.columns)


def _text(stream: BinaryIO, limits: Limits) -> tuple[list[str], list[Any]]:
    raw = stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 30} GiB of text")
    names, found = columns(raw)
    _check_numbers(sum(map(len, found)), limits)
    return names, found


def _check_numbers(count: int, limits: Limits) -> None:
    if count > limits.numbers:
        raise ValueError(
            f"{count:,} numbers, more than the limit of {limits.numbers:,}; raise it with --max-numbers "
            "(TEXTANCHOR_MAX_NUMBERS)"
        )


def _series(names: Sequence[str], found: Sequence[Any], limits: Limits) -> tuple[np.ndarray, float] | np.ndarray:
    times, channels = told_apart(names, found) if found else (None, [])
    if not channels or not len(channels[0]):
        raise ValueError(f"no numbers: {len(found[0]) if found else 0} rows, {len(channels)} channels beside the time")
    values = np.stack(channels, axis=1)
    return values if times is None else _evenly(times, values, limits)


def _evenly(times: np.ndarray, values: np.ndarray, limits: Limits) -> np.ndarray | tuple[np.ndarray, float]:
    """Values at even moments, and their rate."""
    steps = np.diff(times)
    if not np.isfinite(times).all():
        raise ValueError(f"row {int(np.flatnonzero(~np.isfinite(times))[0]) + 1} has no time")
    if (steps < 0).any():
        raise ValueError(f"time goes backwards at row {int(np.flatnonzero(steps < 0)[0]) + 2}")
    step = float(np.median(steps)) if len(steps) else 0.0
    if step <= 0:
        return _coarsely(times, values)
    if np.allclose(steps, step, rtol=0.01):
        return values, 1 / step
    count = int((times[-1] - times[0]) / step) + 1
    _check_numbers(count * values.shape[1], limits)
    moments = times[0] + step * np.arange(count)
    filled = _whole(values)
    return np.stack([np.interp(moments, times, column) for column in filled.T], axis=1), 1 / step


def _coarsely(times: np.ndarray, values: np.ndarray) -> np.ndarray | tuple[np.ndarray, float]:
    """Values as they are where many rows share a moment; their rate is that between the second moment and the last."""
    moments, first = np.unique(times, return_index=True)
    if len(moments) < 3:
        return values
    return values, float((first[-1] - first[1]) / (moments[-1] - moments[1]))


def _whole(values: np.ndarray) -> np.ndarray:
    """Missing values interpolated within each channel. Raises `ValueError` if nothing is there."""
    fine = np.isfinite(values) & (np.abs(values) < np.finfo(np.float32).max)
    if not fine.any():
        raise ValueError("all values are missing")
    rows = np.arange(len(values))
    out = values.copy()
    for channel in np.flatnonzero(~fine.all(axis=0)):
        held = fine[:, channel]
        out[:, channel] = np.interp(rows, rows[held], values[held, channel]) if held.any() else 0.0
    return out.astype(np.float32)
