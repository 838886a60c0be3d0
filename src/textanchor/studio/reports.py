"""Reports with their key figures: pages that were written before, what the doctor said, and how labelling stands."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from textanchor.errors import InputError, TextAnchorError
from textanchor.files import read_json
from textanchor.studio.cards import html
from textanchor.studio.showing.opening import settled
from textanchor.studio.sources import Labelling

PAGES = {"report.html": "evaluation", "board.html": "bench", "budget.html": "budget"}
DOCTOR, LABELLING = "doctor", "labelling"
FIGURES = 4
POLICY = "sandbox; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""What a browser may do with a report, whoever wrote it: nothing but show it."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number with what it is of; `within` is its interval or spread."""

    name: str
    value: str
    within: str
    of: str


class Report(Protocol):
    """A page, and the figures that matter most."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def kind(self) -> str:
        """What it is a report of."""

    @property
    def content(self) -> bytes:
        """The page as it stands now. Raises `InputError` if it is gone."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """At most four; none where none are told."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A page that lies in a folder, or the doctor's JSON."""

    name: str
    kind: str
    page: Path

    @property
    def content(self) -> bytes:
        """The page, or one that is made of JSON."""
        if self.kind == DOCTOR:
            return html("doctor.html.jinja", name=self.name, told=read_json(self.page)).encode("utf-8", "replace")
        try:
            return self.page.read_bytes()
        except OSError:
            raise InputError(f"the report {self.name} is not there any more") from None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """R@1 of an evaluation or of what the doctor's fits reach, the first lines of a board."""
        if self.kind == DOCTOR:
            return tuple(_reached(read_json(self.page)))[:FIGURES]
        board, metrics = self.page.with_name("board.csv"), self.page.with_name("metrics.json")
        if self.kind == "bench" and board.is_file():
            return tuple(_lines(board))
        return tuple(_alignment(read_json(metrics)))[:FIGURES] if metrics.is_file() else ()


@dataclass(frozen=True)
class OfProject:
    """How a labelling project stands, written when somebody looks."""

    source: Labelling

    @property
    def name(self) -> str:
        """That of the project."""
        return self.source.name

    @property
    def kind(self) -> str:
        """Labelling."""
        return LABELLING

    @property
    def content(self) -> bytes:
        """Written anew."""
        from textanchor.labelling.reporting import write_label_report

        roots = self.source.roots
        with tempfile.TemporaryDirectory(prefix="textanchor-report-") as folder:
            page = Path(folder) / "report.html"
            return write_label_report(self.source.project, page, settle=lambda item: settled(item, roots)).read_bytes()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """None: they stand on the page, and in the tab Label."""
        return ()


def is_report(place: Path) -> bool:
    """Whether a folder holds a report, or a file is one."""
    return _page(place) is not None


def report_in(place: Path) -> Report:
    """The report of a folder, or the page itself. Raises `InputError` if there is none."""
    page = _page(place)
    if page is None:
        raise InputError(f"{place} holds no report; expected a folder with {', '.join(PAGES)}, or what the doctor said as JSON")
    kind = DOCTOR if page.suffix == ".json" else PAGES.get(page.name, "report")
    return Written(name=place.resolve().stem, kind=kind, page=page)


def _page(place: Path) -> Path | None:
    if place.is_file():
        return place if place.suffix.lower() == ".html" or _is_doctors(place) else None
    return next((place / name for name in PAGES if (place / name).is_file()), None)


def _is_doctors(place: Path) -> bool:
    try:
        told = read_json(place) if place.suffix == ".json" else None
    except TextAnchorError:
        return False
    return isinstance(told, dict) and isinstance(told.get("findings"), list) and "reached" in told


def _alignment(metrics: Any) -> Iterator[Figure]:
    """R@1 of an evaluation's rows, with what it was measured on, its interval and chance."""
    for row in _rows(metrics, "alignment"):
        if isinstance(row.get("R@1"), float):
            of = " ".join(str(row[name]) for name in ("space", "split") if row.get(name))
            way = f"{row.get('query')} → {row.get('gallery')}"
            yield Figure(name=way, value=f"{row['R@1']:.3f}", within=_within(row), of=f"R@1, {of}{_chance(row)}")


def _reached(metrics: Any) -> Iterator[Figure]:
    """What the best of its simple fits reaches of each modality."""
    best: dict[object, Mapping[str, Any]] = {}
    for row in _rows(metrics, "reached"):
        known = best.get(row.get("modality"))
        if isinstance(row.get("R@1"), float) and (known is None or row["R@1"] > known["R@1"]):
            best[row.get("modality")] = row
    for kind, row in best.items():
        of = f"R@1 on validation, which also chose{_chance(row)}"
        yield Figure(name=f"{kind}, {row.get('aligner')}", value=f"{row['R@1']:.3f}", within=_within(row), of=of)


def _lines(board: Path) -> Iterator[Figure]:
    """The first methods of a board."""
    with board.open(encoding="utf-8", newline="") as stream:
        for _, row in zip(range(FIGURES), csv.DictReader(stream), strict=False):
            spread = f"± {float(row['score sd']):.3f}" if row.get("score sd") else ""
            of = f"validation score, {row['seeds']} seeds"
            yield Figure(name=row["method"], value=f"{float(row['score']):.3f}", within=spread, of=of)


def _rows(metrics: Any, name: str) -> list[Mapping[str, Any]]:
    found = metrics.get(name, []) if isinstance(metrics, Mapping) else []
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _within(row: Mapping[str, Any]) -> str:
    told = row.get("R@1 interval")
    return f"[{told[0]:.3f}, {told[1]:.3f}]" if isinstance(told, list) and len(told) == 2 else ""


def _chance(row: Mapping[str, Any]) -> str:
    """Beside every recall what chance or the largest class reaches."""
    named = (("chance R@1", "chance"), ("largest class R@1", "largest class"))
    return next((f"; {word} {row[name]:.3f}" for name, word in named if isinstance(row.get(name), float)), "")
