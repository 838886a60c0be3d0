"""`textanchor budget`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.core import ParameterSource

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.budgeting import Budget, Proposal
    from textanchor.space.preparing import Encoding

_NOT_WITH_NEXT = ("output", "shares", "seeds", "judge_on", "more", "jobs")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured: methods, shares of the pairs (none: the default ones), seeds, the side that judges, further pairs to
    extrapolate to, and how many fits at a time."""

    methods: tuple[str, ...]
    shares: tuple[float, ...]
    seeds: int
    judge_on: Literal["val", "test"]
    more: int | None
    jobs: int


@dataclass(frozen=True, kw_only=True)
class Next:
    """How many items to name, and the table to write them to."""

    count: int
    place: Path | None
    overwrite: bool


def _next(*, next_count: int | None, out: Path | None, overwrite: bool) -> Next | None:
    if next_count is None:
        if out is not None or overwrite:
            raise click.UsageError("--out and --overwrite are about the table of --next N; say how many items")
        return None
    context = click.get_current_context()
    for option in context.command.params:
        if option.name in _NOT_WITH_NEXT and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[-1]} is about measuring, --next N only names items; leave one of them out")
    return Next(count=next_count, place=out, overwrite=overwrite)


_PLAN = (
    click.option("--method", "methods", multiple=True, help="An aligner. Repeat to compare. [default: auto, kernel-cca]"),
    click.option(
        "--share",
        "shares",
        multiple=True,
        type=float,
        help="A share of the pairs. Repeat for more. [default: 1, .5, .25, .1, .05, .02]",
    ),
    click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Draws of each share."),
    click.option(
        "--judge-on",
        type=click.Choice(("val", "test")),
        default="val",
        show_default=True,
        help="The side that judges; in the folder each look at test is written down.",
    ),
    options.more,
    click.option("--jobs", type=int, default=1, show_default=True, help="Fits at a time; -1 is one a core."),
)
_NEXT = (
    click.option(
        "--next",
        "next_count",
        type=click.IntRange(min=1),
        metavar="N",
        help="Only name the N unpaired items of each modality whose text would help most.",
    ),
    click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV file for --next: path, reason, text."),
    click.option("--overwrite", is_flag=True, help="Replace an existing table of --next."),
)


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the budget; goes on if it is there.")
@options.gathered("plan", Plan, *_PLAN)
@options.gathered("wanted", _next, *_NEXT)
@options.encoding
@options.reading
@options.splitting
@options.runtime
@options.as_json
def command(
    pairs: Path,
    output: Path | None,
    plan: Plan,
    wanted: Next | None,
    encoding: Encoding,
    reading: Reading,
    splitting: Splitting,
    runtime: Runtime,
    as_json: bool,
) -> None:
    """How many PAIRS to buy, and which: recall of methods on shares of them, and what more would add."""
    from textanchor.budgeting import budget
    from textanchor.budgeting.plan import METHODS, SHARES
    from textanchor.data.pairs import read_pairs

    if wanted is not None:
        name_next(pairs, wanted, plan, encoding, reading=reading, splitting=splitting, runtime=runtime, as_json=as_json)
        return
    found = budget(
        printing.taken(read_pairs(pairs, split_name=splitting.name, reading=reading)),
        methods=plan.methods or METHODS,
        shares=plan.shares or SHARES,
        seeds=plan.seeds,
        folder=output,
        judge_on=plan.judge_on,
        more=plan.more,
        jobs=plan.jobs,
        anchor=encoding.anchor,
        encoders=encoding.encoders,
        wording=encoding.wording,
        splitting=splitting,
        runtime=runtime,
    )
    show(found, as_json=as_json)


def name_next(
    pairs: Path,
    wanted: Next,
    plan: Plan,
    encoding: Encoding,
    *,
    reading: Reading,
    splitting: Splitting,
    runtime: Runtime,
    as_json: bool,
) -> None:
    """The items whose text would help most; to the table that was named, and stdout."""
    from textanchor.budgeting import next_pairs
    from textanchor.budgeting.choosing import METHOD, write_next
    from textanchor.data.pairs import read_pairs
    from textanchor.files import refuse_existing

    if len(plan.methods) > 1:
        raise click.UsageError(f"--next asks one method which items it knows least about, not {len(plan.methods)}")
    if wanted.place is not None:
        refuse_existing(wanted.place, overwrite=wanted.overwrite)
    table = printing.taken(read_pairs(pairs, split_name=splitting.name, reading=reading))
    found = next_pairs(
        table,
        wanted.count,
        method=(*plan.methods, METHOD)[0],
        anchor=encoding.anchor,
        encoders=encoding.encoders,
        wording=encoding.wording,
        splitting=splitting,
        runtime=runtime,
    )
    if wanted.place is not None:
        write_next(found, table, wanted.place)
    show_next(found, wanted.place, as_json=as_json)


def show_next(found: Sequence[Proposal], place: Path | None, *, as_json: bool) -> None:
    """The items, the best first, and what to do with the table; stdout."""
    rows = [{"path": one.item, "modality": one.modality, "reason": one.reason} for one in found]
    if as_json:
        printing.dump(rows)
        return
    printing.table(rows, title="Items whose text would help most, the best first")
    if place is not None:
        click.echo(f"\nfill in the column text of {place}")


def show(result: Budget, *, as_json: bool) -> None:
    """Tables and the advice; stdout."""
    from textanchor.budgeting.page import joined

    if as_json:
        printing.dump(result.metrics())
        return
    for note in (f"split: {result.facts.split}", *result.facts.notes):
        click.echo(f"note: {note}")
    for why in result.failed:
        printing.say(f"left out: {why}")
    hidden = ("modality", "chance R@1", "seconds", "share")
    for modality in result.advice:
        rows = [joined(row) for row in result.rows() if row["modality"] == modality]
        shown = [{name: value for name, value in row.items() if not name.endswith(hidden)} for row in rows]
        judges = f"{result.facts.sizes[modality]} items of {result.facts.judged}, which no fit has seen"
        printing.table(shown, title=f"{modality}: recall by number of pairs, judged on {judges}")
    printing.table([one.row() for one in result.contrasts], title="Paired differences between methods")
    click.echo("")
    for crossing in result.crossings:
        click.echo(crossing.text)
    click.echo(result.text)
    if result.folder is not None:
        click.echo(f"\nall figures: {result.folder / 'budget.html'}")
