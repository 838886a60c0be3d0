"""`textanchor index-card`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.errors import InputError
from textanchor.files import located
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.collections.recall import RecallCard, RecallRow


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.option(
    "--in", "collection", required=True, type=click.Path(path_type=Path), help="Collection, folder or table to be searched."
)
@click.option(
    "--queries",
    required=True,
    type=click.Path(path_type=Path),
    help="Your users' queries: a .txt file with one a line, or a table, whose texts are taken.",
)
@click.option("--modality", help="What is searched for, if the collection holds several modalities.")
@click.option(
    "--recall",
    type=click.FloatRange(0, 1, min_open=True),
    help="Name the cheapest index that finds this share of the ten nearest; an error if none does.",
)
@click.option(
    "--index", "indexes", multiple=True, metavar="INDEX", help="Measure this. Repeatable. [default: exact, four of FAISS]"
)
@options.reading_of_hits
@options.encoders
@options.runtime
@options.as_json
def command(
    space: Path,
    collection: Path,
    queries: Path,
    modality: str | None,
    recall: float | None,
    indexes: tuple[str, ...],
    reading: Reading,
    encoders: dict[str, str],
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Measure indexes on your own queries: recall of the ten nearest, time of a query, memory, time to build.

    Cost is the median time times memory. Text that asks for images lies outside of what an index of images was made for, so
    that only queries such as your users' tell what it finds.
    """
    from textanchor.collections.recall import DEFAULT, recall_card
    from textanchor.space.storage import load

    opened = load(space, encoders=encoders, runtime=runtime)
    card = recall_card(
        opened,
        collection,
        _texts(queries),
        backends=indexes or DEFAULT,
        modality=modality,
        reading=reading,
        runtime=runtime,
    )
    if not as_json:
        _print(card)
    chosen = None if recall is None else card.cheapest(recall)
    if as_json:
        printing.dump({**asdict(card), "cheapest": chosen and chosen.index})
    elif chosen is not None:
        click.echo(f"\ncheapest with a recall of at least {recall:g}: {chosen.index}")


def _texts(queries: Path) -> list[str]:
    """Raises `InputError` for a file that is not there or is no text."""
    from textanchor.data.pairs import read_collection

    file = located(queries)
    if file.suffix != ".txt":
        return [str(item.value) for item in read_collection(file, texts=True)[0]]
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as why:
        raise InputError(f"{queries} cannot be read ({why}); expected a text file in UTF-8 with a query a line") from None


def _print(card: RecallCard) -> None:
    title = f"{card.items} items of modality {card.modality}, {card.queries} queries; recall of the {card.k} nearest"
    printing.table([_shown(row) for row in card.rows], title=title)
    if any(row.measured == "process" for row in card.rows):
        printing.say("+ is how much this process grew, where an index does not know its size")


def _shown(row: RecallRow) -> dict[str, object]:
    size = "-" if row.memory is None else f"{row.memory / 2**20:.1f}{'+' if row.measured == 'process' else ''}"
    return {"index": row.index, "recall": row.recall, "p50 ms": row.p50, "p99 ms": row.p99, "MiB": size, "build s": row.build}
