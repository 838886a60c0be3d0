"""`textanchor search`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options, printing
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.records import Hit


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is searched for, as typed: a sentence or the name of a file, `force` saying which; and the file's modality."""

    query: str
    force: str | None
    query_modality: str | None

    def understood(self) -> str | Path:
        """The sentence or the file. Raises `InputError` for a file that is not there, or nothing."""
        from textanchor.data.readers import guess_modality

        file = located(self.query)
        if self.force == "file" and not file.is_file():
            raise InputError(f"no file {self.query}; without --file it is searched as a sentence")
        if self.force == "file" or (self.force is None and _is_file(file)):
            return file
        if not self.query.strip():
            raise InputError("the query is empty; give a sentence or a file")
        if guess_modality(file):
            printing.say(f"no file {self.query}: it is searched as a sentence")
        return self.query


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """What is searched, and what searches it."""

    collection: Path
    index: str


_GALLERY = (
    click.option("--in", "collection", required=True, type=click.Path(path_type=Path), help="Folder or table to search."),
    click.option(
        "--index", default="exact", show_default=True, help="What searches, such as faiss or 'faiss(kind=hnsw, links=16)'."
    ),
)
_QUERY = (
    click.argument("query"),
    click.option("--text", "force", flag_value="text", help="QUERY is a sentence even if a file has that name."),
    click.option("--file", "force", flag_value="file", help="QUERY is a file; it is an error if there is none."),
    click.option("--query-modality", help="Modality of the query file, where its ending does not say."),
)


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@options.gathered("query", Query, *_QUERY)
@options.gathered("gallery", Gallery, *_GALLERY)
@click.option("--modality", help="Only hits of this modality (text: the texts of the table).")
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="Number of hits.")
@options.reading_of_hits
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with the hits' pictures and sounds, one file.")
@options.encoders
@options.runtime
@options.overwrite
@options.as_json
def command(
    space: Path,
    query: Query,
    gallery: Gallery,
    modality: str | None,
    k: int,
    reading: Reading,
    html: Path | None,
    encoders: dict[str, str],
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Find what is nearest to QUERY, a sentence or a file of any modality, in a folder or table of any modalities.

    QUERY is a file if such a file exists. A list of several modalities is ordered by `standard`, the score in standard
    deviations above that of random training pairs of the two modalities.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read with torch: waiting threads would spin for one query
    from textanchor.collections import build_index, search
    from textanchor.files import refuse_existing
    from textanchor.space.storage import load

    if html:
        refuse_existing(html, overwrite=overwrite)
    understood = query.understood()
    opened = load(space, encoders=encoders, runtime=runtime)
    built = build_index(
        opened, gallery.collection, texts=modality == "text", modality=modality, backend=gallery.index, reading=reading
    )
    printing.skipped(built.skipped)
    told = query.query_modality or ("text" if isinstance(understood, str) else None)
    hits = search(opened, understood, built, k=k, modality=modality, query_modality=told)
    rows = [_row(hit) for hit in hits]
    if as_json:
        printing.dump([{**row, "path": str(hit.path) if hit.path else None} for row, hit in zip(rows, hits, strict=True)])
    else:
        printing.table(rows)
    if html:
        from textanchor.collections.page import write_hits

        write_hits(
            html,
            built,
            [(understood, hits)],
            place=str(gallery.collection),
            query_modality=query.query_modality,
            limits=runtime.limits,
            overwrite=overwrite,
        )
        printing.say(f"page: {html}")


def _row(hit: Hit) -> dict[str, Any]:
    standard = {} if hit.standard is None else {"standard": hit.standard}
    return {"rank": hit.rank, "score": hit.score, **standard, "modality": hit.modality, "item": hit.id}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long sentence is no file name
        return False
