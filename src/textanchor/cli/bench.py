"""`textanchor bench`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from textanchor.cli import options, printing


def _many(name: str, several: str, text: str) -> Callable[[options.Command], options.Command]:
    return click.option(f"--{name}", several, multiple=True, help=f"{text} Repeat to compare.")


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the bench; goes on if it is there."
)
@_many("aligner", "aligners", "An aligner, such as cca or 'ridge(view=whitening)'. [default: auto]")
@_many("loss", "losses", "A loss for gradient training, such as 'info-nce(temperature=0.05)'.")
@_many("projector", "projectors", "A projector for gradient training, such as residual-mlp.")
@_many("view", "views", "A view, set on every aligner that names none.")
@_many("hubness", "hubness", "A correction of hubness: none, csls, dis, nnn.")
@_many("anchor", "anchors", "A text model. [default: all-MiniLM-L6-v2, installed]")
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    metavar="MODALITY=NAME",
    callback=lambda _context, _option, values: options.several(values),
    help="Encoder of a modality. Repeat with one modality to compare encoders or layers.",
)
@options.modality
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each method.")
@click.option(
    "--trials", type=click.IntRange(min=0), default=0, help="Tune each method with so many Optuna trials, on validation."
)
@click.option("--baseline", help="Method that the others are compared with, query by query.")
@click.option(
    "--test",
    type=click.Choice(("none", "winner", "all")),
    default="none",
    show_default=True,
    help="What to judge on test: the winner by validation and the baseline, or all; each look is counted.",
)
@click.option("--jobs", type=int, default=1, show_default=True, help="Fits at a time; -1 is one a core.")
@options.wording
@options.splitting
@options.seed
@options.cache
@options.device
@options.reading
@options.as_json
def command(
    pairs: Path,
    output: Path,
    aligners: tuple[str, ...],
    losses: tuple[str, ...],
    projectors: tuple[str, ...],
    views: tuple[str, ...],
    hubness: tuple[str, ...],
    anchors: tuple[str, ...],
    encoders: dict[str, list[str]],
    modality: str | None,
    seeds: int,
    trials: int,
    baseline: str | None,
    test: str,
    jobs: int,
    templates: dict[str, list[str]],
    synonyms: Path | None,
    fractions: str,
    resplit: bool,
    split_name: str | None,
    seed: int,
    cache: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Compare ways of fitting PAIRS on the same cached latents: one row a method, chosen on validation."""
    from textanchor.bench import compare
    from textanchor.bench.plan import Grid
    from textanchor.config import DEFAULT_ANCHOR
    from textanchor.data.pairs import read_pairs
    from textanchor.data.wording import wording

    grid = Grid(
        aligners=aligners,
        losses=losses,
        projectors=projectors,
        views=views,
        hubness=hubness,
        anchors=anchors or (DEFAULT_ANCHOR,),
        encoders=encoders,
        seeds=seeds,
    )
    board = compare(
        read_pairs(pairs, split_name=split_name, modality=modality),
        output,
        grid,
        baseline=baseline,
        trials=trials,
        test=test,
        jobs=jobs,
        split_seed=seed,
        fractions=options.shares(fractions),
        resplit=resplit,
        wording=wording(templates, synonyms),
        cache=cache,
        device=device,
        progress=True,
    )
    show(board, as_json=as_json)


def show(board: Any, *, as_json: bool) -> None:
    """The leaderboard; stdout."""
    from textanchor.bench.board import brief, table

    if as_json:
        held = {"validation": table(board.validation), "test": table(board.test)}
        printing.dump({**held, "test reads": board.reads, "failed": list(board.failed)})
        return
    for note in (f"split: {board.facts['split']}", *board.facts["notes"]):
        click.echo(f"note: {note}")
    for why in board.failed:
        click.echo(f"left out: {why}", err=True)
    printing.table(brief(board.validation), title="Validation (fitted on train)")
    printing.table(brief(board.test), title="Test (fitted on train and validation)")
    times = "once" if board.reads == 1 else f"{board.reads} times"
    click.echo(
        f"\ntest was read {times if board.reads else 'never'} in {board.folder}; all figures: {board.folder / 'board.html'}"
    )
