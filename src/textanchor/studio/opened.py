"""What the studio was opened with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from textanchor.collections import Collection
from textanchor.collections.storing.schema import NAME
from textanchor.errors import InputError
from textanchor.escaping import written_back
from textanchor.files import located
from textanchor.runtime import Limits, Runtime
from textanchor.serve.shelves import open_shelves
from textanchor.space import Space
from textanchor.studio.reports import Report, is_report, report_in
from textanchor.studio.sources import Shelved, Source


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Collections and reports by their short names; `space` is None where only reports are looked at."""

    space: Space | None
    collections: Mapping[str, Shelved] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, Source]:
        """Everything with items."""
        return dict(self.collections)

    @property
    def limits(self) -> Limits:
        """The largest items that are decoded."""
        return self.space.runtime.limits if self.space is not None else Limits()


def opened(
    places: Sequence[str], *, space: str | Path | None = None, roots: Sequence[Path] = (), runtime: Runtime | None = None
) -> Opened:
    """Sort out what each place is: a report's folder, else something to search.

    The space is the one given, or that of the first collection. Raises `InputError` for a place that is not there, or a
    collection without any space.
    """
    reports = [place for place in places if is_report(located(place))]
    rest = [place for place in places if place not in reports]
    loaded = _space(rest, space, runtime or Runtime())
    if rest and loaded is None:
        raise InputError(f"say with which space to search {rest[0]}: --space SPACE")
    shelves = open_shelves(loaded, rest) if loaded is not None else {}
    allowed = tuple(root.absolute() for root in roots)
    return Opened(
        space=loaded,
        collections={f"c{n}": Shelved(f"c{n}", shelf, allowed) for n, shelf in enumerate(shelves.values())},
        reports={f"r{n}": report_in(located(place)) for n, place in enumerate(reports)},
    )


def _space(places: Sequence[str], given: str | Path | None, runtime: Runtime) -> Space | None:
    from textanchor.space.storage import load

    kept = [located(place) for place in places if (located(place) / NAME).is_file()]
    last = next((space for place in kept if (space := Collection(place).space)), "")
    told = given or (written_back(last) if last else None)
    return None if told is None else load(told, runtime=runtime)
