"""`textanchor rerun`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Keep the repeated space or bench here.")
@click.option("--pairs", type=click.Path(path_type=Path), help="Where the pairs are now.")
@options.modality
@options.cache
@options.device
@options.reading
@click.pass_context
def command(
    context: click.Context,
    folder: Path,
    output: Path | None,
    pairs: Path | None,
    modality: str | None,
    cache: Path | None,
    device: str,
) -> None:
    """Repeat what made FOLDER, a space or a bench, with the settings it holds, and compare. Exit code 1 if it differs."""
    from textanchor.bench.rerun import rerun

    found = rerun(folder, output=output, pairs=pairs, modality=modality, cache=cache, device=device, progress=True)
    for line in found.differences:
        click.echo(f"differs: {line}")
    what = f"{found.compared} fits repeated"
    click.echo(f"{what}, all the same" if found.same else f"{what}, {len(found.differences)} differences")
    if not found.same:
        context.exit(1)
