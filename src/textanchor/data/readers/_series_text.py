"""Tables of numbers as text: marks, comments, headings and decimal commas are found out from the first lines."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

from textanchor.data.readers._moments import reads_as_moment

BLANKS = " "  # runs of blanks and tabs between cells
MARKS = ("\t", ";", "|", ",", BLANKS)  # the first of equals is taken
MISSING = ("", "nan", "na", "n/a", "#n/a", "null", "none", "inf", "-inf", "infinity", "-infinity", "-", "--", "?")
SAMPLE, HEAD = 100, 1 << 16  # lines and bytes that are looked at
_NUMBER = {mark: re.compile(rf"[+-]?(\d+({re.escape(mark)}\d*)?|{re.escape(mark)}\d+)([eE][+-]?\d+)?") for mark in ".,"}
_COMMENT = re.compile(rb"^[ \t]*(?:#(?!N/A)|%|//).*(?:\n|\Z)", re.M)
_PLUS = re.compile(rb"(?<![\w.)])\+(?=[\d.])")  # Arrow reads no number with a plus
_TURNED = re.compile(rb"\r\n?")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How cells are told apart and numbers written; `end` is a mark of another kind at the end of every line."""

    mark: str
    decimal: str
    end: str = ""

    def cells(self, line: str) -> list[str]:
        """The cells of a line, without the blanks around them."""
        line = line.strip().removesuffix(self.end) if self.end else line
        if self.mark == BLANKS:
            return [cell.strip('"') for cell in line.split()]
        return [cell.strip() for cell in next(csv.reader([line], delimiter=self.mark, skipinitialspace=True), [])]

    def reads(self, cell: str) -> bool:
        """Whether a cell is a number, a moment or known to be missing."""
        return cell.lower() in (*MISSING, "true", "false") or self.is_number(cell) or reads_as_moment(cell)

    def is_number(self, cell: str) -> bool:
        """Whether a cell is a number."""
        return _NUMBER[self.decimal].fullmatch(cell) is not None


def columns(raw: bytes) -> tuple[list[str], list[Any]]:
    """Headings ("" where there is none) and columns as Arrow arrays. Raises `ValueError` if this is no table."""
    raw, noted = _without_comments(_TURNED.sub(b"\n", _utf8(raw)))
    lines = [line for line in _decoded(raw[:HEAD]).split("\n") if line.strip()]
    if len(raw) > HEAD and len(lines) > 1:
        lines = lines[:-1]
    if not lines:
        raise ValueError("no numbers: nothing but comments and blanks")
    layout = _layout(lines[:SAMPLE])
    heading = _heading_lines(lines, layout)
    body = lines[heading:]
    names = _names(lines[:heading], noted, body, layout)
    columns = _read(_skipped(raw, heading), layout, len(names))
    return names, columns


def _utf8(raw: bytes) -> bytes:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise ValueError("not a table of numbers: damaged UTF-16 text") from None
    return raw.removeprefix(b"\xef\xbb\xbf")


def _decoded(raw: bytes) -> str:
    """Units such as ° and µ are often written in Latin-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _without_comments(raw: bytes) -> tuple[bytes, str]:
    """The table, and the last comment before it, which may hold its headings."""
    if not (found := _COMMENT.search(raw)):
        return raw, ""
    last = ""
    while found and not raw[: found.start()].strip():
        last, raw = _decoded(found[0]), raw[found.end() :]
        found = _COMMENT.search(raw)
    return _COMMENT.sub(b"", raw), re.sub(r"^[ \t]*(?:#|%|//)", "", last).rstrip("\n")


def _layout(lines: list[str]) -> Layout:
    """What lets most cells below the first line be read, in lines of one length, and of more than one cell."""
    body = lines[1:] or lines
    end = ";" if all(line.rstrip().endswith(";") for line in body) else ""

    parted = _commas_part(lines[0], body)

    def merit(layout: Layout) -> tuple[bool, float, bool, bool]:
        found = [layout.cells(line) for line in body]
        cells = [cell for row in found for cell in row]
        widths = {len(row) for row in found}
        several = max(widths) > 1
        return several or not parted, sum(map(layout.reads, cells)) / max(1, len(cells)), len(widths) == 1, several

    tried = [Layout(mark=mark, decimal=decimal, end="" if mark == ";" else end) for decimal in ".," for mark in MARKS]
    return max(tried, key=merit)


def _commas_part(first: str, body: list[str]) -> bool:
    """Whether commas stand between cells, and so make no single column of decimals, even if a row is short.

    A heading says so that has commas too; without one, longest rows of whole numbers do.
    """
    commas = Layout(mark=",", decimal=".")
    found = [commas.cells(line) for line in body]
    if (most := max(map(len, found))) < 2:
        return False
    heading = commas.cells(first)
    if not all(map(commas.reads, heading)):
        return len(heading) > 1
    return all(cell.removeprefix("-").isdecimal() for row in found if len(row) == most for cell in row)


def _heading_lines(lines: list[str], layout: Layout) -> int:
    """0, 1 or, with a line of units below the names, 2."""
    rows = [layout.cells(line) for line in lines[:3]]
    if all(map(layout.reads, rows[0])):
        return int(_counts_columns(rows[0], lines[1:SAMPLE], layout))
    units = len(rows) > 2 and not any(map(layout.is_number, rows[1])) and all(map(layout.reads, rows[2]))
    return 2 if units and any(rows[1]) and not all(map(layout.reads, rows[1])) else 1


def _counts_columns(first: list[str], rest: list[str], layout: Layout) -> bool:
    """Whether the first line is 0, 1, 2 ..., after a blank or above numbers with fractions: how pandas names columns."""
    indexed = not first[0]
    named = first[1:] if indexed else first
    if len(named) + indexed < 2 or named != [str(place) for place in range(len(named))] or not rest:
        return False
    return indexed or all(layout.decimal in cell or "e" in cell.lower() for line in rest for cell in layout.cells(line))


def _names(heading: list[str], noted: str, body: list[str], layout: Layout) -> list[str]:
    """A name a column, with its unit where units stand in a line of their own."""
    width = len(layout.cells(body[0])) if body else 0
    if not heading:
        told = layout.cells(noted)
        told = told if len(told) == width else re.split(r"[\s,;]+", noted.strip())
        return told if len(told) == width and not all(map(layout.reads, told)) else [""] * width
    names = layout.cells(heading[0])
    if layout.mark == BLANKS and len(names) > width:
        names = layout.cells(re.sub(r"\s+(?=[(\[])", "", heading[0]))
    if len(heading) > 1:
        units = [*layout.cells(heading[1]), *[""] * len(names)]
        names = [f"{name} [{unit.strip('[]()')}]" if unit else name for name, unit in zip(names, units, strict=False)]
    if not body:
        return names
    if len(names) < width:
        last_is_empty = all(not row[-1] for row in map(layout.cells, body[:SAMPLE]) if len(row) == width)
        blanks = [""] * (width - len(names))
        return [*names, *blanks] if last_is_empty else [*blanks, *names]  # R leaves out the heading of row names
    if len(names) > width and any(names[width:]):
        raise ValueError(f"not a table of numbers: {len(names)} headings above {width} columns")
    return names[:width]


def _skipped(raw: bytes, heading: int) -> bytes:
    """What follows so many lines that are not blank."""
    while heading:
        line, _, raw = raw.partition(b"\n")
        heading -= bool(line.strip())
    return raw


def _read(raw: bytes, layout: Layout, width: int) -> list[Any]:
    from pyarrow import csv as arrow

    if not raw.strip():
        return []
    if layout.end:
        raw = re.sub(rb"(?m)" + re.escape(layout.end.encode()) + rb"[ \t]*$", b"", raw)
    mark = layout.mark
    if mark == BLANKS:
        mark = "\t"
        raw = re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", raw))
    elif (sep := re.escape(mark.encode())) and re.search(rb" " + sep + rb"|" + sep + rb" ", raw[:HEAD]):
        raw = re.sub(rb" *" + sep + rb" *", mark.encode(), raw)
    if re.search(_PLUS, raw[:HEAD]):
        raw = re.sub(_PLUS, b"", raw)
    missing = {form for word in MISSING for form in (word, word.upper(), word.title())} | {"NaN"}
    try:
        table = arrow.read_csv(
            io.BytesIO(raw),
            read_options=arrow.ReadOptions(column_names=[str(place) for place in range(width)], block_size=len(raw) + 1),
            parse_options=arrow.ParseOptions(delimiter=mark),
            convert_options=arrow.ConvertOptions(
                null_values=sorted(missing),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                decimal_point=layout.decimal,
            ),
        )
    except (OSError, ValueError) as why:
        raise ValueError(f"not a table of numbers: {' '.join(str(why).split())[:160]}") from None
    return list(table.columns)
