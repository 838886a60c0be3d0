"""`textanchor studio`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from textanchor.cli import options, printing
from textanchor.cli.listening import Door, door, told_to_end
from textanchor.runtime import Runtime


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
@door(port=7860, callers="browsers may call the studio")
@click.option("--token/--no-token", default=True, show_default=True, help="Whether an invitation is needed to get in.")
@options.runtime_without("engine", "strict")
def command(
    places: tuple[str, ...], space: Path | None, roots: tuple[Path, ...], door: Door, token: bool, runtime: Runtime
) -> None:
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
    running = Running(found, door.access()[0], open=not token).start()
    stopped = told_to_end()
    printing.say(f"studio: {running.link}")
    stopped.wait()
    running.stop()
    printing.say("stopped")
