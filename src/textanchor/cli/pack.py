"""`textanchor pack`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options, printing
from textanchor.runtime import Runtime


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the packed space.")
@options.encoders
@options.runtime_without("engine", "workers", "pixels", "seconds", "numbers", "strict", "cache")
@options.overwrite
def command(space: Path, output: Path, encoders: dict[str, str], runtime: Runtime, overwrite: bool) -> None:
    """Copy SPACE with the files of all its encoders into one folder, for a machine without a cache and without a network.

    The folder is used like any space. Its encoders lie in it, so it is not written over: fit --into it with -o.
    """
    from textanchor.interop.packing import pack
    from textanchor.space.storage import load

    packed = pack(load(space, encoders=encoders, runtime=runtime), output, overwrite=overwrite)
    printing.table([{"modality": name, "MB": round(size / 1e6, 1)} for name, size in packed.sizes.items()])
    for need in packed.needs:
        printing.say(f"also needed there: {need}")
    click.echo(f"\nsaved to {output}; where textanchor is installed, it needs nothing else")
