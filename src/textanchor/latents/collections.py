"""A whole folder or table, from raw files to latents in the cache, and on request to Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from textanchor.data.pairs import iterate_collection
from textanchor.data.readers import PartReader, reader
from textanchor.encoders import Encoder, Output, make, outputs
from textanchor.errors import InputError, NothingUsableError
from textanchor.files import refuse_existing
from textanchor.latents.engine import Chunk, stream
from textanchor.latents.parquet import vector_table
from textanchor.latents.ray_engine import prefill
from textanchor.records import Item, Pooled, Ragged, Skipped, first_of
from textanchor.runtime import Runtime, settled


@dataclass(frozen=True, kw_only=True)
class Count:
    """What became of one modality's items; `outputs` are the latents that are now in the cache."""

    modality: str
    encoded: int
    cached: int
    skipped: int
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contents:
    """How many items of each modality a collection holds, and what is in it that is no item."""

    source: str | Path
    modality: str | None
    counts: Mapping[str, int]
    skipped: tuple[Skipped, ...]

    def items(self, kind: str) -> Iterator[Item]:
        """The items of one modality, read anew from the disk."""
        for found in _once(self.source, self.modality):
            if isinstance(found, Item) and found.modality == kind:
                yield found


def survey(source: str | Path, *, modality: str | None = None) -> Contents:
    """Count a collection's items without opening them. Raises `NothingUsableError` if there is none."""
    counts: Counter[str] = Counter()
    skipped = []
    for found in _once(source, modality):
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            counts[found.modality] += 1
    if not counts:
        raise NothingUsableError(f"{source} holds no item{first_of(skipped)}")
    return Contents(source=source, modality=modality, counts=counts, skipped=tuple(skipped))


def _once(source: str | Path, modality: str | None) -> Iterator[Item | Skipped]:
    """Every item once: a table may name it again with another text. A folder's names differ, so none is remembered."""
    table, seen = Path(source).expanduser().is_file(), set[str]()
    for found in iterate_collection(source, modality=modality):
        if table and isinstance(found, Item):
            if found.id in seen:
                continue
            seen.add(found.id)
        yield found


def encode_collection(
    source: str | Path,
    *,
    encoders: Mapping[str, str] | None = None,
    modality: str | None = None,
    output: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    engine: str = "local",
    strict: bool = False,
    overwrite: bool = False,
    announce: Callable[[str], None] | None = None,
    progress: bool = False,
) -> tuple[tuple[Count, ...], tuple[Skipped, ...]]:
    """Encode all items of a folder or table into the cache; a count a modality, and what was skipped.

    `announce` is told how much tokens will take before they are encoded. `encoders` maps modalities to encoder names, which
    may ask for several layers and poolings of one pass. With `output`, a folder, each of them is written as `<modality>[
    <output's name>].parquet`. Raises what `make` and `iterate_collection` raise.
    """
    runtime = settled(
        None, {"cache": cache, "device": device, "engine": engine, "strict": strict, "progress": progress}
    )
    held = survey(source, modality=modality)
    told = dict(encoders or {})
    for name in told:
        if name not in held.counts:
            raise InputError(f"--encoder {name}=...: the collection holds {', '.join(held.counts)}, no {name}")
    if output is not None:
        refuse_existing(Path(output).expanduser(), overwrite=overwrite)
    counts, skipped = [], list(held.skipped)
    for kind in held.counts:
        if isinstance(reader(kind), PartReader):
            skipped += [
                Skipped(item=item.id, reason=f"{kind} is embedded by a space, part by part") for item in held.items(kind)
            ]
            continue
        encoder_name = told.get(kind) or reader(kind).default_encoder
        encoder = make(encoder_name, kind, device=device)
        if announce and any(out.ragged for out in outputs(encoder)):
            announce(_size_of_tokens(encoder, held, kind, runtime))
        made = prefill(held.items(kind), encoder_name, kind, runtime)
        chunks = stream(held.items(kind), encoder, runtime, total=held.counts[kind])
        count, gone = _written(chunks, encoder, Path(output).expanduser() if output else None, overwrite=overwrite)
        counts.append(replace(count, encoded=count.encoded + made, cached=count.cached - made))
        skipped += gone
    if not any(count.encoded + count.cached for count in counts):
        raise NothingUsableError(f"nothing of {source} could be encoded{first_of(skipped)}")
    return tuple(counts), tuple(skipped)


def _size_of_tokens(encoder: Encoder, held: Contents, kind: str, runtime: Runtime) -> str:
    """What tokens of all items will take, by the first item that can be read."""
    count = held.counts[kind]
    for chunk in stream(islice(held.items(kind), 1), encoder, runtime, store=False):
        for part, out in zip(chunk.latents, outputs(encoder), strict=True):
            if isinstance(part, Ragged) and len(part):
                tokens = len(part[0])
                size = tokens * out.dim * 2 * count / 1e6
                return f"tokens of {count} {kind} items: about {tokens} x {out.dim} float16 each, {size:,.1f} MB in all"
    return f"tokens of {count} {kind} items: size unknown, the first item cannot be read"


def _written(chunks: Iterator[Chunk], encoder: Encoder, folder: Path | None, *, overwrite: bool) -> tuple[Count, list[Skipped]]:
    outs, new, cached = outputs(encoder), 0, 0
    skipped: list[Skipped] = []
    with ExitStack() as stack:
        name = str(getattr(encoder, "name", ""))
        tables = [
            stack.enter_context(
                vector_table(
                    folder / (f"{encoder.modality} {out.name}".strip() + ".parquet"),
                    dim=out.dim,
                    ragged=out.ragged,
                    overwrite=overwrite,
                    facts={"encoder": name, "output": out.name, "fingerprint": out.fingerprint},
                )
            )
            for out in outs
            if folder
        ]
        for chunk in chunks:
            new, cached = new + chunk.new, cached + chunk.cached
            skipped += chunk.skipped
            for table, part in zip(tables, chunk.latents, strict=False):
                values = part.vectors if isinstance(part, Pooled) else [part[row] for row in range(len(part))]
                table.add(chunk.items, part.contents, values)
    return Count(modality=encoder.modality, encoded=new, cached=cached, skipped=len(skipped), outputs=outs), skipped
