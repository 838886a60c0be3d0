"""The commands, loaded when they are asked for, and how errors are answered."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import click

from textanchor import registry
from textanchor.cli.guarding import guard
from textanchor.cli.interrupting import CODE, interrupted
from textanchor.cli.streams import lasting
from textanchor.errors import TextAnchorError
from textanchor.escaping import shown

ABOUT: Mapping[str, str] = {
    "demo": "Run the whole path on real digits: samples, fit, evaluation, search, report.",
    "samples": "Write a sample set as a folder with pairs.csv.",
    "start": "Make a space without any pair, from names that a classifier knows.",
    "fit": "Fit a space from pairs of items and texts.",
    "doctor": "Look at pairs before training: leaks, duplicates, texts, what to expect.",
    "finetune": "Train an encoder further on pairs, end to end, and say whether it was worth it.",
    "bench": "Compare losses, projectors, aligners, views, encoders and anchors on your pairs.",
    "budget": "Say how many pairs to buy, and which: recall on shares of them, and what more would add.",
    "rerun": "Repeat what made a space or a bench, and say whether it came out the same.",
    "search": "Find the items of a collection nearest to a sentence or a file.",
    "index-card": "Measure indexes on your own queries, and name the cheapest that finds enough.",
    "collection": "Keep the vectors of folders, tables and archives, and bring them up to date.",
    "classify": "Say which of some texts an item is, with probabilities.",
    "label": "Label the rest: people label few items, the machine the others, with a stated error.",
    "evaluate": "Measure a space on pairs it has not seen.",
    "embed": "Write the vectors of a whole collection as a Parquet file.",
    "encode": "Encode a whole collection once, from raw files to cached latents.",
    "serve": "Answer over HTTP: embeddings as OpenAI's clients ask for them, and search.",
    "studio": "Search, look at and label in a browser.",
    "export": "Write a space for sentence-transformers, ONNX or the model hub.",
    "import": "Make a space from vectors made elsewhere, or fetch one from the model hub.",
    "pack": "Copy a space with all its encoders into one folder that works without a network.",
    "split-video": "Make pairs of first frames, sound tracks and texts from videos.",
    "cache": "List, measure, verify and prune the cached latents.",
}
GARBAGE = (50_000, 20, 100)  # by default, the tenth of a million objects that importing torch leaves is gone through many times
OTHER = "From another package; --help says more."


class Commands(click.Group):
    """Loads a command when it is asked for and turns the library's errors into one line and an exit code.

    Commands of other packages come from entry points of the group `textanchor.command`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, those of other packages last."""
        return list(registry.names("command"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from the module of its name or from another package."""
        if cmd_name not in registry.names("command"):
            return None
        command: click.Command = registry.load("command", cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A line a command; none is loaded for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, ABOUT.get(name, OTHER)) for name in self.list_commands(ctx)])

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Run with guarded streams, which may end before the work does."""
        with lasting():
            guard()
            return super().main(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and answer bad input and an interruption in one line."""
        gc.set_threshold(*GARBAGE)
        try:
            return super().invoke(ctx)
        except click.MissingParameter:  # its words are click's own
            raise
        except click.UsageError as why:
            raise click.UsageError(shown(why.format_message()), ctx=why.ctx) from None
        except TextAnchorError as why:
            click.echo(f"error: {shown(why)}", err=True)
            ctx.exit(why.exit_code)
        except OSError as why:
            click.echo(f"error: {shown(why.filename or 'the system')}: {why.strerror or why}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo(f"\n{interrupted(ctx)}", err=True)
            ctx.exit(CODE)


@click.group(cls=Commands, context_settings={"color": True, "help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(None, "--version", package_name="textanchor", prog_name="textanchor")
def main() -> None:
    """Any kind of data in one vector space anchored in text.

    Try `textanchor demo` first; then your own data in three commands: fit, search, evaluate.
    """
