"""`textanchor search`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options, printing
from textanchor.errors import InputError
from textanchor.escaping import shown
from textanchor.files import located
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.collections import Index, Terms
    from textanchor.collections.asking.explaining import Neighbour
    from textanchor.records import Hit, Hits
    from textanchor.space import Space


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is searched for, as typed: a sentence or the name of a file, `force` saying which, and the file's modality; what is
    asked beside it, and what is not wanted."""

    query: str
    force: str | None
    query_modality: str | None
    also: tuple[str, ...]
    unwanted: tuple[str, ...]

    def understood(self) -> Any:
        """The sentence, the file, or a `Query` of several. Raises `InputError` for a file that is not there, or nothing."""
        first = self._meant(self.query)
        if not self.also and not self.unwanted:
            return first
        from textanchor.collections import Part, Query
        from textanchor.collections.asking.composing import parse_part

        parts = [Part(first, modality=self._modality(first))]
        for negative, typed in ((False, self.also), (True, self.unwanted)):
            for one in typed:
                part = parse_part(one, negative=negative)
                meant = self._meant(str(part.value))
                parts.append(Part(meant, modality=self._modality(meant), weight=part.weight))
        return Query(*parts)

    def modality(self, understood: Any) -> str | None:
        """What a single query is, where that is said."""
        return self.query_modality or ("text" if isinstance(understood, str) else None)

    def _modality(self, meant: str | Path) -> str | None:
        return "text" if isinstance(meant, str) else self.query_modality

    def _meant(self, typed: str) -> str | Path:
        from textanchor.data.readers import guess_modality

        file = located(typed)
        if self.force == "file" and not file.is_file():
            raise InputError(f"no file {typed}; without --file it is searched as a sentence")
        if self.force == "file" or (self.force is None and _is_file(file)):
            return file
        if not typed.strip():
            raise InputError("the query is empty; give a sentence or a file")
        if guess_modality(file):
            printing.say(f"no file {typed}: it is searched as a sentence")
        return typed


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """What is searched, and what searches it."""

    collection: Path
    index: str


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """What is to be explained."""

    told: bool
    why_not: str | None


def _terms(**told: Any) -> Any:
    from textanchor.collections import Terms

    return Terms(**told)


_GALLERY = (
    click.option(
        "--in",
        "collection",
        required=True,
        type=click.Path(path_type=Path),
        help="Collection, folder, table, archive or vectors.parquet to search.",
    ),
    click.option("--index", default="", help="What searches, such as faiss or 'faiss(kind=hnsw, links=16)'. [default: exact]"),
)
_QUESTION = (
    click.argument("query"),
    click.option("--and", "also", multiple=True, metavar="[WEIGHT*]PART", help="Also this, a sentence or a file. Repeatable."),
    click.option("--not", "unwanted", multiple=True, metavar="[WEIGHT*]PART", help="But not this. Repeatable."),
    click.option("--text", "force", flag_value="text", help="QUERY is a sentence even if a file has that name."),
    click.option("--file", "force", flag_value="file", help="QUERY is a file; it is an error if there is none."),
    click.option("--query-modality", help="Modality of the query file, where its ending does not say."),
)
_REASONS = (
    click.option("--explain", "told", is_flag=True, help="Say what each hit is like, and what each part of the query adds."),
    click.option("--why-not", metavar="ITEM", help="Say why this item is not among the hits."),
)
_TERMS = (
    click.option("--modality", help="Only hits of this modality (text: the texts of the table)."),
    click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="Number of hits."),
    click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Hits to pass over."),
    click.option("--where", help="Only items that pass, such as \"year >= 2020 and camera = 'X100'\"."),
    click.option("--threshold", type=float, help="Only hits of at least this score."),
    click.option(
        "--level",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.1,
        show_default=True,
        help="Share of chance hits that is accepted above the line.",
    ),
    click.option("--collapse", type=click.FloatRange(0, 1, min_open=True), help="Cosine from which hits are shown once."),
    click.option(
        "--order",
        type=click.Choice(["chance", "score"]),
        default="chance",
        show_default=True,
        help="How a list of several modalities is ordered.",
    ),
)


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@options.gathered("question", Question, *_QUESTION)
@options.gathered("gallery", Gallery, *_GALLERY)
@options.gathered("terms", _terms, *_TERMS)
@options.reading_of_hits
@options.gathered("reasons", Reasons, *_REASONS)
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with the hits' pictures and sounds, one file.")
@options.encoders
@options.runtime
@options.overwrite
@options.as_json
def command(
    space: Path,
    question: Question,
    gallery: Gallery,
    terms: Terms,
    reading: Reading,
    reasons: Reasons,
    html: Path | None,
    encoders: dict[str, str],
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Find what is nearest to QUERY, a sentence or a file of any modality, in a collection, folder or table of any modalities.

    QUERY is a file if such a file exists. `p` is how often a query and an item that do not belong together score as high, among
    the space's validation data; `above` is whether a hit stands above the line, below which most hits are chance. If none does,
    nothing relevant was found.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read with torch: waiting threads would spin for one query
    from textanchor.collections.searching import indexed, search
    from textanchor.files import refuse_existing
    from textanchor.space.storage import load

    if html:
        refuse_existing(html, overwrite=overwrite)
    understood = question.understood()
    opened = load(space, encoders=encoders, runtime=runtime)
    built = indexed(opened, gallery.collection, backend=gallery.index, modality=terms.modality, reading=reading)
    printing.skipped(built.skipped)
    hits = search(opened, understood, built, terms=terms, query_modality=question.modality(understood))
    rows = [_row(hit) for hit in hits]
    if as_json:
        printing.dump([{**row, **_more(hit)} for row, hit in zip(rows, hits, strict=True)])
    else:
        printing.table([_brief(row) for row in rows])
    if hits.nothing_relevant:
        printing.say(f"nothing relevant: at level {hits.level:g} no hit among {hits.total} items stands above the line")
    elif hits.line is not None and not as_json:
        many = f"{'at least ' * hits.at_least}{hits.line} of {hits.total} items"
        printing.say(f"{many} stand above the line: at most {hits.level:.0%} of them by chance")
    if reasons.told and not as_json:
        _explain(opened, built, hits, understood)
    if reasons.why_not:
        _absent(opened, built, understood, reasons.why_not, terms)
    if html:
        from textanchor.collections.page import write_hits

        write_hits(
            html,
            built,
            [(understood, hits)],
            place=str(gallery.collection),
            query_modality=question.query_modality,
            limits=runtime.limits,
            overwrite=overwrite,
        )
        printing.say(f"page: {html}")


def _explain(space: Space, index: Index, hits: Hits, query: Any) -> None:
    """What the query is near to, and each hit; stdout."""
    from textanchor.collections.explaining import explain, understood

    for part, texts in enumerate(understood(space, query), start=1):
        click.echo(f"\nquery, part {part}, is near to: {_neighbours(texts)}")
    for one in explain(space, index, hits):
        parts = f"; parts add {', '.join(f'{share:+.3f}' for share in one.hit.parts)}" if one.hit.parts else ""
        chance = "" if one.hit.p is None else f"; p {one.hit.p:.2g}, higher than {one.hit.percentile:.1f} % of chance scores"
        click.echo(f"\n{one.hit.rank} {shown(one.hit.id)}: score {one.hit.score:.3f}{chance}{parts}")
        click.echo(f"  like the training items {_neighbours(one.like) or '(none is remembered)'}")
        click.echo(f"  like the training texts {_neighbours(one.texts) or '(none is remembered)'}")


def _neighbours(found: Sequence[Neighbour]) -> str:
    told = ((f"{one.name} '{one.pair}'" if one.pair else f"'{one.name}'", one.cosine) for one in found)
    return shown(", ".join(f"{name} ({cosine:.2f})" for name, cosine in told))


def _absent(space: Space, index: Index, query: Any, name: str, terms: Terms) -> None:
    from textanchor.collections.explaining import absence

    found = absence(space, query, index, name, terms=terms)
    why = "; ".join(reason.told for reason in found.reasons) or "it is among the hits"
    click.echo(f"\n{shown(name)}: rank {found.rank}, score {found.score:.3f}: {why}")


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    """For a terminal: p-values are small."""
    return {**row, "p": f"{row['p']:.2g}"} if "p" in row else row


def _more(hit: Hit) -> dict[str, Any]:
    return {
        "percentile": hit.percentile,
        "path": str(hit.path) if hit.path else None,
        "fields": dict(hit.fields),
        "duplicates": list(hit.duplicates),
        "parts": list(hit.parts),
    }


def _row(hit: Hit) -> dict[str, Any]:
    chance = {} if hit.p is None else {"p": hit.p, "above": hit.above}
    return {"rank": hit.rank, "score": hit.score, **chance, "modality": hit.modality, "item": hit.id}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long sentence is no file name
        return False
