"""`textanchor label`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import label_deciding, label_files, label_machine, label_options, label_steps, options, printing
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.labelling.project import Class, Project

SHOWN = 1000


@click.group("label")
def command() -> None:
    """Label the rest: people label few items, the machine the others, with a stated error.

    A project is one file. Begin it with a folder, table or archive, label what `next` asks, let the machine `propose`, and
    `accept` what its promise lets through.
    """


@dataclass(frozen=True, kw_only=True)
class _Start:
    """What a project begins with, as typed."""

    classes: tuple[str, ...]
    classes_file: Path | None
    labels: str
    drawn_at_random: bool
    group: str
    multi: bool
    rule: str
    strategy: str
    drawn: float
    repeats: float
    seed: int
    space: Path | None
    who: str

    def all_classes(self) -> list[Class]:
        """Classes as typed and of the file, one a line. Raises `InputError` for a file that is no text."""
        lines = [*self.classes, *(label_options.lines_of(self.classes_file) if self.classes_file is not None else ())]
        return [label_options.class_of(line) for line in lines]


_STARTING = (
    click.option("--class", "classes", multiple=True, metavar="KEY[=TEXT]", help="A class, and what it means. Repeatable."),
    click.option("--classes", "classes_file", type=click.Path(path_type=Path), help="File with a class a line."),
    click.option("--labels", default="", metavar="COLUMN", help="Labels that are known: a column, or `folder`."),
    click.option("--drawn-at-random", is_flag=True, help="These labels are of items drawn at random: they vouch."),
    click.option("--group", default="", metavar="COLUMN", help="What items share, such as a speaker: a column, or `folder`."),
    click.option("--multi", is_flag=True, help="An item may have several classes."),
    click.option(
        "--rule",
        type=click.Choice(["last", "majority"]),
        default="last",
        show_default=True,
        help="Whose decision counts of several people's.",
    ),
    click.option("--strategy", default="spread-then-margin", show_default=True, help="What is asked beside what is drawn."),
    click.option("--drawn", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Share of asks drawn at random."),
    click.option("--repeats", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share of asks that repeat."),
    options.seed,
    click.option("--space", type=click.Path(path_type=Path), help="Space whose encoders see the items, and which reads names."),
    label_options.who,
)


@command.command("start")
@label_options.project
@click.argument("source", type=click.Path(path_type=Path))
@options.gathered("told", _Start, *_STARTING)
@options.reading_of_items
@options.encoders
@options.runtime
@options.as_json
def start(
    project: Path,
    source: Path,
    told: _Start,
    reading: Reading,
    encoders: dict[str, str],
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Begin PROJECT, a file, with the items of SOURCE: a folder, table, archive or collection."""
    from textanchor.labelling.project import Beginning, Project, Settings
    from textanchor.labelling.project.queueing import strategy_of

    strategy_of(told.strategy)
    names = ("multi", "rule", "strategy", "drawn", "repeats", "seed")
    begun = Project.start(
        project,
        source,
        Beginning(
            classes=told.all_classes(),
            settings=Settings(**{name: getattr(told, name) for name in names}),
            labels=told.labels,
            group=told.group,
            who=told.who,
            vouched=told.drawn_at_random,
            space=told.space,
            encoders=encoders,
            reading=reading,
            runtime=runtime,
        ),
    )
    for line in label_options.remarks(begun):
        printing.say(line)
    _tell(begun, as_json=as_json)


@command.command("sync")
@label_options.project
@click.argument("source", required=False, type=click.Path(path_type=Path))
@click.option("--labels", default="", metavar="COLUMN", help="Labels of a new SOURCE: a column, or `folder`.")
@click.option("--group", default="", metavar="COLUMN", help="Groups of a new SOURCE: a column, or `folder`.")
@options.reading_of_items
@options.runtime
@options.as_json
def sync(
    project: Path,
    source: Path | None,
    labels: str,
    group: str,
    reading: Reading,
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Bring PROJECT to what its sources hold now, and follow SOURCE too. What was decided stays."""
    found = label_options.opened(project).sync(source, labels=labels, group=group, reading=reading, runtime=runtime)
    if as_json:
        printing.dump(asdict(found))
    else:
        printing.table([asdict(found)])


@command.command("info")
@label_options.project
@options.as_json
def info(project: Path, as_json: bool) -> None:
    """Say how far PROJECT is."""
    _tell(label_options.opened(project), as_json=as_json)


@command.command("class")
@label_options.project
@click.argument("classes", nargs=-1, metavar="[KEY[=TEXT]]...")
@click.option("--describe", is_flag=True, help="Put classes that are there into other words; keys never change.")
@options.as_json
def class_(project: Path, classes: tuple[str, ...], describe: bool, as_json: bool) -> None:
    """List the classes of PROJECT, or add some."""
    held = label_options.opened(project)
    for one in map(label_options.class_of, classes):
        if describe:
            held.describe(one.key, one.text)
        else:
            held.add_class(one.key, one.text)
    counts = held.progress()
    rows = [
        {"class": one.key, "text": one.text, "labels": counts.classes[one.key], "machine": counts.machine_classes[one.key]}
        for one in held.classes
    ]
    if as_json:
        printing.dump(rows)
    else:
        printing.table(rows)


@command.command("list")
@label_options.project
@label_options.filters
@click.option("--order", type=click.Choice(["number", "surest", "least-sure", "random"]), default="number", show_default=True)
@options.as_json
def list_(project: Path, filters: label_options.Filters, order: Any, as_json: bool) -> None:
    """List the items of PROJECT, how they stand and what is proposed."""
    found = label_options.opened(project).entries(filters.told(), order=order)
    if as_json:
        printing.dump([label_options.entry_json(one) for one in found])
        return
    printing.table([label_options.row(one) for one in found[:SHOWN]])
    if len(found) > SHOWN:
        click.echo(f"... and {len(found) - SHOWN} more; --json lists all")


@command.command("set")
@label_options.project
@click.argument("settings", nargs=-1, metavar="[NAME=VALUE]...")
@options.as_json
def set_(project: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Show how PROJECT works, or let it work otherwise: rule, drawn, repeats, lease, strategy, proposer."""
    held = label_options.opened(project)
    now = asdict(held.settings)
    changes = dict(label_options.setting_json(one, now) for one in settings)
    now = asdict(held.change(**changes)) if changes else now
    if as_json:
        printing.dump(now)
    else:
        for name, value in now.items():
            click.echo(f"{name}: {value}")


def _tell(project: Project, *, as_json: bool) -> None:
    """How far it is, in a few lines, and what comes next."""
    told, run = project.progress(), project.run
    if as_json:
        known = {"classes": [asdict(one) for one in project.classes], "settings": asdict(project.settings)}
        newest = None if run is None else {name: value for name, value in asdict(run).items() if name != "certificate"}
        printing.dump({"project": str(project.file), **asdict(told), **known, "run": newest})
        return
    click.echo(f"{told.items} items, {len(project.classes)} classes; {told.skipped} items cannot be read")
    click.echo(
        f"people: {told.labelled} labelled ({told.drawn} drawn at random), {told.none} of no class, {told.unsure} unsure, "
        f"{told.disagreements} disagreements"
    )
    click.echo(f"machine: {told.proposed} proposed, {told.through} let through, {told.machine} taken over")
    click.echo(f"open: {told.open}")
    for line in () if run is None else run.says:
        click.echo(f"  {line}")
    printing.say(f"next: {label_steps.next_step(project, told)}")


for _part in (*label_deciding.COMMANDS, *label_machine.COMMANDS, *label_files.COMMANDS):
    command.add_command(_part)
