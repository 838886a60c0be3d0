"""`textanchor rerun`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options
from textanchor.runtime import Reading, Runtime


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Keep the repeated space or bench here.")
@click.option("--pairs", type=click.Path(path_type=Path), multiple=True, help="Where the pairs are now. Repeat for several.")
@options.reading
@options.runtime
@click.pass_context
def command(
    context: click.Context,
    folder: Path,
    output: Path | None,
    pairs: tuple[Path, ...],
    reading: Reading,
    runtime: Runtime,
) -> None:
    """Repeat what made FOLDER, a space or a bench, with the settings it holds, and compare. Exit code 1 if it differs."""
    from textanchor.bench.rerun import rerun

    repeat = rerun(folder, output=output, pairs=pairs, reading=reading, runtime=runtime)
    for line in repeat.differences:
        click.echo(f"differs: {line}")
    what = f"{repeat.compared} fits repeated"
    click.echo(f"{what}, all the same" if repeat.same else f"{what}, {len(repeat.differences)} differences")
    if not repeat.same:
        context.exit(1)
