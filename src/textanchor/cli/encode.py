"""`textanchor encode`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime


@click.command()
@click.argument("collection", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for Parquet files, one a latent. [default: none]")
@options.encoders
@options.reading_of_items
@options.runtime
@options.overwrite
@options.as_json
def command(
    collection: Path,
    output: Path | None,
    encoders: dict[str, str],
    reading: Reading,
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Encode COLLECTION, a folder or table, into the cache: each item once, whatever is fitted on it later.

    An encoder may keep several layers and poolings of one pass (layer=all,pool=mean+cls), or tokens (pool=none).
    """
    from textanchor.collections import encode_collection

    tallies, skipped = encode_collection(
        collection,
        encoders=encoders,
        reading=reading,
        output=output,
        overwrite=overwrite,
        announce=printing.say,
        runtime=runtime,
    )
    printing.skipped(skipped)
    if as_json:
        printing.dump({"counts": [asdict(tally) for tally in tallies], "skipped": [asdict(one) for one in skipped]})
        return
    printing.tallies(tallies, skipped)
    latents = [
        {"modality": tally.modality, "latent": out.name or "-", "dim": out.dim, "tokens": "yes" if out.ragged else "no",
         "fingerprint": out.fingerprint[:12]}
        for tally in tallies for out in tally.outputs
    ]  # fmt: skip
    printing.table(latents, title="Latents in the cache")
    if output:
        click.echo(f"\nwrote {output}")
