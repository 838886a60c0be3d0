"""`textanchor serve`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options, printing
from textanchor.cli.listening import Door, door, told_to_end
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.serve.service import Service
    from textanchor.serve.settings import Access, Settings


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much a request may bring and how requests are put together, as typed."""

    max_body: int
    max_memory: int
    timeout: float
    batch: int
    batch_wait: float
    allow_urls: bool

    def settings(self, access: Access) -> Settings:
        """The record."""
        from textanchor.serve.settings import MIB, Batching, Bounds, Settings

        body = self.max_body * MIB
        bounds = Bounds(body=body, item=body * 3 // 4, memory=self.max_memory * MIB, answer=self.timeout)
        batching = Batching(items=self.batch, seconds=self.batch_wait / 1000)
        return Settings(access=access, bounds=bounds, batching=batching, urls=self.allow_urls)


_LOAD = (
    click.option("--max-body", type=click.IntRange(min=1), default=32, show_default=True, help="Largest request, in MiB."),
    click.option(
        "--max-memory",
        type=click.IntRange(min=1),
        default=2048,
        show_default=True,
        help="What all requests may need together, in MiB.",
    ),
    click.option("--timeout", type=click.FloatRange(min=1), default=60, show_default=True, help="Seconds for an answer."),
    click.option("--batch", type=click.IntRange(1, 4096), default=64, show_default=True, help="Items encoded together."),
    click.option(
        "--batch-wait", type=click.FloatRange(0, 1000), default=4, show_default=True, help="Milliseconds to wait for company."
    ),
    click.option("--allow-urls", is_flag=True, help="Fetch inputs that are public http or https URLs."),
)


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="[NAME=]PLACE",
    help="What to search: a collection, folder or table. Repeatable.",
)
@door(port=8000, callers="requests may call the server")
@options.gathered("load", Load, *_LOAD)
@click.option("--selftest", is_flag=True, help="Attack the server, print what came of it, and exit.")
@options.encoders
@options.runtime_without("engine", "strict")
def command(
    space: Path,
    collections: tuple[str, ...],
    door: Door,
    load: Load,
    selftest: bool,
    encoders: dict[str, str],
    runtime: Runtime,
) -> None:
    """Serve SPACE over HTTP: embeddings as OpenAI's clients ask for them, and search in collections.

    Every request needs a token, also on this machine. It ends on Ctrl-C or SIGTERM, when what is under way is answered.
    """
    from textanchor.serve.running import check_installed

    check_installed()
    from textanchor.serve.shelves import open_shelves
    from textanchor.space.storage import load as load_space

    access, made = door.access()
    opened = load_space(space, encoders=encoders, runtime=runtime)
    shelves = open_shelves(opened, collections)
    for shelf in shelves.values():
        printing.skipped(shelf.skipped)
    if selftest:
        _attack(opened, shelves)
        return
    _serve(opened, space, shelves, load.settings(access), made)


def _attack(space: Any, shelves: Any) -> None:
    from textanchor.serve.selftest import attacked, written

    logging.getLogger("textanchor.serve").addHandler(logging.NullHandler())  # the attacks are in the table
    lines = attacked(space, shelves)
    click.echo(written(lines))
    wrong = sum(not line.ok for line in lines)
    printing.say(f"{len(lines)} attacks, {wrong} not refused as expected")
    if wrong:
        raise click.exceptions.Exit(1)


def _serve(space: Any, place: Path, shelves: Any, settings: Settings, made: str) -> None:
    from textanchor.serve.fetching import Fetcher
    from textanchor.serve.naming import model_name
    from textanchor.serve.running import Running, listening
    from textanchor.serve.service import Service

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    listens, access = listening(settings.access)
    settings = type(settings)(access=access, bounds=settings.bounds, batching=settings.batching, urls=settings.urls)
    service: Service = Service(space, model_name(place), settings, shelves, fetcher=Fetcher(most=settings.bounds.item))
    stopped = told_to_end()
    server = Running(service, listens).start()
    host = f"[{access.host}]" if ":" in access.host else access.host
    printing.say(f"serving {service.name} at http://{host}:{access.port} (docs at /docs)")
    if made:
        printing.say(f"token: {made}")
    stopped.wait()
    printing.say("stopping: requests under way are answered")
    if not server.stop():
        printing.say(f"some were not answered within {settings.bounds.drain:g} s")
