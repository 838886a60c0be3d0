"""`textanchor label next`, `decide`, `undo`, `history`: the work of people, without a browser."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import label_options, options, printing
from textanchor.errors import InputError
from textanchor.escaping import shown

if TYPE_CHECKING:
    from textanchor.labelling.project import Choice, Entry


@click.command("next")
@label_options.project
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="Items to be asked.")
@click.option(
    "--stream",
    type=click.Choice(["mixed", "drawn", "chosen", "audit"]),
    default="mixed",
    show_default=True,
    help="Half drawn at random and half chosen; or one of them; or drawn of what was taken over.",
)
@click.option("--skip", multiple=True, metavar="ITEM", help="Not this one now. Repeatable.")
@click.option("--release", is_flag=True, help="Give back what you were asked and did not decide.")
@label_options.who
@options.as_json
def next_(project: Path, count: int, stream: str, skip: tuple[str, ...], release: bool, who: str, as_json: bool) -> None:
    """Say which items of PROJECT to label next, with their files; nobody else is given them meanwhile."""
    held = label_options.opened(project)
    if release:
        held.release(who)
        click.echo("given back")
        return
    asks = held.next(who, count, stream=stream, skip=skip)
    if as_json:
        printing.dump([{**label_options.entry_json(one.entry), "until": one.until} for one in asks])
        return
    for one in asks:
        click.echo(f"{shown(one.entry.id)}\t{shown(_place(one.entry))}")
    if not asks:
        printing.say(_NOTHING[stream == "audit"].format(project=project))
    else:
        printing.say(f"decide: textanchor label decide {project} ITEM=CLASS ... (classes: {_some(held.classes)})")


_NOTHING = (
    "nothing is left to ask (what others were given is theirs for a while); see textanchor label info {project}",
    "nothing is there to look at: it is what was taken over (textanchor label accept {project}), or is on trial "
    "(textanchor label propose {project} --form audit), and nobody looked at",
)


@dataclass(frozen=True, kw_only=True)
class _Kinds:
    """Items of each kind of decision but those with classes, as typed."""

    accept: tuple[str, ...]
    none: tuple[str, ...]
    unsure: tuple[str, ...]


_KINDS = (
    click.option("--accept", multiple=True, metavar="ITEM", help="What is proposed of it is right. Repeatable."),
    click.option("--none", multiple=True, metavar="ITEM", help="It is none of the classes. Repeatable."),
    click.option("--unsure", multiple=True, metavar="ITEM", help="It cannot be told. Repeatable."),
)


@click.command("decide")
@label_options.project
@click.argument("labels", nargs=-1, metavar="[ITEM=CLASS]...")
@options.gathered("kinds", _Kinds, *_KINDS)
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Table of decisions, with columns item and label.")
@click.option("--add-classes", is_flag=True, help="Add classes that the project does not have.")
@label_options.who
@options.as_json
def decide(
    project: Path,
    labels: tuple[str, ...],
    kinds: _Kinds,
    table: Path | None,
    add_classes: bool,
    who: str,
    as_json: bool,
) -> None:
    """Write down decisions on items of PROJECT, all or none: ITEM=CLASS, several classes as ITEM=ONE ITEM=OTHER."""
    held = label_options.opened(project)
    known = frozenset(entry.id for entry in held.entries())
    choices = _choices(labels, kinds, known)
    if not choices and table is None:
        raise InputError(
            f"say what is decided: ITEM=CLASS, --none ITEM, or a table by --csv (see textanchor label next {project})"
        )
    if add_classes:
        there = {one.key for one in held.classes}
        for key in dict.fromkeys(key for one in choices for key in one.classes if key not in there):
            held.add_class(key)
    done = held.decide_all(choices, who=who, how="picked")
    brought = 0
    if table is not None:
        from textanchor.labelling.formats.importing import decide_from

        brought = decide_from(held, table, who=who, add_classes=add_classes)
        if not brought:
            raise InputError(f"{table} holds no decision; expected rows with an item and a label")
    told = held.progress()
    if as_json:
        printing.dump({"decisions": [asdict(one) for one in done], "from table": brought, "progress": asdict(told)})
        return
    click.echo(f"{len(done) + brought} decisions written; {told.labelled} of {told.items} labelled by people, {told.open} open")


@click.command("undo")
@label_options.project
@label_options.who
@options.as_json
def undo(project: Path, who: str, as_json: bool) -> None:
    """Take back the last step of one person in PROJECT; again, the one before."""
    done = label_options.opened(project).undo(who)
    if as_json:
        printing.dump([asdict(one) for one in done])
    elif not done:
        click.echo(f"nothing of {shown(who)} is left to take back")
    else:
        more = f" and {len(done) - 1} more" if len(done) > 1 else ""
        click.echo(f"taken back: {shown(done[0].item)}{more}")


@click.command("history")
@label_options.project
@click.option("--item", help="Only of this item.")
@click.option("--by", help="Only by this person.")
@click.option("--count", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, the newest.")
@options.as_json
def history(project: Path, item: str | None, by: str | None, count: int, as_json: bool) -> None:
    """Show what was decided in PROJECT, by whom and when; what was undone stays on record."""
    held = label_options.opened(project)
    if item is not None:
        held.entry(item)
    found = held.history(item=item, who=by, limit=count, newest=True)[::-1]
    if as_json:
        printing.dump([asdict(one) for one in found])
    else:
        printing.table([label_options.decision_row(one) for one in found])


def _choices(labels: tuple[str, ...], kinds: _Kinds, known: frozenset[str]) -> list[Choice]:
    from textanchor.labelling.project import Choice

    classes: dict[str, list[str]] = {}
    for told in labels:
        item, key = label_options.assigned(told, known)
        classes.setdefault(item, []).append(key)
    choices = [Choice(item=item, classes=tuple(keys)) for item, keys in classes.items()]
    for kind in ("accept", "none", "unsure"):
        choices += [Choice(item=item, kind=kind) for item in getattr(kinds, kind)]
    seen: set[str] = set()
    for one in choices:
        if one.item in seen:
            raise InputError(f"'{one.item}' is decided on twice")
        seen.add(one.item)
    return choices


def _place(entry: Entry) -> str:
    """Where to look at it."""
    if entry.item.path is not None:
        return str(entry.item.path)
    return entry.item.value if isinstance(entry.item.value, str) else f"({entry.modality}, within another file)"


def _some(classes: tuple[object, ...], most: int = 12) -> str:
    keys = [str(getattr(one, "key", one)) for one in classes]
    return (
        ", ".join(keys[:most]) + (", ..." if len(keys) > most else "") if keys else "none yet; add them: textanchor label class"
    )


COMMANDS = (next_, decide, undo, history)
