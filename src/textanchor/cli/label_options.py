"""What the commands of `textanchor label` share."""

from __future__ import annotations

import getpass
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options
from textanchor.errors import InputError

if TYPE_CHECKING:
    from textanchor.labelling.project import Class, Decision, Entry, Project, Wanted


SOME = 5  # remarks of a kind


def _myself() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        return "somebody"


project = click.argument("project", type=click.Path(path_type=Path))
who = click.option(
    "--who",
    envvar="TEXTANCHOR_WHO",
    default=_myself,
    help="Whose decisions these are. [default: $TEXTANCHOR_WHO, or the user's name]",
)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which items, as typed."""

    status: str | None
    label: str | None
    proposed: str | None
    let_through: bool
    disagree: bool
    modality: str | None
    group: str | None
    count: int | None

    def told(self) -> Wanted:
        """As the library has them."""
        from textanchor.labelling.project import Wanted

        return Wanted(
            status=self.status,
            label=self.label,
            proposed=self.proposed,
            through=self.let_through or None,
            disagree=self.disagree or None,
            modality=self.modality,
            group=self.group,
            limit=self.count,
        )


filters = options.gathered(
    "filters",
    Filters,
    click.option("--status", type=click.Choice(["open", "label", "none", "unsure", "machine"]), help="Only such items."),
    click.option("--label", metavar="CLASS", help="Only items of that class."),
    click.option("--proposed", metavar="CLASS", help="Only items of which that class is proposed."),
    click.option("--let-through", is_flag=True, help="Only what the promise lets through."),
    click.option("--disagree", is_flag=True, help="Only items on which people differ."),
    click.option("--modality", help="Only items of that modality."),
    click.option("--group", help="Only items of that group."),
    click.option("--count", type=click.IntRange(min=1), help="At most so many."),
)


def opened(file: Path) -> Project:
    """The project of a file."""
    from textanchor.labelling.project import Project

    return Project(file)


def lines_of(file: Path) -> list[str]:
    """The lines of a text that say something. Raises `InputError` for what is no text."""
    try:
        return [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as why:
        raise InputError(f"{file} cannot be read as text ({why}); expected a text a line") from None


def class_of(told: str) -> Class:
    """A class as typed: KEY or KEY=TEXT."""
    from textanchor.labelling.project import Class

    key, _, text = told.partition("=")
    return Class(key=key.strip(), text=text.strip())


def setting_json(told: str, known: dict[str, Any]) -> tuple[str, Any]:
    """A setting as typed, of the kind that it has. Raises `BadParameter`."""
    name, equals, value = told.partition("=")
    if not equals:
        raise click.BadParameter(f"'{told}' is not of the form NAME=VALUE, such as repeats=0.05")
    before = known.get(name)
    try:
        return name, type(before)(value) if isinstance(before, float | int) and not isinstance(before, bool) else value
    except ValueError:
        raise click.BadParameter(f"{name}={value}: expected a number, such as {before}") from None


def remarks(held: Project) -> list[str]:
    """What somebody may not know of a project that was begun just now."""
    from textanchor.labelling.care import lint_classes

    skipped = held.database.ask("SELECT id, reason FROM skipped ORDER BY id LIMIT 20")
    told = [f"skipped {name}: {reason}" for name, reason in skipped]
    poor = [f"class '{one.text}' {one.problem}" for one in lint_classes([one.text for one in held.classes])]
    more = [f"... and {len(poor) - SOME} more classes: textanchor label check {held.file}"] if len(poor) > SOME else []
    return [_modalities(held), *told, *poor[:SOME], *more]


def _modalities(held: Project) -> str:
    told = held.database.ask(
        "SELECT modality, count(*) FROM items WHERE row IS NOT NULL GROUP BY modality ORDER BY count(*) DESC, modality"
    )
    return f"items by modality: {', '.join(f'{count} {modality}' for modality, count in told)}"


def row(entry: Entry) -> dict[str, object]:
    """An item as a line of a table."""
    told: dict[str, object] = {"item": entry.id, "status": entry.state.status, "label": "|".join(entry.state.classes) or None}
    told["who"] = entry.state.who or None
    if entry.state.disagree:
        told["people"] = f"{entry.state.people} differ"
    if entry.proposed is not None:
        told |= {"proposed": "|".join(entry.proposed.classes), "probability": entry.proposed.probability}
        told["let through"] = "yes" if entry.proposed.through else "no"
    return told


def entry_json(entry: Entry) -> dict[str, Any]:
    """An item with all that is known."""
    return {
        "item": entry.id,
        "modality": entry.modality,
        "path": str(entry.item.path) if entry.item.path else None,
        "text": entry.item.value if isinstance(entry.item.value, str) else None,
        "group": entry.group or None,
        "fields": dict(entry.fields),
        **asdict(entry.state),
        "proposed": None if entry.proposed is None else asdict(entry.proposed),
    }


def decision_row(decision: Decision) -> dict[str, object]:
    """An event as a line of a table."""
    return {
        "event": decision.event,
        "item": decision.item,
        "kind": decision.kind,
        "classes": "|".join(decision.classes) or None,
        "who": decision.who,
        "at": decision.at,
        "asked": decision.how,
        "undone": "undone" if decision.undone else None,
    }


def assigned(told: str, known: frozenset[str]) -> tuple[str, str]:
    """Item and class of ITEM=CLASS, either of which may hold further signs of equality. Raises `InputError`."""
    parts = told.split("=")
    cuts = [("=".join(parts[:place]), "=".join(parts[place:])) for place in range(len(parts) - 1, 0, -1)]
    if not cuts:
        raise InputError(f"'{told}' is not of the form ITEM=CLASS")
    return next(((item, key) for item, key in cuts if item in known), cuts[-1])
