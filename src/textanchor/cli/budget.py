"""`textanchor budget`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.budgeting import Budget
    from textanchor.records import Pairs
    from textanchor.space.preparing import Encoding


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured: methods, shares of the pairs, seeds, the side that judges, and further pairs to extrapolate to."""

    methods: tuple[str, ...]
    shares: tuple[float, ...]
    seeds: int
    judge_on: str
    more: int

    def said(self) -> dict[str, Any]:
        """What is not left to the defaults."""
        return {name: value for name, value in vars(self).items() if value != ()}


@dataclass(frozen=True, kw_only=True)
class Next:
    """How many items to name, and the table to write them to."""

    count: int
    place: Path | None


def _next(*, next_count: int | None, out: Path | None) -> Next | None:
    if next_count is None and out is not None:
        raise click.UsageError("--out names the table of --next N; say how many")
    return None if next_count is None else Next(count=next_count, place=out)


_PLAN = (
    click.option(
        "--method", "methods", multiple=True, help="An aligner. Repeat to compare. [default: auto, kernel-cca, soft-pairs]"
    ),
    click.option(
        "--share",
        "shares",
        multiple=True,
        type=float,
        help="A share of the pairs. Repeat for more. [default: 1, .5, .25, .1, .05, .02]",
    ),
    click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Draws of each share."),
    click.option(
        "--judge-on", type=click.Choice(("val", "test")), default="val", show_default=True, help="The side that judges."
    ),
    click.option("--more", type=click.IntRange(min=1), default=300, show_default=True, help="Further pairs to extrapolate to."),
)
_NEXT = (
    click.option(
        "--next",
        "next_count",
        type=click.IntRange(min=1),
        metavar="N",
        help="Only name the N unpaired items whose text would help most.",
    ),
    click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV file for --next: path, reason, text."),
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
    from textanchor.data.pairs import read_pairs

    table = printing.taken(read_pairs(pairs, split_name=splitting.name, reading=reading))
    models: dict[str, Any] = {"anchor": encoding.anchor, "encoders": encoding.encoders, "wording": encoding.wording}
    work: dict[str, Any] = {"splitting": splitting, "runtime": runtime}
    if wanted is not None:
        name_next(table, wanted, as_json=as_json, **models, **work)
    else:
        show(budget(table, folder=output, **plan.said(), **models, **work), as_json=as_json)


def name_next(table: Pairs, wanted: Next, *, as_json: bool, **settings: Any) -> None:
    """The items whose text would help most; to the table that was named, and stdout."""
    from textanchor.budgeting import next_pairs
    from textanchor.budgeting.choosing import write_next

    found = next_pairs(table, wanted.count, **settings)
    if wanted.place is not None:
        write_next(found, table, wanted.place)
    rows = [{"path": one.item, "modality": one.modality, "reason": one.reason} for one in found]
    if as_json:
        printing.dump(rows)
        return
    printing.table(rows, title="Items whose text would help most, the best first")
    if wanted.place is not None:
        click.echo(f"\nfill in the column text of {wanted.place}")


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
    hidden = ("chance R@1", "seconds", "share")
    rows = [{key: value for key, value in joined(row).items() if not key.endswith(hidden)} for row in result.rows()]
    printing.table(rows, title=f"Recall by number of pairs (judged on {result.facts.judged}, which no fit has seen)")
    printing.table([one.row() for one in result.contrasts], title="Paired differences between methods")
    click.echo("")
    for crossing in result.crossings:
        click.echo(crossing.text)
    click.echo(result.text)
    if result.folder is not None:
        click.echo(f"\nall figures: {result.folder / 'budget.html'}")
