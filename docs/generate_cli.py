"""Write docs/cli.md from the commands' own help: `python docs/generate_cli.py`. A test compares the two."""

from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner

from textanchor.cli import main

HEAD = """# Command line

Generated from `--help` by `python docs/generate_cli.py`; a test keeps it true.
Exit codes: 0 done, 1 nothing usable, 2 wrong input.
Results go to stdout, progress and remarks to stderr; there are no progress bars without a terminal.
"""


def reference() -> str:
    """The whole page."""
    parts = [HEAD, _block([])]
    context = click.Context(main)
    for name in main.list_commands(context):
        parts.append(_block([name]))
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            parts += [_block([name, inner]) for inner in command.list_commands(click.Context(command))]
    return "\n".join(parts)


def _block(command: list[str]) -> str:
    told = CliRunner().invoke(main, [*command, "--help"], prog_name="textanchor", terminal_width=100).output
    return f"## {' '.join(['textanchor', *command])}\n\n```\n{told}```\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(reference(), encoding="utf-8")
