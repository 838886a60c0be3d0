"""`textanchor bench`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options, printing
from textanchor.config import DEFAULT_ANCHOR
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.bench import Board
    from textanchor.bench.plan import Grid
    from textanchor.data.wording import Wording


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a bench goes: how methods are tuned and with which compared, what is judged on test, how many fits at a time."""

    trials: int
    baseline: str | None
    test: str
    jobs: int


def _many(name: str, several: str, text: str) -> options.Decorator:
    return click.option(f"--{name}", several, multiple=True, help=f"{text} Repeat to compare.")


def _grid(*, anchors: tuple[str, ...], **choices: Any) -> Any:
    from textanchor.bench.plan import Grid

    return Grid(anchors=anchors or (DEFAULT_ANCHOR,), **choices)


_GRID = (
    _many("aligner", "aligners", "An aligner, such as cca or 'ridge(view=whitening)'. [default: auto]"),
    _many("loss", "losses", "A loss for gradient training, such as 'info-nce(temperature=0.05)'."),
    _many("projector", "projectors", "A projector for gradient training, such as residual-mlp."),
    _many("view", "views", "A view, set on every aligner that names none."),
    _many("hubness", "hubness", "A correction of hubness: none, csls, dis, nnn."),
    _many("anchor", "anchors", "A text model. [default: all-MiniLM-L6-v2, installed]"),
    click.option(
        "--encoder",
        "encoders",
        multiple=True,
        metavar="MODALITY=NAME",
        callback=lambda _context, _option, values: options.several_encoders(values),
        help="Encoder of a modality. Repeat with one modality to compare encoders or layers.",
    ),
    click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each method."),
)
_COURSE = (
    click.option(
        "--trials", type=click.IntRange(min=0), default=0, help="Tune each method with so many Optuna trials, on validation."
    ),
    click.option("--baseline", help="Method that the others are compared with, query by query."),
    click.option(
        "--test",
        type=click.Choice(("none", "winner", "all")),
        default="none",
        show_default=True,
        help="What to judge on test: the winner by validation and the baseline, or all; each look is counted.",
    ),
    click.option("--jobs", type=int, default=1, show_default=True, help="Fits at a time; -1 is one a core."),
)


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the bench; goes on if it is there."
)
@options.gathered("grid", _grid, *_GRID)
@click.option("--shared-view", is_flag=True, help="Views take their statistics from the texts of all modalities.")
@options.reading
@options.gathered("course", Course, *_COURSE)
@options.wording
@options.splitting
@options.runtime
@options.as_json
def command(
    pairs: Path,
    output: Path,
    grid: Grid,
    shared_view: bool,
    reading: Reading,
    course: Course,
    wording: Wording,
    splitting: Splitting,
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Compare ways of fitting PAIRS on the same cached latents: one row a method, chosen on validation."""
    from textanchor.bench import compare
    from textanchor.data.pairs import read_pairs

    board = compare(
        printing.taken(read_pairs(pairs, split_name=splitting.name, reading=reading)),
        output,
        grid,
        baseline=course.baseline,
        trials=course.trials,
        test=course.test,
        jobs=course.jobs,
        shared_view=shared_view,
        wording=wording,
        splitting=splitting,
        runtime=runtime,
    )
    show(board, as_json=as_json)


def show(board: Board, *, as_json: bool) -> None:
    """The leaderboard; stdout."""
    from textanchor.bench.board import brief, table

    if as_json:
        tables = {"validation": table(board.validation), "test": table(board.test)}
        printing.dump({**tables, "test reads": board.reads, "failed": list(board.failed)})
        return
    for note in (f"split: {board.facts.split}", *board.facts.notes):
        click.echo(f"note: {note}")
    for why in board.failed:
        click.echo(f"left out: {why}", err=True)
    printing.table(brief(board.validation), title="Validation (fitted on train)")
    printing.table(brief(board.test), title="Test (fitted on train and validation)")
    times = "once" if board.reads == 1 else f"{board.reads} times"
    click.echo(
        f"\ntest was read {times if board.reads else 'never'} in {board.folder}; all figures: {board.folder / 'board.html'}"
    )
