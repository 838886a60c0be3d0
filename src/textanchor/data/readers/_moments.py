"""Dates and times of day as they are written, in seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from jaxtyping import Float64

DAY = 86400.0
_NAMES = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MOMENT = re.compile(
    r"(?:(?P<date>\d{1,4}[./-](?:\d{1,2}|[A-Za-z]{3,9})[./-]\d{1,4}|\d{1,2} [A-Za-z]{3,9} \d{4}|\d{8}(?=[T ]\d)))?"
    r"[T ,]*(?:(?P<first>\d{1,3}):(?P<second>\d{2})(?::(?P<third>\d{2}))?(?:[.,:](?P<part>\d+))?)?"
    r" ?(?P<half>[AaPp])?(?:(?<=[AaPp])\.?[Mm]\.?)? ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Seconds [n] since a fixed day, NaN where missing; which of a date and a time of day they have."""

    seconds: Float64[np.ndarray, " n"]
    dated: bool
    clocked: bool


def reads_as_moment(cell: str) -> bool:
    """Whether a cell holds a date, a time of day or both."""
    found = _MOMENT.fullmatch(cell.strip())
    return found is not None and bool(found["date"] or found["first"])


def moments(cells: Sequence[str | None]) -> Moments | None:
    """What the cells say if all that are not missing are dates or times; days before months where that reads, or ascends."""
    held = []
    for cell in cells:
        if (found := _MOMENT.fullmatch((cell or "").strip())) is None:
            return None
        held.append(found)
    dated, clocked = any(one["date"] for one in held), any(one["first"] for one in held)
    if not (dated or clocked):
        return None
    clock = np.array([_clock(one) for one in held])
    if not dated:
        return Moments(seconds=past_midnight(clock), dated=False, clocked=True)
    triples = [re.split(r"[./ -]", one["date"]) if one["date"] else None for one in held]
    read = [days for order in ((0, 1, 2), (1, 0, 2)) if (days := _days(triples, order)) is not None]
    if not read:
        return None
    times = [DAY * days + (clock if clocked else 0.0) for days in read]
    return Moments(seconds=min(times, key=_disorder), dated=True, clocked=clocked)


def _clock(found: re.Match[str]) -> float:
    """Seconds of the day; two numbers with a fraction are minutes and seconds."""
    if not found["first"]:
        return 0.0 if found["date"] else np.nan
    first, second, part = int(found["first"]), int(found["second"]), float(f"0.{found['part'] or 0}")
    if found["third"] is None and found["part"]:
        return 60.0 * first + second + part
    if found["half"]:
        first = first % 12 + 12 * (found["half"].lower() == "p")
    ahead = re.fullmatch(r"([+-])(\d\d):?(\d\d)", found["zone"] or "")
    shift = (3600 * int(ahead[2]) + 60 * int(ahead[3])) * (-1 if ahead[1] == "-" else 1) if ahead else 0
    return 3600.0 * first + 60 * second + int(found["third"] or 0) + part - shift


def past_midnight(clock: np.ndarray) -> np.ndarray:
    """A fall by more than half a day is midnight."""
    falls = np.diff(clock, prepend=clock[:1]) < -DAY / 2
    return np.asarray(clock + DAY * np.cumsum(falls))


def _days(triples: Sequence[list[str] | None], order: tuple[int, int, int]) -> np.ndarray | None:
    """Days, where `order` are the places of day, month and year unless the year stands first; None if one is no date."""
    days = []
    for triple in triples:
        if triple is None:
            days.append(np.nan)
            continue
        if len(triple) == 1:
            triple = [triple[0][6:], triple[0][4:6], triple[0][:4]]
        elif len(triple[0]) == 4:
            triple = triple[::-1]
        elif triple[1].isdigit():
            triple = [triple[place] for place in order]
        month = _month(triple[1])
        year = int(triple[2]) + (2000 if len(triple[2]) == 2 else 0)
        try:
            days.append(float(date(year, month, int(triple[0])).toordinal()))
        except ValueError:
            return None
    return np.array(days) - next((day for day in days if day == day), 0.0)


def _month(name: str) -> int:
    """0 for what is none."""
    if name.isdigit():
        return int(name)
    return _NAMES.index(name[:3].lower()) if name[:3].lower() in _NAMES else 0


def _disorder(times: np.ndarray) -> tuple[bool, float]:
    steps = np.diff(times[np.isfinite(times)])
    return bool((steps < 0).any()), float(np.abs(steps).max(initial=0.0))
