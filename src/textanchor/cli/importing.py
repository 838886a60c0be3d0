"""`textanchor import`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from textanchor.cli import options, printing
from textanchor.cli.fit import summary
from textanchor.runtime import Runtime, Splitting


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the rows of a file of vectors are: their texts, their name, who made them, and in which column they stand."""

    texts: Path | None
    modality: str
    made_by: str
    vector_column: str | None


_ROWS = (
    click.option("--texts", type=click.Path(path_type=Path), help="Texts of the rows: a table, or a file with a line a row."),
    click.option("--modality", default="vectors", show_default=True, help="What the vectors are called in the space."),
    click.option("--made-by", default="", help="Who made the vectors; those of another model are told apart by it."),
    click.option("--vector-column", help="Column of vectors in a Parquet file. [default: vector, embedding, ...]"),
)


@click.command("import")
@click.argument("source")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the new space.")
@options.gathered("rows", Rows, *_ROWS)
@click.option("--into", type=click.Path(path_type=Path), help="Add to a copy of this space.")
@options.anchor
@click.option("--aligner", default="auto", show_default=True, help="How to fit: a name, or a call with settings; auto chooses.")
@options.splitting
@options.runtime
@options.overwrite
def command(
    source: str,
    output: Path,
    rows: Rows,
    into: Path | None,
    anchor: str | None,
    aligner: str,
    splitting: Splitting,
    runtime: Runtime,
    overwrite: bool,
) -> None:
    """Make a space from vectors made elsewhere, or fetch one that was pushed.

    SOURCE is an .npy file of vectors [rows, dimensions], a Parquet file with a column of vectors (and of texts), or else
    a folder or a repository of the Hugging Face hub that `export --to hub` made: `user/name`.
    """
    from textanchor.files import refuse_existing

    refuse_existing(output, overwrite=overwrite)
    if Path(source).suffix.lower() not in (".npy", ".parquet"):
        if rows.texts or rows.made_by or rows.vector_column or into:
            raise click.UsageError(f"{source} is no file of vectors (.npy, .parquet), so it is fetched as a space, as it is")
        from textanchor.interop.hub import pull

        pull(source, output, overwrite=overwrite, runtime=runtime)
        click.echo(f'saved to {output}; next: textanchor search {output} "a dog on a beach" --in FOLDER')
        return
    from textanchor.interop.aligning import align
    from textanchor.interop.vector_files import read_vectors
    from textanchor.space.storage import load

    held = read_vectors(source, rows.texts, column=rows.vector_column, limits=runtime.limits)
    space = align(
        held.vectors,
        held.texts,
        modality=rows.modality,
        groups=held.groups,
        sides=held.sides,
        names=held.names,
        source=rows.made_by,
        anchor=anchor,
        aligner=aligner,
        into=load(into, runtime=runtime) if into else None,
        splitting=splitting,
        runtime=runtime,
    )
    space.save(output, overwrite=overwrite)
    summary(space)
    for remark in space.stories[-1].remarks:
        printing.warn(remark)
    click.echo(f"\nsaved to {output}; its {rows.modality} items are arrays of {held.vectors.shape[1]} numbers")
