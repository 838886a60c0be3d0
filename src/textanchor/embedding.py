"""A whole collection as vectors of a space, in a Parquet file."""

from __future__ import annotations

from pathlib import Path

from textanchor.errors import InputError, ItemError, NothingUsableError
from textanchor.files import refuse_existing
from textanchor.latents.collections import Count, survey
from textanchor.latents.parquet import vector_table
from textanchor.records import Skipped, first_of
from textanchor.space import Space
from textanchor.space.items import TEXT
from textanchor.space.storage import fingerprint


def embed_collection(
    space: Space,
    source: str | Path,
    output: str | Path,
    *,
    modality: str | None = None,
    view: str | None = None,
    engine: str = "local",
    strict: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> tuple[tuple[Count, ...], tuple[Skipped, ...]]:
    """Embed a folder or table of any modalities into a Parquet file; a count a modality, and what was skipped.

    The file has the columns `item`, `modality`, `path`, `content` (sha256) and `vector`: raw vectors or, with `view`, unit
    vectors as they are compared with that modality. Memory does not grow with the collection, and latents are cached, so an
    interrupted run goes on where it stopped. `modality` is taken for files whose ending says none. Raises `InputError` if
    the output exists (unless `overwrite`), `NothingUsableError` if nothing can be embedded, with `strict` `ItemError` at
    the first bad item.
    """
    place = Path(output).expanduser()
    if place.suffix != ".parquet":
        raise InputError(f"{place}: vectors are written as Parquet; name a file that ends in .parquet")
    if view is not None and view not in (TEXT, *space.kinds):
        raise InputError(f"no view '{view}': the space has {', '.join((TEXT, *space.kinds))}")
    refuse_existing(place, overwrite=overwrite)
    held = survey(source, modality=modality)
    skipped, counts = list(held.skipped), []
    if strict and skipped:
        raise ItemError(skipped[0].item, skipped[0].reason)
    facts = {"anchor": space.anchor, "space": fingerprint(space), "view": view or "raw"}
    with vector_table(place, dim=space.dim, overwrite=overwrite, facts=facts) as table:
        for kind, total in held.counts.items():
            own = TEXT if kind == "document" and kind not in space.modalities else kind
            if own not in (TEXT, *space.kinds):
                skipped += [Skipped(item=item.id, reason=f"the space has no modality '{kind}'") for item in held.items(kind)]
                continue
            new = space.prefill(held.items(kind), own, engine=engine, progress=progress)
            cached, gone = -new, 0
            for part in space.stream(held.items(kind), own, total=total, strict=strict, progress=progress):
                vectors = space.compared(part.vectors, own, view) if view else part.vectors
                table.add(part.items, part.contents, vectors)
                new, cached, gone = new + part.new, cached + part.cached, gone + len(part.skipped)
                skipped += part.skipped
            counts.append(Count(modality=kind, encoded=new, cached=cached, skipped=gone))
        if not table.rows:
            raise NothingUsableError(f"nothing of {source} could be embedded{first_of(skipped)}")
    return tuple(counts), tuple(skipped)
