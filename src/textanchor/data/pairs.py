"""Pairs and collections from a table, a Hugging Face folder with metadata, or one folder per class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textanchor.data import tables
from textanchor.data.readers import guess_modality, reader
from textanchor.errors import InputError, NothingUsableError
from textanchor.files import read_json, write_csv
from textanchor.records import Item, Pair, Pairs, Skipped
from textanchor.registry import names

TABLES = tuple(f"{stem}{ending}" for stem in ("pairs", "metadata") for ending in tables.ENDINGS)
ABOUT = "about.json"
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "heldout", "held-out"), "test"),
}
_PATH, _TEXT = ("path", "file_name", "filename"), ("text", "caption", "label")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as found, before anything is checked against the disk."""

    place: str
    item: Item | None
    text: str
    group: str
    split: str
    problem: str = ""


def read_pairs(source: str | Path, *, split_name: str | None = None, modality: str | None = None) -> Pairs:
    """Read (item, text) pairs.

    `modality` is taken for files whose ending says none, or several, and for no others. `split_name` names a predefined
    split that breaks groups on purpose ("official, speakers shared"); without it such a split is refused later. Raises
    `InputError` if there is no such table, `NothingUsableError` if no row is usable.
    """
    path = _existing(source)
    rows, skipped = [], []
    seen: set[tuple[str, str]] = set()
    kinds: dict[str, Item] = {}
    for row in _rows(path, _asked(modality)):
        problem = row.problem or ("empty text" if not row.text else "")
        problem = problem or ("the text of a file is needed: a table, or one folder per class" if row.item is None else "")
        if not problem and row.item is not None:
            item = _document(row.item)
            earlier = kinds.setdefault(item.id, item)
            if earlier != item:
                problem = f"item '{item.id}' was another file or modality before"
            elif (item.id, row.text) in seen:
                problem = "duplicate of an earlier row"
            else:
                seen.add((item.id, row.text))
                rows.append(Pair(item=item, text=row.text, group=row.group or None, split=row.split or None))
        if problem:
            skipped.append(Skipped(item=row.place, reason=problem))
    if not rows:
        raise NothingUsableError(_nothing(path, "pair", skipped))
    return Pairs(
        rows=tuple(rows),
        skipped=tuple(skipped),
        split_name=split_name or _told_name(path),
        source=path.name,
        place=path.resolve(),
    )


def write_pairs(pairs: Pairs, file: str | Path) -> None:
    """Pairs as a CSV table that `read_pairs` reads; files by their places relative to it.

    Raises `InputError` for an ending other than .csv, or items in memory that are no texts.
    """
    place = Path(file).expanduser()
    if place.suffix.lower() != ".csv":
        raise InputError(f"{place}: expected a name that ends in .csv")
    table = [("path", "item_text", "text", "modality", "item", "group", "split")]
    for pair in pairs.rows:
        item = pair.item
        if item.path is None and not isinstance(item.value, str):
            raise InputError(f"{item.id}: an item in memory cannot be written to a table")
        path = "" if item.path is None else os.path.relpath(item.path, place.resolve().parent)
        told = ("", item.value or "") if item.path is None else (path, "")
        table.append((*told, pair.text, item.modality, item.id, pair.group or "", pair.split or ""))
    write_csv(place, table)


def read_collection(
    source: str | Path, *, texts: bool = False, modality: str | None = None
) -> tuple[tuple[Item, ...], tuple[Skipped, ...]]:
    """The items of a folder or table, whether they have texts or not; with `texts`, its distinct texts instead."""
    items: dict[str, Item] = {}
    skipped = []
    for found in iterate_collection(source, texts=texts, modality=modality):
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            items.setdefault(found.id, found)
    if not items:
        raise NothingUsableError(_nothing(_existing(source), "text" if texts else "item", skipped))
    return tuple(items.values()), tuple(skipped)


def iterate_collection(source: str | Path, *, texts: bool = False, modality: str | None = None) -> Iterator[Item | Skipped]:
    """Like `read_collection`, one by one, so that a folder of any size takes no memory; a table's items may repeat."""
    for row in _rows(_existing(source), _asked(modality)):
        found = row.item
        if row.text and (texts or (found is None and not row.problem)):
            found = Item(id=row.text, modality="text", value=row.text)
        elif texts and not (found and found.modality == "text"):
            continue
        if found is not None and not (row.problem and not texts):
            yield found
        elif row.problem:
            yield Skipped(item=row.place, reason=row.problem)


def _asked(modality: str | None) -> str | None:
    """Raises `UnknownNameError` for a modality that no reader reads."""
    return reader(modality).modality if modality else None


def _existing(source: str | Path) -> Path:
    path = Path(source).expanduser()
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a folder or a table ({', '.join(tables.ENDINGS)})")
    return path


def _nothing(path: Path, what: str, skipped: list[Skipped]) -> str:
    if not skipped:
        return f"{path} holds no {what}; expected rows, or files with a known ending"
    first = skipped[0]
    return f"{path} holds no usable {what}: {len(skipped)} skipped, the first being {first.item}: {first.reason}"


def _document(item: Item) -> Item:
    """An item that is a text gets a projector of its own; the anchor's texts never do."""
    return Item(id=item.id, modality="document", path=item.path, value=item.value) if item.modality == "text" else item


def _told_name(path: Path) -> str | None:
    about = (path if path.is_dir() else path.parent) / ABOUT
    told = read_json(about).get("split_name") if about.is_file() else None
    return str(told) if told else None


def _rows(path: Path, asked: str | None) -> Iterator[Row]:
    if path.is_file():
        yield from _table(path, asked)
        return
    tables_here = [path / name for name in TABLES if (path / name).is_file()]
    nested = [] if tables_here else sorted(found for name in TABLES for found in path.glob(f"*/{name}"))
    if tables_here:
        yield from _table(tables_here[0], asked)
    elif nested:
        for table in nested:
            yield from _table(table, asked, split=SPLITS.get(table.parent.name.lower(), ""), within=f"{table.parent.name}/")
    else:
        yield from _folder(path, asked)


def _folder(root: Path, asked: str | None) -> Iterator[Row]:
    """`[split/]class/.../file`; hidden files are passed over, files of unknown kind are reported."""
    for place, unreadable in _walk(str(root), ""):
        path = root / place
        folders = place.split("/")[:-1]
        split = SPLITS.get(folders[0].lower(), "") if len(folders) > 1 else ""
        text = " ".join(folders[1 if split else 0].replace("_", " ").replace("-", " ").split()) if folders else ""
        problem = unreadable or _not_a_file(path)
        modality = "" if problem else _modality(path, asked)
        yield Row(
            place=place,
            item=Item(id=place, modality=modality, path=path) if modality else None,
            text=text,
            group="",
            split=split,
            problem=problem or ("" if modality else f"unknown kind of file '{path.suffix}'"),
        )


def _walk(root: str, within: str) -> Iterator[tuple[str, str]]:
    """Files by name, folder by folder, and why a folder cannot be listed; one folder's names are held at a time."""
    try:
        with os.scandir(f"{root}/{within}") as found:
            names = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found if entry.name[0] != ".")
    except OSError as why:
        yield within.rstrip("/") or root, f"cannot be listed: {why.strerror}"
        return
    for name, is_folder in names:
        if is_folder:
            yield from _walk(root, f"{within}{name}/")
        else:
            yield f"{within}{name}", ""


def _not_a_file(path: Path) -> str:
    if path.is_file():
        return ""
    if path.is_dir():
        return "a link to a folder, which is not followed"
    return "a link to nothing" if path.is_symlink() else "not a regular file"


def _modality(path: Path, asked: str | None) -> str:
    """The modality asked for, if its reader takes such files; else what the ending says."""
    if asked and path.suffix.lower() in (*reader(asked).extensions, *getattr(reader(asked), "on_request", ())):
        return asked
    return guess_modality(path) or ""


def _table(path: Path, asked: str | None, *, split: str = "", within: str = "") -> Iterator[Row]:
    """Rows of one table; `within` keeps equal file names of several folders apart."""
    found = tables.rows(path)
    columns = set(found[0][1]) if found else set()
    path_column = next((name for name in _PATH if name in columns), None)
    text_column = next((name for name in _TEXT if name in columns), None)
    if found and not ({path_column, text_column} - {None} or "item_text" in columns):
        raise InputError(
            f"{path} has the columns {', '.join(sorted(columns))}; expected `path` (or `file_name`, or `item_text`) and `text`"
        )
    for number, cells in found:
        text = cells.get(text_column, "") if text_column else ""
        told = cells.get(path_column, "") if path_column else ""
        modality = cells.get("modality") or (_modality(Path(told), asked) if told else "")
        yield _row(cells, f"{within}{path.name}:{number}", path, path_column, text, split, within, modality)


def _row(
    cells: tables.Row, place: str, table: Path, path_column: str | None, text: str, split: str, within: str, modality: str
) -> Row:
    told, item_text = (cells.get(path_column, "") if path_column else ""), cells.get("item_text", "")
    side = cells.get("split", "") or split
    item = None
    problem = "more cells than columns; a text with a comma needs quotes" if tables.MORE in cells else ""
    if side and side.lower() not in SPLITS:
        problem = f"unknown split '{side}' (known: {', '.join(SPLITS)})"
    if told:
        file = table.parent / Path(told).expanduser()
        if modality not in names("reader"):
            problem = f"unknown modality '{modality}'" if modality else f"unknown kind of file '{file.name}'"
        elif not file.is_file():
            problem = f"no such file: {told}"
        else:
            item = Item(id=cells.get("item") or f"{within}{told}", modality=modality, path=file)
    elif item_text:
        modality = modality or "document"
        if modality not in names("reader"):
            problem = f"unknown modality '{modality}'"
        item = Item(id=cells.get("item") or item_text, modality=modality, value=item_text)
    elif path_column or "item_text" in cells:
        problem = "neither path nor item_text"
    return Row(
        place=f"{place} {told or item_text}".strip(),
        item=item,
        text=" ".join(text.split()),
        group=cells.get("group", ""),
        split=SPLITS.get(side.lower(), "") if side else "",
        problem=problem,
    )
