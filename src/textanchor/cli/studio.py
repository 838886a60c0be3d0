"""`textanchor studio`."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options, printing
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.serve.settings import Access


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """Where the studio listens and who is let in, as typed."""

    host: str
    port: int
    token: bool
    token_file: Path | None
    allow_host: tuple[str, ...]

    def access(self) -> Access:
        """The record, with a new token where none was given. Raises `InputError`."""
        from textanchor.serve.settings import Access
        from textanchor.serve.tokens import given_tokens, new_token

        tokens = given_tokens(self.token_file) or (new_token(),)
        return Access(tokens=tokens, host=self.host, port=self.port, names=self.allow_host)


_ENTRANCE = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0: any that is free."),
    click.option("--token/--no-token", default=True, show_default=True, help="Whether an invitation is needed to get in."),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="File of tokens, one a line. [default: $TEXTANCHOR_TOKEN, or a new one]",
    ),
    click.option(
        "--allow-host",
        multiple=True,
        metavar="NAME[:PORT]",
        help="Further name that browsers may call the studio by. Repeatable.",
    ),
)


@click.command()
@click.argument("places", nargs=-1, metavar="[[NAME=]PLACE]...")
@click.option("--space", type=click.Path(path_type=Path), help="Space to search with. [default: that of the first collection]")
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Further folder whose files may be shown. Repeatable.",
)
@options.gathered("entrance", Entrance, *_ENTRANCE)
@options.runtime_without("engine", "strict")
def command(places: tuple[str, ...], space: Path | None, roots: tuple[Path, ...], entrance: Entrance, runtime: Runtime) -> None:
    """Search, look at and label in a browser: PLACES are collections, folders, tables and reports.

    Prints a link that lets its bearer in. Nothing leaves this machine, and no file is shown but the items of PLACES. It ends on
    Ctrl-C or SIGTERM.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read with torch: waiting threads would spin
    from textanchor.studio.app import check_installed

    check_installed()
    from textanchor.studio.opened import opened
    from textanchor.studio.running import Running

    found = opened(places, space=space, roots=roots, runtime=runtime)
    running = Running(found, entrance.access(), open=not entrance.token).start()
    stopped = Event()

    def stop(number: int, _frame: Any) -> None:
        stopped.set()
        signal.signal(number, signal.SIG_DFL)  # a second one does not wait

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    printing.say(f"studio: {running.link}")
    stopped.wait()
    running.stop()
    printing.say("stopped")
