"""A whole collection as vectors of a space, in a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack

from textanchor.collections.streaming import Course, run_through
from textanchor.collections.surveying import survey
from textanchor.collections.tables import vector_table
from textanchor.collections.taking import own_modality
from textanchor.collections.tally import Tally
from textanchor.errors import InputError, ItemError, NothingUsableError
from textanchor.files import located, refuse_existing
from textanchor.latents.engine import Chunk
from textanchor.records import Item, Pooled, Skipped, first_of
from textanchor.runtime import Reading, Runtime, Simple, settled
from textanchor.space import TEXT, Space
from textanchor.space.storage import fingerprint


def embed_collection(
    space: Space,
    source: str | Path,
    output: str | Path,
    *,
    modality: str | None = None,
    reading: Reading | None = None,
    compared_with: str | None = None,
    overwrite: bool = False,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> tuple[tuple[Tally, ...], tuple[Skipped, ...]]:
    """Embed a folder or table of any modalities into a Parquet file; a tally a modality, and what was skipped.

    The file has the columns `item`, `modality`, `path`, `content` (sha256) and `vector`: raw vectors or, with `compared_with`,
    unit vectors as they are compared with that modality. Memory does not grow with the collection, and latents are cached, so
    that an interrupted run goes on where it stopped. `modality` is taken for files whose ending says none; `reading` says what
    is read, as for `read_pairs`, and restricts. Raises `InputError` if the output exists (unless `overwrite`),
    `NothingUsableError` if nothing can be embedded, with `strict` `ItemError` at the first bad item. The encoders are the
    space's, on its device; all else is as the runtime says.
    """
    how = settled(runtime or space.runtime, simple)
    place = located(output)
    _check(space, place, compared_with)
    refuse_existing(place, overwrite=overwrite)
    contents = survey(source, modality=modality, reading=reading)
    if how.strict and contents.skipped:
        raise ItemError(contents.skipped[0].item, contents.skipped[0].reason)
    own = {kind: own for kind in contents.counts if (own := own_modality(space, kind)) is not None}
    tallies = {kind: Tally(modality=kind) for kind in own}
    for kind in own:
        beforehand = space.prefill(contents.items(kind), own[kind], runtime=how)
        tallies[kind] = tallies[kind].plus(encoded=beforehand, cached=-beforehand)

    def vectors(items: Sequence[Item], kind: str, runtime: Runtime) -> Iterator[Chunk]:
        return _vectors(space, items, own[kind], compared_with, runtime)

    facts = {"anchor": space.anchor, "space": fingerprint(space), "view": compared_with or "raw"}
    with vector_table(place, dim=space.dim, overwrite=overwrite, facts=facts) as table:
        course = Course(
            source=vectors,
            tables={kind: [table] for kind in own},
            refused={kind: f"the space has no modality '{kind}'" for kind in contents.counts if kind not in own},
        )
        tallies, skipped = run_through(contents, course, tallies, how)
        skipped = [*contents.skipped, *skipped]
        if not table.rows:
            raise NothingUsableError(f"nothing of {source} could be embedded{first_of(skipped)}")
    return tuple(tallies.values()), tuple(skipped)


def _check(space: Space, place: Path, compared_with: str | None) -> None:
    """Raises `InputError` for what cannot be written or compared."""
    if place.suffix != ".parquet":
        raise InputError(f"{place}: vectors are written as Parquet; name a file that ends in .parquet")
    if compared_with is not None and compared_with not in (TEXT, *space.kinds):
        raise InputError(f"no modality '{compared_with}' to compare with: the space has {', '.join((TEXT, *space.kinds))}")


def _vectors(
    space: Space, items: Sequence[Item], modality: str, compared_with: str | None, runtime: Runtime
) -> Iterator[Chunk]:
    for embedded in space.stream(items, modality, total=len(items), runtime=runtime):
        vectors = embedded.vectors
        if compared_with is not None:
            vectors = space.geometry.between(modality, compared_with).query_unit(vectors)
        latents = Pooled(
            vectors=vectors,
            ids=tuple(item.id for item in embedded.items),
            contents=embedded.contents,
            fingerprint=space.latent_fingerprint(modality),
        )
        yield Chunk(
            latents=(latents,), items=embedded.items, skipped=embedded.skipped, cached=embedded.cached, new=embedded.new
        )
