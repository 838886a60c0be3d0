"""What the studio was opened with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from textanchor import registry
from textanchor.collections import Collection
from textanchor.collections.storing.schema import NAME
from textanchor.data.readers import reader
from textanchor.errors import InputError
from textanchor.escaping import written_back
from textanchor.files import located
from textanchor.labelling.project import Project
from textanchor.runtime import Limits, Runtime
from textanchor.serve.shelves import open_shelves
from textanchor.space import Space
from textanchor.studio.reports import OfProject, Report, is_report, report_in
from textanchor.studio.searchable import searchable
from textanchor.studio.sources import Labelling, Shelved, Source

SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Collections, labelling projects and reports by their short names; `space` is None where nothing is searched.

    `indexed` are projects that are searched by themselves, because what their items come from was not opened.
    """

    space: Space | None
    collections: Mapping[str, Shelved] = field(default_factory=dict)
    projects: Mapping[str, Labelling] = field(default_factory=dict)
    indexed: Mapping[str, Shelved] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, Source]:
        """Everything with items."""
        return {**self.searched, **self.projects}

    @property
    def searched(self) -> dict[str, Shelved]:
        """Everything that can be searched."""
        return {**self.collections, **self.indexed}

    def close(self) -> None:
        """Let go of all files."""
        for source in self.projects.values():
            source.project.close()
        for shelved in self.collections.values():
            if isinstance(shelved.shelf.held, Collection):
                shelved.shelf.held.close()

    @property
    def endings(self) -> dict[str, str]:
        """The modalities of files that can be searched with, by their endings."""
        kinds = [kind for kind in self.space.kinds if kind in registry.names("reader")] if self.space is not None else []
        return {ending: kind for kind in kinds for ending in reader(kind).extensions}

    @property
    def limits(self) -> Limits:
        """The largest items that are decoded."""
        return self.space.runtime.limits if self.space is not None else Limits()


def opened(
    places: Sequence[str], *, space: str | Path | None = None, roots: Sequence[Path] = (), runtime: Runtime | None = None
) -> Opened:
    """Sort out what each place is: a labelling project's file, a report's folder, else something to search.

    The space is the one given, or that of the first collection or project. Raises `InputError` for a place that is not there,
    or a collection without any space.
    """
    projects = [Project(place) for place in places if _is_project(located(place))]
    reports = [place for place in places if is_report(located(place))]
    rest = [place for place in places if place not in reports and not _is_project(located(place))]
    loaded = _space(rest, projects, space, runtime or Runtime())
    if rest and loaded is None:
        raise InputError(f"say with which space to search {rest[0]}: --space SPACE")
    shelves = open_shelves(loaded, rest) if loaded is not None else {}
    allowed = tuple(root.absolute() for root in roots)
    labelling = {f"p{n}": Labelling(f"p{n}", project, allowed) for n, project in enumerate(projects)}
    there = {shelf.place.absolute() for shelf in shelves.values()}
    own = [searchable(source, f"s{id}", loaded, there) for id, source in labelling.items()]
    written: dict[str, Report] = {f"r{n}": report_in(located(place)) for n, place in enumerate(reports)}
    return Opened(
        space=loaded,
        collections={f"c{n}": Shelved(f"c{n}", shelf, allowed) for n, shelf in enumerate(shelves.values())},
        projects=labelling,
        indexed={found.id: found for found in own if found is not None},
        reports={**written, **{id: OfProject(source) for id, source in labelling.items()}},
    )


def _is_project(place: Path) -> bool:
    try:
        if not place.is_file():
            return False
        with place.open("rb") as stream:
            return stream.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def _space(places: Sequence[str], projects: Sequence[Project], given: str | Path | None, runtime: Runtime) -> Space | None:
    from textanchor.space.storage import load

    kept = [located(place) for place in places if (located(place) / NAME).is_file()]
    last = next((space for place in kept if (space := Collection(place).space)), "")
    begun = next((project.space for project in projects if project.space), "")
    told = given or (written_back(last) if last else begun)
    return load(told, runtime=runtime) if told else None
