"""Options that several commands share, and how their values are checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="One seed fixes everything.")
cache = click.option(
    "--cache", type=click.Path(path_type=Path), help="Folder of latents. [default: the platform's cache folder]"
)
device = click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto.")
overwrite = click.option("--overwrite", is_flag=True, help="Replace an existing output folder.")
strict = click.option("--strict", is_flag=True, help="Stop at the first item that cannot be read.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
encoders = click.option(
    "--encoder",
    "encoders",
    multiple=True,
    metavar="MODALITY=NAME",
    callback=lambda _context, _option, values: _by_modality(values),
    help="Encoder of a modality, such as image=hub:facebook/dinov2-small. Repeat for more.",
)


def _by_modality(values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        modality, equals, name = value.partition("=")
        if not equals or not modality or not name or ":" in modality:
            raise click.BadParameter(f"'{value}' is not of the form image=hub:<model>")
        found[modality] = name
    return found
