"""Reports that were written before: evaluations, boards and budgets, with their key figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textanchor.errors import InputError
from textanchor.files import read_json
from textanchor.pages import cell

PAGES = {"report.html": "evaluation", "board.html": "bench", "budget.html": "budget"}
FIGURES = 8
POLICY = "sandbox; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""What a browser may do with a report, whoever wrote it: nothing but show it."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number with what it is of."""

    name: str
    value: str
    of: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page in a folder, and the figures beside it."""

    name: str
    kind: str
    page: Path

    @property
    def content(self) -> bytes:
        """The page as it stands now. Raises `InputError` if it is gone."""
        try:
            return self.page.read_bytes()
        except OSError:
            raise InputError(f"the report {self.name} is not there any more") from None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """At most eight of an evaluation's; none where none are told."""
        told = self.page.with_name("metrics.json")
        return tuple(_figures(read_json(told)))[:FIGURES] if told.is_file() else ()


def is_report(place: Path) -> bool:
    """Whether a folder holds a report, or a file is one."""
    return _page(place) is not None


def report_in(place: Path) -> Report:
    """The report of a folder, or the page itself. Raises `InputError` if there is none."""
    page = _page(place)
    if page is None:
        raise InputError(f"{place} holds no report; expected a folder with {', '.join(PAGES)}")
    return Report(name=place.resolve().name, kind=PAGES.get(page.name, "report"), page=page)


def _page(place: Path) -> Path | None:
    if place.is_file():
        return place if place.suffix.lower() == ".html" else None
    return next((place / name for name in PAGES if (place / name).is_file()), None)


def _figures(metrics: Any) -> Iterator[Figure]:
    """R@1 of an evaluation's rows, with what it was measured on, its interval and chance."""
    rows = metrics.get("alignment", []) if isinstance(metrics, Mapping) else []
    for row in rows:
        if isinstance(row, Mapping) and isinstance(row.get("R@1"), float):
            of = " ".join(str(row[name]) for name in ("space", "split") if row.get(name))
            yield Figure(
                name=f"{row.get('query')} → {row.get('gallery')}", value=cell(row, "R@1"), of=f"R@1, {of}{_chance(row)}"
            )


def _chance(row: Mapping[str, Any]) -> str:
    told = row.get("chance R@1")
    return f"; chance {told:.3f}" if isinstance(told, float) else ""
