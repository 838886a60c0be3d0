"""Plain text for terminals and pipes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from textanchor.escaping import in_json, shown
from textanchor.records import Pairs, Skipped

if TYPE_CHECKING:
    from textanchor.collections import Tally

SHOWN = 20


def say(text: str = "") -> None:
    """A remark on the way, on one line; stderr."""
    click.echo(shown(text), err=True)


def warn(remark: str) -> None:
    """What may mislead whoever does not know it, in one line; stderr."""
    say(f"warning: {remark}")


def dump(value: Any) -> None:
    """A result as JSON; stdout."""
    click.echo(in_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)))


def table(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> None:
    """Rows as aligned columns; stdout. Columns are those of all rows, in order of first appearance."""
    if not rows:
        return
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[shown(column) for column in columns], *([_cell(row.get(column)) for column in columns] for row in rows)]
    wide = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    numeric = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in columns]
    if title:
        click.echo(f"\n{title}")
    for line in cells:
        padded = (
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(line, wide, numeric, strict=True)
        )
        click.echo("  " + "  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_cell(part) for part in value) + "]"
    return shown(value)


def map_figure(held: Mapping[str, Any] | None) -> None:
    """How well labels keep together on the two-dimensional map, where that can be said; stdout."""
    if held and held["5-NN accuracy"] is not None:
        mean = f", macro {held['macro accuracy']:.3f}" if "macro accuracy" in held else ""
        beside = f"{mean} (largest class {held['largest class']:.3f})"
        click.echo(f"\n5-NN accuracy on the held-out 2-D map: {held['5-NN accuracy']:.3f}{beside}")


def taken(pairs: Pairs) -> Pairs:
    """What was taken for what when the pairs were read; stderr. Answers with the pairs."""
    for line in pairs.taken:
        say(f"read {line}")
    return pairs


def texts(pairs: Pairs) -> None:
    """What was read as what, the texts that will be fitted, with their counts, and what has no partner; stdout."""
    for line in pairs.taken:
        click.echo(f"read {line}")
    for modality in pairs.modalities:
        own = pairs.only(modality)
        count = Counter(pair.text for pair in own.rows)
        lone_items = sum(single.item is not None for single in own.singles)
        lone_texts = len(own.singles) - lone_items
        lone = [f"{lone_items} items without text"] if lone_items else []
        lone += [f"{lone_texts} texts without item"] if lone_texts else []
        known = [f"{count.total()} pairs", f"{len(own.items)} items", f"{len(count)} distinct texts"]
        click.echo(f"{modality}: {', '.join((*known, *lone))}")
        for text, uses in count.most_common(SHOWN):
            click.echo(f"  {uses:6d}  {shown(text[:100])}")
        if len(count) > SHOWN:
            click.echo(f"          ... and {len(count) - SHOWN} more")


def skipped(found: Sequence[Skipped]) -> None:
    """What was left out, counted and named; stderr."""
    if found:
        say(f"{len(found)} skipped:")
        for one in found[:SHOWN]:
            say(f"  {one.item}: {one.reason}")
        if len(found) > SHOWN:
            say(f"  ... and {len(found) - SHOWN} more")


def tallies(found: Sequence[Tally], left_out: Sequence[Skipped]) -> None:
    """How many items of each modality were encoded, cached and skipped; stdout. Totals stand in the last row."""
    columns = ("encoded", "cached", "skipped")
    rows: list[dict[str, Any]] = [
        {"modality": tally.modality, **{name: getattr(tally, name) for name in columns}} for tally in found
    ]
    other = len(left_out) - sum(row["skipped"] for row in rows)
    if other:
        rows.append({"modality": "other", "encoded": 0, "cached": 0, "skipped": other})
    table([*rows, {"modality": "all", **{name: sum(row[name] for row in rows) for name in columns}}])
