"""`textanchor start`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.space import Fitted, Space


@click.command()
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new space.")
@click.option(
    "--by", default="names", show_default=True, help="names of an encoder's classes, or structure of DATA, also with settings."
)
@options.anchor
@options.encoders
@options.reading
@options.seed
@options.runtime
@options.overwrite
def command(
    data: Path | None,
    output: Path,
    by: str,
    anchor: str | None,
    encoders: dict[str, str],
    reading: Reading,
    seed: int,
    runtime: Runtime,
    overwrite: bool,
) -> None:
    """Make a space without any pair, from the names that an encoder's classifier knows or from structure alone.

    By names, by default for images, by ImageNet's 1000 names. By structure, from DATA: a table or folder whose rows have an
    item without a text, or a text without an item. Where the structure does not say what belongs together there is no space,
    and the exit code is 1. Then search the space, or refine it with pairs: textanchor fit --into.
    """
    from textanchor.files import refuse_existing
    from textanchor.space.starting import start

    refuse_existing(output, overwrite=overwrite)
    space = start(by=by, data=data, encoders=encoders, anchor=anchor, seed=seed, reading=reading, runtime=runtime)
    space.save(output, overwrite=overwrite)
    printing.skipped(space.stories[-1].skipped)
    for modality, fitted in space.modalities.items():
        click.echo(f"{modality}: encoder {fitted.encoder}, {_found(space, modality, fitted)}")
    for remark in space.stories[-1].remarks:
        printing.warn(remark)
    click.echo(f'\nsaved to {output}; next: textanchor search {output} "a dog on a beach" --in FOLDER')


def _found(space: Space, modality: str, fitted: Fitted) -> str:
    """What the space was made of."""

    if space.stories[-1].loose:
        count, notes = space.stories[-1].counts[modality]["train"], fitted.choice.notes
        told = ", ".join(f"{name} {notes[name]}" for name in ("agreement", "agreement by chance"))
        return f"{count.lone_items} items and {count.lone_texts} texts, no pairs; {told}"
    return f"{fitted.projector.settings['classes']} names, no pairs; measure it before you trust it"
