"""Several tables as one: names and groups that never meet, each table's own split, and no content on two sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from textanchor.data.pairs import group_key, read_pairs
from textanchor.data.sides import SIDES, Split
from textanchor.records import Item, Pair, Pairs, Single
from textanchor.runtime import Reading


def read_tables(source: object, *, split_name: str | None = None, reading: Reading | None = None) -> Pairs:
    """What `read_pairs` reads, or of a list of tables (paths, folders, `Pairs`) all of them, joined; see `joined`."""
    if not isinstance(source, list | tuple) or not source or not all(isinstance(one, str | Path | Pairs) for one in source):
        return read_pairs(source, split_name=split_name, reading=reading)
    return joined([read_pairs(one, split_name=split_name, reading=reading) for one in source])


def joined(tables: Sequence[Pairs]) -> Pairs:
    """Rows of all tables. Ids and groups begin with their table, so that equal ones of two tables are two; equal texts are one.

    A single table is itself. What was joined before is taken apart and joined anew.
    """
    flat = [one for table in tables for one in (table.tables or (table,))]
    if len(flat) < 2:
        return flat[0] if tables[0].tables == () else tables[0]
    return of_tables([_named(table, name) for table, name in zip(flat, _names(flat), strict=True)])


def of_tables(tables: Sequence[Pairs]) -> Pairs:
    """The table of tables whose names do not meet."""
    return Pairs(
        rows=tuple(row for table in tables for row in table.rows),
        singles=tuple(single for table in tables for single in table.singles),
        skipped=tuple(one for table in tables for one in table.skipped),
        source=" + ".join(table.source for table in tables),
        taken=tuple(f"{table.source}: {line}" for table in tables for line in table.taken),
        renamed={name: told for table in tables for name, told in table.renamed.items()},
        tables=tuple(tables),
    )


def apart(splits: Mapping[str, Split], pairs: Pairs, contents: Mapping[str, str]) -> Split:
    """The splits of several tables as one. Whatever another table holds out further is on no side, by content, and with it what
    shares a group with it, unless the table's own split shares groups."""
    sharing = frozenset(item for own in splits.values() if own.shares_groups for item, _ in _placed(own))
    torn = _torn(splits, contents)
    groups = {group for item in torn - sharing for group in pairs.groups.get(item, ())}
    train, val, test = (
        frozenset(
            item
            for own in splits.values()
            for item in getattr(own, side)
            if item not in torn and (side == "test" or item in sharing or groups.isdisjoint(pairs.groups.get(item, ())))
        )
        for side in SIDES
    )
    lost = sum(len(getattr(own, side)) for own in splits.values() for side in SIDES) - len(train) - len(val) - len(test)
    told = [f"{name}: {note}" for name, own in splits.items() for note in own.notes]
    told += [f"{lost} items left out: another table holds out the same bytes, or its group"] if lost else []
    return Split(
        train=train,
        val=val,
        test=test,
        name=f"each table by itself ({'; '.join(dict.fromkeys(own.name for own in splits.values()))})",
        notes=tuple(told),
        shares_groups=bool(sharing),
        lone_texts=_latest_texts(splits),
        sharing=sharing,
    )


def _torn(splits: Mapping[str, Split], contents: Mapping[str, str]) -> set[str]:
    """Items whose content another table has on a later side."""
    placed = [(item, SIDES.index(side)) for own in splits.values() for item, side in _placed(own)]
    latest: dict[str, int] = {}
    for item, side in placed:
        latest[contents[item]] = max(latest.get(contents[item], 0), side)
    return {item for item, side in placed if side < latest[contents[item]]}


def _placed(split: Split) -> Iterator[tuple[str, str]]:
    return ((item, side) for side in SIDES for item in getattr(split, side))


def _latest_texts(splits: Mapping[str, Split]) -> dict[str, str]:
    found: dict[str, str] = {}
    for own in splits.values():
        for text, side in own.lone_texts.items():
            found[text] = max(found.get(text, SIDES[0]), side, key=SIDES.index)
    return found


def _names(tables: Sequence[Pairs]) -> list[str]:
    """Each table's name, with its folder where names are equal, and with a number where they still are."""
    given = [table.source for table in tables]
    longer = [
        f"{table.place.parent.name}/{name}" if table.place is not None and given.count(name) > 1 else name
        for table, name in zip(tables, given, strict=True)
    ]
    return [name if not (before := longer[:row].count(name)) else f"{name} ({before + 1})" for row, name in enumerate(longer)]


def _named(table: Pairs, name: str) -> Pairs:
    own = replace(table, source=name)

    def item(one: Item) -> Item:
        return replace(one, id=f"{name}: {one.id}")

    def group(one: Pair | Single) -> str | None:
        return one.group and group_key(table if table.place is not None else own, one.group)

    return replace(
        own,
        rows=tuple(replace(row, item=item(row.item), group=group(row)) for row in table.rows),
        singles=tuple(replace(one, item=one.item and item(one.item), group=group(one)) for one in table.singles),
        skipped=tuple(replace(one, item=f"{name}: {one.item}") for one in table.skipped),
    )
