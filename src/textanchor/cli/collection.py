"""`textanchor collection`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.errors import InputError
from textanchor.escaping import written_back
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.collections import Collection, SyncReport
    from textanchor.space import Space

SHOWN = 1000

_folder = click.argument("collection", type=click.Path(path_type=Path))
_space = click.option("--space", type=click.Path(path_type=Path), help="Space to embed with. [default: that of the last time]")
_where = click.option("--where", help="Only items that pass, such as \"year >= 2020 and camera = 'X100'\".")


@click.group("collection")
def command() -> None:
    """Keep a collection: a folder with the vectors of your files, tables and archives, brought up to date by what changed."""


@command.command("add")
@_folder
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path))
@_space
@options.reading_of_items
@options.encoders
@options.runtime
@options.as_json
def add(
    collection: Path,
    places: tuple[Path, ...],
    space: Path | None,
    reading: Reading,
    encoders: dict[str, str],
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Follow PLACES from now on: folders, tables, archives or single files. COLLECTION is made if it is not there."""
    from textanchor.collections import Collection

    kept = Collection(collection, create=True)
    _tell(kept.add(_opened(kept, space, encoders, runtime), *places, reading=reading, runtime=runtime), as_json)


@command.command("sync")
@_folder
@click.argument("places", nargs=-1, type=click.Path(path_type=Path))
@_space
@options.encoders
@options.runtime
@options.as_json
def sync(
    collection: Path,
    places: tuple[Path, ...],
    space: Path | None,
    encoders: dict[str, str],
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Bring COLLECTION to what its places, or only PLACES, hold now. Only what moved in size or time stamp is read."""
    from textanchor.collections import Collection

    kept = Collection(collection)
    _tell(kept.sync(_opened(kept, space, encoders, runtime), only=places, runtime=runtime), as_json)


@command.command("remove")
@_folder
@click.option("--item", "ids", multiple=True, help="An item's id. Repeat for more.")
@click.option("--place", "places", multiple=True, type=click.Path(path_type=Path), help="A place, with all its items.")
def remove(collection: Path, ids: tuple[str, ...], places: tuple[Path, ...]) -> None:
    """Take items out of COLLECTION; files are left alone."""
    from textanchor.collections import Collection

    if not ids and not places:
        raise InputError("say what to remove: --item ID or --place PLACE")
    click.echo(f"removed {Collection(collection).remove(ids=ids, places=places)} items")


@command.command("use")
@_folder
@click.argument("backend")
def use(collection: Path, backend: str) -> None:
    """Let BACKEND search COLLECTION from now on: exact, faiss(kind=hnsw), or the URL of a database."""
    from textanchor.collections import Collection

    Collection(collection).use(backend)


@command.command("info")
@_folder
@options.as_json
def info(collection: Path, as_json: bool) -> None:
    """Say what COLLECTION holds."""
    from textanchor.collections import Collection
    from textanchor.collections.backends import without_password

    facts = Collection(collection).facts
    if as_json:
        printing.dump({**asdict(facts), "backend": without_password(facts.backend)})
        return
    printing.table([{"modality": modality, "items": count} for modality, count in facts.items.items()])
    printing.table([{**asdict(one), "fingerprint": one.fingerprint[:12]} for one in facts.vectors], title="vectors")
    told = {
        "skipped": facts.skipped,
        "derived": f"{facts.derived} bytes",
        "index": without_password(facts.backend),
        "space": facts.space or "-",
    }
    click.echo()
    for name, value in told.items():
        click.echo(f"{name}: {value}")
    for place in facts.places:
        click.echo(f"place: {place}")


@command.command("list")
@_folder
@click.option("--skipped", is_flag=True, help="What was left out, and why.")
@_where
@options.as_json
def list_(collection: Path, skipped: bool, where: str | None, as_json: bool) -> None:
    """List the items of COLLECTION, with what their table says of them."""
    from textanchor.collections import Collection

    found = Collection(collection).items(where, skipped=skipped)
    if as_json:
        printing.dump([asdict(one) for one in found])
        return
    rows = []
    for one in islice(found, SHOWN):
        told = {"reason": one.reason} if skipped else dict(one.fields)
        rows.append({"modality": one.modality, "item": one.id, **told})
    printing.table(rows)
    if more := sum(1 for _ in found):
        click.echo(f"... and {more} more; --json lists all")


@command.command("upgrade")
@_folder
@click.option("--space", required=True, type=click.Path(path_type=Path), help="Space to move to.")
@click.option("--items", type=click.IntRange(min=70), default=1000, show_default=True, help="Items to encode before mapping.")
@click.option(
    "--recall",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Share of the ten best hits that the map must keep, or nothing is changed.",
)
@click.option("--map-only", is_flag=True, help="Leave encoding the rest to the next sync.")
@click.option("--forget", is_flag=True, help="Delete the old space's vectors when all is encoded.")
@options.seed
@options.runtime
def upgrade(
    collection: Path, space: Path, items: int, recall: float, map_only: bool, forget: bool, seed: int, runtime: Runtime
) -> None:
    """Move COLLECTION to another encoder or space. It can be searched at once, by mapped vectors, and is encoded meanwhile."""
    from textanchor.collections import Collection
    from textanchor.space.storage import load

    kept, opened = Collection(collection), load(space, runtime=runtime)
    done = kept.upgrade(opened, items=items, recall=recall, seed=seed, runtime=runtime)
    printing.table([asdict(one) for one in done])
    if map_only:
        printing.say(f"encode the rest: textanchor collection sync {collection}")
        return
    _tell(kept.sync(opened, runtime=runtime), as_json=False)
    if forget:
        click.echo(f"gave back {kept.forget(opened)} bytes")


@command.command("verify")
@_folder
@click.option("--repair", is_flag=True, help="Encode the items of what is damaged again.")
@_space
@options.encoders
@options.runtime
def verify(collection: Path, repair: bool, space: Path | None, encoders: dict[str, str], runtime: Runtime) -> None:
    """Hash all vectors of COLLECTION and name what is not what was written; exit code 1 if something is damaged still."""
    from textanchor.collections import Collection

    kept = Collection(collection)
    found = kept.verify(repair=repair)
    printing.table([asdict(one) for one in found])
    if not found:
        click.echo("every vector is what was written")
    elif repair:
        _tell(kept.sync(_opened(kept, space, encoders, runtime), runtime=runtime), as_json=False)
    else:
        printing.say(f"mend it: textanchor collection verify --repair {collection}")
        raise SystemExit(1)


def _opened(kept: Collection, given: Path | None, encoders: dict[str, str], runtime: Runtime) -> Space:
    """The space that was named, or that of the last time."""
    from textanchor.space.storage import load

    place = given or (Path(written_back(kept.space)) if kept.space else None)
    if place is None:
        raise InputError("say with which space to embed: --space SPACE")
    return load(place, encoders=encoders, runtime=runtime)


def _tell(reports: Sequence[SyncReport], as_json: bool) -> None:
    """What became of each place's items, in figures that add up."""
    names = ("new", "changed", "unchanged", "skipped", "removed", "seen")
    rows = [{"place": report.place, **{name: getattr(report, name) for name in names}} for report in reports]
    if as_json:
        left_out = [asdict(one) for report in reports for one in report.left_out]
        printing.dump({"places": rows, "left out": left_out})
        return
    printing.skipped([one for report in reports for one in report.left_out])
    printing.table(rows)
    for report in reports:
        click.echo(
            f"seen {report.seen} = indexed {report.indexed} + unchanged {report.unchanged} + skipped {report.skipped} "
            f"+ removed {report.removed}"
        )
