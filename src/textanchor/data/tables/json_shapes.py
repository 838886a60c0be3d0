"""JSON as a table: lines, arrays, and the other shapes in which tools write one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from textanchor.data.readers import guess_modality
from textanchor.data.tables.cells import Row
from textanchor.data.tables.columns import chosen, unique
from textanchor.data.tables.streams import opened

LARGEST = 1 << 30  # letters of a JSON file that is no lines and stands in memory as a whole
_LISTS = ("data", "rows", "images", "annotations", "samples", "items")
Rows = list[dict[str, Any]]


def lines(path: Path) -> Iterator[tuple[int, Row]]:
    """A row a line. Raises `ValueError` with the line that is no JSON object."""
    if _is_whole(path):
        yield from rows(path)
        return
    with opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                try:
                    value = _parsed(line)
                except ValueError as why:
                    raise ValueError(f"line {number} is not valid JSON: {why}") from None
                if not isinstance(value, dict):
                    raise ValueError(f"line {number} is not a JSON object")
                yield number, value


def names_of_lines(path: Path) -> tuple[str, ...]:
    """All names that stand in any line."""
    return tuple(dict.fromkeys(name for _, row in lines(path) for name in row))


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows of an array of objects, of COCO's images and annotations, of columns, or of texts by file; or of lines."""
    if _is_lines(path):
        yield from lines(path)
        return
    with opened(path) as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("larger than 2^30 letters; save it as JSON lines (.jsonl)")
    yield from enumerate(_rows(_parsed(content)), start=1)


def names(path: Path) -> tuple[str, ...]:
    """All names that stand in any row."""
    return tuple(dict.fromkeys(name for _, row in rows(path) for name in row))


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A key that stands twice is told apart and not lost."""
    return dict(zip(unique([key for key, _ in pairs]), (value for _, value in pairs), strict=True))


def _is_whole(path: Path) -> bool:
    """Whether a file that should be lines is one array."""
    with opened(path) as stream:
        return stream.read(4096).lstrip()[:1] == "["


def _is_lines(path: Path) -> bool:
    """Whether each line of a .json is an object: the first is one, and another begins after it."""
    with opened(path) as stream:
        first, second = stream.readline(1 << 24), stream.readline(4096)
        if not first.lstrip().startswith("{") or second.lstrip()[:1] not in ("{", ""):
            return False
        try:
            return isinstance(_parsed(first), dict) and bool(second.strip())
        except ValueError:
            return False


def _rows(told: Any) -> Rows:
    if isinstance(told, list):
        return _objects(told)
    if not isinstance(told, dict):
        raise ValueError("expected an array of objects")
    if isinstance(told.get("images"), list) and isinstance(told.get("annotations"), list):
        return _coco(told)
    if isinstance(told.get("columns"), list) and isinstance(told.get("data"), list):  # pandas, orient="split"
        keys = unique([str(name) for name in told["columns"]])
        return [dict(zip(keys, row, strict=False)) for row in told["data"] if isinstance(row, list)]
    return _by_keys(told)


def _by_keys(told: Mapping[str, Any]) -> Rows:
    """An object whose keys are columns, rows, files, or what stands beside the one list of rows."""
    values = list(told.values())
    if values and all(isinstance(one, dict) for one in values):
        if chosen(list(told)).known:  # pandas' own: columns of rows
            index = dict.fromkeys(key for one in values for key in one)
            return [{name: column.get(key) for name, column in told.items()} for key in index]
        return [{"path": key, **one} if _is_file(key) else one for key, one in told.items()]
    if values and all(isinstance(one, list) for one in values) and chosen(list(told)).known:
        if len({len(one) for one in values}) > 1:
            raise ValueError(f"its columns {', '.join(told)} have several lengths")
        return [dict(zip(told, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(one, str | list) for one in values) and all(map(_is_file, told)):
        return [{"path": key, "text": one} for key, one in told.items()]
    lists = {key: one for key, one in told.items() if isinstance(one, list) and one and isinstance(one[0], dict)}
    key = next(iter(lists)) if len(lists) == 1 else next((name for name in _LISTS if name in lists), None)
    if key is None:
        raise ValueError(f"expected an array of objects, not one object with the keys {', '.join(list(told)[:8])}")
    return _objects(lists[key])


def _coco(told: Mapping[str, Any]) -> Rows:
    """COCO: a row an image, with its captions or the names of what is on it."""
    images = {one.get("id"): one for one in _objects(told["images"])}
    called = {one.get("id"): one.get("name") for one in told.get("categories") or [] if isinstance(one, dict)}
    found: dict[Any, list[Any]] = {key: [] for key in images}
    for one in _objects(told["annotations"]):
        text = one.get("caption", called.get(one.get("category_id")))
        if one.get("image_id") in found and text not in (None, *found[one["image_id"]]):
            found[one["image_id"]].append(text)
    return [{"file_name": image.get("file_name"), "caption": found[key]} for key, image in images.items()]


def _objects(told: Sequence[Any]) -> Rows:
    for number, row in enumerate(told, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"entry {number} is not a JSON object")
    return list(told)


def _is_file(key: str) -> bool:
    return guess_modality(Path(key)) is not None
