"""`textanchor embed`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime


@click.command()
@click.argument("collection", type=click.Path(path_type=Path))
@click.option("--space", required=True, type=click.Path(path_type=Path), help="Space to embed into.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Parquet file to write.")
@click.option(
    "--compared-with",
    metavar="MODALITY",
    help="Unit vectors as they are compared with this modality. [default: raw vectors]",
)
@options.reading_of_items
@options.encoders
@options.runtime
@options.overwrite
@options.as_json
def command(
    collection: Path,
    space: Path,
    output: Path,
    compared_with: str | None,
    reading: Reading,
    encoders: dict[str, str],
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Embed COLLECTION, a folder or table of images, sounds, videos, texts and what else the space has, into a Parquet file.

    Interrupted, it goes on where it stopped when it is called again.
    """
    from textanchor.collections import embed_collection
    from textanchor.space.storage import load

    tallies, skipped = embed_collection(
        load(space, encoders=encoders, runtime=runtime),
        collection,
        output,
        reading=reading,
        compared_with=compared_with,
        overwrite=overwrite,
        runtime=runtime,
    )
    printing.skipped(skipped)
    if as_json:
        counts = [{key: value for key, value in asdict(tally).items() if key != "outputs"} for tally in tallies]
        printing.dump({"output": str(output), "counts": counts, "skipped": [asdict(one) for one in skipped]})
    else:
        printing.tallies(tallies, skipped)
        click.echo(f"\nwrote {output}: {sum(tally.usable for tally in tallies)} vectors")
