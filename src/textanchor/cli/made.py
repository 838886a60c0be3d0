"""What the commands that make encoders share: going on after a stop, and what is told of the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import printing

if TYPE_CHECKING:
    from textanchor.pretraining.verdict import Judged


def refuse_finished(output: Path, *, overwrite: bool) -> None:
    """`refuse_existing`, but for a folder whose training was interrupted: that goes on."""
    from textanchor.files import refuse_existing
    from textanchor.pretraining.pretraining import CHECKPOINT

    if not (output / CHECKPOINT).is_file():
        refuse_existing(output, overwrite=overwrite)


def probes(rows: Sequence[Judged]) -> None:
    """Accuracies of linear probes; nothing where there are none."""
    shown = ("encoder", "labels", "accuracy", "interval")
    printing.table([{name: getattr(row, name) for name in shown} for row in rows], title="Linear probe on test")


def judged(rows: Sequence[Judged]) -> None:
    """Probes, and what they say in sentences."""
    from textanchor.pretraining.verdict import says

    probes(rows)
    for line in says(rows) if rows else ("nothing was judged: no classes, or no test side",):
        click.echo(line)


def wrote(output: Path, *, as_json: bool) -> None:
    """Where the encoder lies, and its name."""
    click.echo(f"\nwrote {output}: an encoder, own:{output}", err=as_json)
