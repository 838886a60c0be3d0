"""`textanchor search`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options, printing


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.argument("query")
@click.option("--in", "collection", required=True, type=click.Path(path_type=Path), help="Folder or table to search.")
@click.option("--text", "force", flag_value="text", help="QUERY is a sentence even if a file has that name.")
@click.option("--file", "force", flag_value="file", help="QUERY is a file; it is an error if there is none.")
@click.option("--query-modality", help="Modality of the query file, where its ending does not say.")
@click.option("--modality", help="Only hits of this modality (text: the texts of the table).")
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="Number of hits.")
@options.encoders
@options.reading
@options.cache
@options.device
@options.strict
@options.as_json
def command(
    space: Path,
    query: str,
    collection: Path,
    force: str | None,
    query_modality: str | None,
    modality: str | None,
    k: int,
    encoders: dict[str, str],
    cache: Path | None,
    device: str,
    strict: bool,
    as_json: bool,
) -> None:
    """Find what is nearest to QUERY, a sentence or a file of any modality, in a folder or table of any modalities.

    QUERY is a file if such a file exists. A list of several modalities is ordered by `standard`, the score in standard
    deviations above that of random training pairs of the two modalities.
    """
    from textanchor.data.readers import guess_modality
    from textanchor.errors import InputError
    from textanchor.index import build_index
    from textanchor.searching import search
    from textanchor.space.storage import load

    file = Path(query).expanduser()
    if force == "file" and not file.is_file():
        raise InputError(f"no file {query}; without --file it is searched as a sentence")
    asked = file if force == "file" or (force is None and _is_file(file)) else query
    if isinstance(asked, str) and not asked.strip():
        raise InputError("the query is empty; give a sentence or a file")
    if asked is query and guess_modality(file):
        printing.say(f"no file {query}: it is searched as a sentence")
    held = load(space, encoders=encoders, cache=cache, device=device)
    index = build_index(held, collection, texts=modality == "text", modality=modality, strict=strict, progress=True)
    printing.skipped(index.skipped)
    hits = search(held, asked, index, k=k, modality=modality, query_modality=query_modality)
    rows = [
        {"rank": hit.rank, "score": hit.score}
        | ({} if hit.standard is None else {"standard": hit.standard})
        | {"modality": hit.modality, "item": hit.id}
        for hit in hits
    ]
    if as_json:
        printing.dump([{**row, "path": str(hit.path) if hit.path else None} for row, hit in zip(rows, hits, strict=True)])
    else:
        printing.table(rows)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long sentence is no file name
        return False
