"""The command line: arguments in, calls of the library, text out. Results go to stdout, progress to stderr.

Exit codes: 0 done, 1 nothing usable, 2 wrong input. Commands import the library when they run, so `--help` is quick.
"""

from __future__ import annotations

import errno
from importlib import import_module
from typing import Any

import click

from textanchor.errors import TextAnchorError

COMMANDS = {
    "demo": "Run the whole path on real digits: samples, fit, evaluation, search, report.",
    "samples": "Write a sample set as a folder with pairs.csv.",
    "fit": "Fit a space from pairs of items and texts.",
    "doctor": "Look at pairs before training: leaks, duplicates, texts, what to expect.",
    "bench": "Compare losses, projectors, aligners, views, encoders and anchors on your pairs.",
    "rerun": "Repeat what made a space or a bench, and say whether it came out the same.",
    "search": "Find the items of a collection nearest to a sentence or a file.",
    "evaluate": "Measure a space on pairs it has not seen.",
    "embed": "Write the vectors of a whole collection as a Parquet file.",
    "encode": "Encode a whole collection once, from raw files to cached latents.",
    "split-video": "Make pairs of first frames, sound tracks and texts from videos.",
    "cache": "List, measure, verify and prune the cached latents.",
}


class Commands(click.Group):
    """Loads a command when it is asked for and turns the library's errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from the module of its name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f"textanchor.cli.{cmd_name.replace('-', '_')}").command
        found.short_help = COMMANDS[cmd_name]
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and answer bad input in one line."""
        try:
            return super().invoke(ctx)
        except TextAnchorError as why:
            click.echo(f"error: {why}", err=True)
            ctx.exit(why.exit_code)
        except OSError as why:
            if why.errno == errno.EPIPE:  # the reader of our output has gone, which click handles
                raise
            click.echo(f"error: {why.filename or 'the system'}: {why.strerror or why}", err=True)
            ctx.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(None, "--version", package_name="textanchor", prog_name="textanchor")
def main() -> None:
    """Any kind of data in one vector space anchored in text.

    Try `textanchor demo` first; then your own data in three commands: fit, search, evaluate.
    """
