"""Where a project's items come from, and what their source says of labels and groups."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from textanchor.collections.storing.collection import Collection
from textanchor.collections.storing.schema import NAME
from textanchor.collections.storing.surveyed import MEMORY as MEMORY
from textanchor.collections.storing.surveyed import surveyed
from textanchor.data.pairs import iterate_collection
from textanchor.data.sources import source_of
from textanchor.data.tables import is_table
from textanchor.data.wording import plain_name
from textanchor.database import Database
from textanchor.errors import InputError, NothingUsableError
from textanchor.escaping import writable, written_back
from textanchor.files import located
from textanchor.records import Item, Skipped
from textanchor.runtime import Reading, Runtime

FOLDER = "folder"
SEVERAL = re.compile(r"[|;]")  # between several classes in one cell


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where items come from and how that is read: `labels` and `group` name a column, or `folder`."""

    place: str = MEMORY
    reading: Reading = field(default_factory=Reading)
    labels: str = ""
    group: str = ""

    def told(self) -> str:
        """As JSON."""
        reading = {**asdict(self.reading), "root": self.reading.root and str(self.reading.root)}
        return json.dumps({"place": self.place, "reading": reading, "labels": self.labels, "group": self.group})

    @staticmethod
    def of(told: str) -> Origin:
        """What `told` was made from."""
        held: Any = json.loads(told)
        reading: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in held.pop("reading").items()}
        return Origin(reading=Reading(**reading), **held)


def origins(database: Database) -> tuple[Origin, ...]:
    """Where a project's items come from."""
    return tuple(Origin.of(told) for (told,) in database.ask("SELECT told FROM sources ORDER BY source"))


def roots(database: Database) -> list[Sequence[Path]]:
    """For each place that holds items of a project what `roots_of` says; of a collection among its sources its own places."""
    return [roots_of(place, reading) for origin in origins(database) for place, reading in _followed(origin)]


def _followed(origin: Origin) -> list[tuple[str, Reading]]:
    """A collection's own places stand for it."""
    folder = Path(written_back(origin.place))
    if (folder / NAME).is_file():
        return list(Collection(folder).places.items())
    return [(origin.place, origin.reading)] if origin.place != MEMORY else []


def roots_of(place: str, reading: Reading) -> Sequence[Path]:
    """Folders or files that a place stands for; of a table also, and last, the folder in which its paths begin."""
    path = Path(place) if Path(place).exists() else Path(written_back(place))
    if path.is_dir() or not is_table(path):
        return (path.absolute(),)
    return (path.absolute(), (reading.root or path.parent).absolute())


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """Items, those contents that are known already, labels and groups by id, and what is no item."""

    origin: Origin
    items: tuple[Item, ...]
    contents: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, str]
    skipped: tuple[Skipped, ...]


def sourced(given: Any, origin: Origin, *, multi: bool, runtime: Runtime) -> Sourced:
    """The items of a folder, table, archive or file, of a `Collection` or its folder, or of what Python holds.

    Raises `InputError` for what is not there, a column that nobody has, or an item that has several labels where one is meant;
    `NothingUsableError` where there is no item.
    """
    if isinstance(given, str | Path) and (located(given) / NAME).is_file():
        given = Collection(given)
    contents: dict[str, str] = {}
    if isinstance(given, Collection):
        contents = {item.id: content for item, content in given.catalogue.everything()}
        items: tuple[Item, ...] = tuple(item for item, _ in given.catalogue.everything())
        place = writable(str(given.folder.absolute()))
        skipped: tuple[Skipped, ...] = ()
        if not items:
            raise NothingUsableError(f"{given.folder} holds no item")
    else:
        place, survey = surveyed(given, origin.reading, runtime)
        items, skipped = tuple(survey.items()), survey.skipped
    _refuse_twins(given, items, origin.reading)
    told = Origin(place=place, reading=origin.reading, labels=origin.labels, group=origin.group)
    return Sourced(
        origin=told,
        items=items,
        contents=contents,
        labels=_labels(given, told, items, multi=multi),
        groups=_groups(told, items),
        skipped=skipped,
    )


def _refuse_twins(given: Any, items: Sequence[Item], reading: Reading) -> None:
    """A table may name an item again, but not another file by the same id."""
    if not isinstance(given, str | Path) or not is_table(located(given)):
        return
    known = {item.id: item for item in items}
    for found in iterate_collection(given, reading=reading):
        if (
            isinstance(found, Item)
            and (first := known.get(found.id))
            and (_place(found), found.value) != (_place(first), first.value)
        ):
            one, other = first.path or first.value, found.path or found.value
            raise InputError(f"{given} calls two items '{found.id}': {one} and {other}; an id means one item")


def _place(item: Item) -> Path | None:
    """Its file, wherever the table was named from."""
    return None if item.path is None else item.path.absolute()


def _labels(given: Any, origin: Origin, items: tuple[Item, ...], *, multi: bool) -> dict[str, tuple[str, ...]]:
    if not origin.labels:
        return {}
    if origin.labels == FOLDER:
        found = _by_folder(given, origin)
    else:
        rows: Iterable[Any] = items if isinstance(given, Collection) else _rows(given, items, origin)
        found = _by_column(rows, origin.labels, items, multi=multi)
    known = {item.id for item in items}
    labels = {name: tuple(dict.fromkeys(told)) for name, told in found.items() if name in known and told}
    if not labels:
        raise InputError(f"no item has a label in '{origin.labels}'; name another column, or `{FOLDER}`")
    several = next((name for name, told in labels.items() if len(told) > 1 and not multi), None)
    if several is not None:
        told = "' and '".join(labels[several][:2])
        raise InputError(f"{several} has the labels '{told}'; begin a project of several classes an item (--multi)")
    return labels


def _rows(given: Any, items: tuple[Item, ...], origin: Origin) -> Iterable[Any]:
    """All rows of a table, in which an item may stand more than once."""
    is_place = isinstance(given, str | Path)
    return iterate_collection(given, reading=origin.reading) if is_place and located(given).exists() else items


def _by_column(rows: Iterable[Any], column: str, items: tuple[Item, ...], *, multi: bool) -> dict[str, list[str]]:
    key = column_of(column, items)
    found: dict[str, list[str]] = {}
    for row in rows:
        if not isinstance(row, Item) or key not in row.fields:
            continue
        told = str(row.fields[key])
        found.setdefault(row.id, []).extend(
            text for one in (SEVERAL.split(told) if multi else [told]) if (text := " ".join(one.split()))
        )
    return found


def _by_folder(given: Any, origin: Origin) -> dict[str, list[str]]:
    """The folders' names as they are written; underscores stay in keys."""
    if isinstance(given, Collection) or not isinstance(given, str | Path):
        raise InputError(f"labels={FOLDER}: folders name the classes of a folder or an archive; name a column")
    found: dict[str, list[str]] = {}
    for row in source_of(located(given), origin.reading):
        if row.item is not None and row.text and not row.problem:
            found.setdefault(row.item.id, []).append(_as_written(row.text, row.item.id))
    return found


def _as_written(text: str, name: str) -> str:
    """The folder's own name, where the text was made of one folder by taking underscores from it."""
    return next((part for part in name.split("/")[:-1] if plain_name(part) == text), text)


def _groups(origin: Origin, items: tuple[Item, ...]) -> dict[str, str]:
    """By column or folder; without either by a column that is called group."""
    if origin.group == FOLDER:
        return {item.id: str(PurePosixPath(item.id).parent) for item in items}
    if not origin.group:
        usual = next((name for item in items for name in item.fields if name.strip().lower() == "group"), None)
        return {} if usual is None else _named(usual, items)
    return _named(column_of(origin.group, items), items)


def _named(key: str, items: tuple[Item, ...]) -> dict[str, str]:
    return {item.id: told for item in items if (told := " ".join(str(item.fields.get(key, "")).split()))}


def column_of(name: str, items: Iterable[Item]) -> str:
    """A column as it is written. Raises `InputError` with the nearest if no item has it."""
    known = list(dict.fromkeys(key for item in items for key in item.fields))
    same = [one for one in known if one == name] or [one for one in known if one.lower() == name.lower()]
    if not same:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise InputError(f"no item has a column '{name}'{hint} (there are: {', '.join(known) or 'none'})")
    return same[0]
