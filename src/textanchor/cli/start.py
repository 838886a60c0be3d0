"""`textanchor start`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from textanchor.cli import options
from textanchor.runtime import Runtime


@click.command()
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new space.")
@options.anchor
@options.encoders
@options.runtime
@options.overwrite
def command(output: Path, anchor: str | None, encoders: dict[str, str], runtime: Runtime, overwrite: bool) -> None:
    """Make a space without any pair, from the names that an encoder's classifier knows.

    By default for images, by ImageNet's 1000 names. Then search it, or refine it with pairs: textanchor fit --into.
    """
    from textanchor.files import refuse_existing
    from textanchor.projectors import Projector
    from textanchor.space.starting import start

    refuse_existing(output, overwrite=overwrite)
    space = start(encoders=encoders, anchor=anchor, runtime=runtime)
    space.save(output, overwrite=overwrite)
    for modality, fitted in space.modalities.items():
        known = cast(Projector, fitted.projector).settings["classes"]
        click.echo(f"{modality}: encoder {fitted.encoder}, {known} names, no pairs; measure it before you trust it")
    click.echo(f'\nsaved to {output}; next: textanchor search {output} "a dog on a beach" --in FOLDER')
