"""`textanchor samples`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options


@click.command()
@click.argument("name", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write. [default: the sample's name]")
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the raw data sets, where a sample needs one.")
@click.option("--speaker", help="mnist-fsdd: hold out this speaker instead of the official test part.")
@options.seed
@options.overwrite
def command(name: str | None, output: Path | None, root: Path | None, speaker: str | None, seed: int, overwrite: bool) -> None:
    """Write the sample set NAME as a folder with pairs.csv; without NAME, list them."""
    from textanchor.data.samples import write_sample
    from textanchor.registry import names

    if name is None:
        click.echo("\n".join(names("sample")))
        return
    told = {"root": root, "speaker": speaker, "seed": seed if seed else None}
    folder = write_sample(
        name, output or Path(name), overwrite=overwrite, **{key: value for key, value in told.items() if value is not None}
    )
    click.echo(f"wrote {folder / 'pairs.csv'}; next: textanchor fit {folder} -o space")
