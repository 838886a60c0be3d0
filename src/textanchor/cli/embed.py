"""`textanchor embed`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from textanchor.cli import options, printing


@click.command()
@click.argument("collection", type=click.Path(path_type=Path))
@click.option("--space", required=True, type=click.Path(path_type=Path), help="Space to embed into.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Parquet file to write.")
@click.option("--view", help="Unit vectors as they are compared with this modality. [default: raw vectors]")
@options.modality
@options.encoders
@options.encoding
@options.as_json
def command(
    collection: Path,
    space: Path,
    output: Path,
    view: str | None,
    modality: str | None,
    encoders: dict[str, str],
    cache: Path | None,
    device: str,
    engine: str,
    strict: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Embed COLLECTION, a folder or table of images, sounds, videos, texts and what else the space has, into a Parquet file.

    Interrupted, it goes on where it stopped when it is called again.
    """
    from textanchor.embedding import embed_collection
    from textanchor.space.storage import load

    held = load(space, encoders=encoders, cache=cache, device=device)
    counts, skipped = embed_collection(
        held,
        collection,
        output,
        modality=modality,
        view=view,
        engine=engine,
        strict=strict,
        overwrite=overwrite,
        progress=True,
    )
    printing.skipped(skipped)
    if as_json:
        told = [{key: value for key, value in asdict(one).items() if key != "outputs"} for one in counts]
        printing.dump({"output": str(output), "counts": told, "skipped": [asdict(one) for one in skipped]})
    else:
        printing.counts(counts, skipped)
        click.echo(f"\nwrote {output}: {sum(one.encoded + one.cached for one in counts)} vectors")
