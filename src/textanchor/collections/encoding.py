"""A whole collection from raw files to latents in the cache, and on request to Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Unpack

from textanchor.collections.streaming import Course, run_through
from textanchor.collections.surveying import Survey, survey
from textanchor.collections.tables import VectorTable, vector_table
from textanchor.collections.tally import Tally
from textanchor.data.readers import PartReader, reader
from textanchor.encoders import Encoder, make, outputs
from textanchor.errors import InputError, NothingUsableError
from textanchor.files import located, refuse_existing
from textanchor.latents.engine import Chunk, stream
from textanchor.latents.ray_engine import prefill
from textanchor.records import Item, Ragged, Skipped, first_of
from textanchor.runtime import Reading, Runtime, Simple, settled


def encode_collection(
    source: str | Path,
    *,
    encoders: Mapping[str, str] | None = None,
    modality: str | None = None,
    reading: Reading | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    announce: Callable[[str], None] | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> tuple[tuple[Tally, ...], tuple[Skipped, ...]]:
    """Encode all items of a folder or table into the cache; a tally a modality, and what was skipped.

    `modality` is taken for files whose ending says none; `reading` says what is read, as for `read_pairs`, and restricts.
    `announce` is told how much tokens will take before they are encoded. `encoders` maps modalities to encoder names, which
    may ask for several layers and poolings of one pass. With `output`, a folder, each of them is written as `<modality>[
    <output's name>].parquet`. Raises what `make` and `iterate_collection` raise; with `strict` `ItemError` for the first item
    that cannot be read.
    """
    how = settled(runtime, simple)
    contents = survey(source, modality=modality, reading=reading)
    names = _names(contents, encoders or {})
    folder = located(output) if output is not None else None
    if folder is not None:
        refuse_existing(folder, overwrite=overwrite)
    made = {kind: make(name, kind, how) for kind, name in names.items()}
    if announce:
        for line in _sizes_of_tokens(contents, made, how):
            announce(line)
    tallies = {kind: Tally(modality=kind, outputs=outputs(encoder)) for kind, encoder in made.items()}
    for kind, name in names.items():
        beforehand = prefill(contents.items(kind), name, kind, how)
        tallies[kind] = tallies[kind].plus(encoded=beforehand, cached=-beforehand)

    def latents(items: Sequence[Item], kind: str, runtime: Runtime) -> Iterable[Chunk]:
        return stream(items, made[kind], runtime)

    with ExitStack() as files:
        course = Course(
            source=latents,
            tables={kind: _tables(encoder, folder, files, overwrite=overwrite) for kind, encoder in made.items()},
            refused={kind: f"{kind} is embedded by a space, part by part" for kind in contents.counts if kind not in made},
        )
        tallies, skipped = run_through(contents, course, tallies, how)
        skipped = [*contents.skipped, *skipped]
        if not any(tally.usable for tally in tallies.values()):
            raise NothingUsableError(f"nothing of {source} could be encoded{first_of(skipped)}")
    return tuple(tallies.values()), tuple(skipped)


def _names(contents: Survey, given: Mapping[str, str]) -> dict[str, str]:
    """An encoder's name for each modality that has encoders. Raises `InputError` for a modality that is not there."""
    for modality in given:
        if modality not in contents.counts:
            raise InputError(f"--encoder {modality}=...: the collection holds {', '.join(contents.counts)}, no {modality}")
    whole = [modality for modality in contents.counts if not isinstance(reader(modality), PartReader)]
    return {modality: given.get(modality) or reader(modality).default_encoder for modality in whole}


def _sizes_of_tokens(contents: Survey, encoders: Mapping[str, Encoder], runtime: Runtime) -> list[str]:
    """What tokens of all items will take, by the first item of each modality that keeps them."""
    ragged = [kind for kind, encoder in encoders.items() if any(out.ragged for out in outputs(encoder))]
    return [_size_of_tokens(encoders[kind], contents, runtime) for kind in ragged]


def _size_of_tokens(encoder: Encoder, contents: Survey, runtime: Runtime) -> str:
    kind = encoder.modality
    count = contents.counts[kind]
    for chunk in stream(islice(contents.items(kind), 1), encoder, runtime, store=False):
        for latents, out in zip(chunk.latents, outputs(encoder), strict=True):
            if isinstance(latents, Ragged) and len(latents):
                tokens = len(latents[0])
                size = tokens * out.dim * 2 * count / 1e6
                return f"tokens of {count} {kind} items: about {tokens} x {out.dim} float16 each, {size:,.1f} MB in all"
    return f"tokens of {count} {kind} items: size unknown, the first item cannot be read"


def _tables(encoder: Encoder, folder: Path | None, files: ExitStack, *, overwrite: bool) -> list[VectorTable]:
    """An open table for each of the encoder's outputs; none without a folder."""
    if folder is None:
        return []
    name = str(getattr(encoder, "name", ""))
    tables = []
    for out in outputs(encoder):
        path = folder / (f"{encoder.modality} {out.name}".strip() + ".parquet")
        facts = {"encoder": name, "output": out.name, "fingerprint": out.fingerprint}
        table = vector_table(path, dim=out.dim, ragged=out.ragged, overwrite=overwrite, facts=facts)
        tables.append(files.enter_context(table))
    return tables
