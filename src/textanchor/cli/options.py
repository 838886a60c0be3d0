"""Options that several commands share, and how their values are checked."""

from __future__ import annotations

import os
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
overwrite = click.option("--overwrite", is_flag=True, help="Replace an existing output.")
strict = click.option("--strict", is_flag=True, help="Stop at the first item that cannot be read.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
modality = click.option("--modality", help="What files are whose ending does not say, such as series.")
engine = click.option(
    "--engine",
    type=click.Choice(("local", "ray")),
    default="local",
    show_default=True,
    help="Who encodes: threads here, or Ray.",
)
encoders = click.option(
    "--encoder",
    "encoders",
    multiple=True,
    metavar="MODALITY=NAME",
    callback=lambda _context, _option, values: _by_modality(values),
    help="Encoder of a modality, such as image=hub:facebook/dinov2-small. Repeat for more.",
)


def _setting(option: str, variable: str, **how: Any) -> Callable[[Command], Command]:
    """An option that is an environment variable while the command runs, so that threads and Ray's workers see it."""

    def keep(context: click.Context, _option: click.Parameter, value: Any) -> None:
        if value:
            before = os.environ.get(variable)
            os.environ[variable] = str(int(value))
            context.call_on_close(lambda: _restore(variable, before))

    return click.option(option, callback=keep, expose_value=False, **how)


def _restore(variable: str, before: str | None) -> None:
    os.environ.pop(variable, None)
    if before is not None:
        os.environ[variable] = before


_SETTINGS = (
    _setting("--offline", "TEXTANCHOR_OFFLINE", is_flag=True, help="Fetch no model."),
    _setting("--workers", "TEXTANCHOR_WORKERS", type=click.IntRange(min=1), help="Decoding threads (Ray: actors)."),
    _setting("--max-pixels", "TEXTANCHOR_MAX_PIXELS", type=click.IntRange(min=1), help="Largest image. [default: 100000000]"),
    _setting("--max-seconds", "TEXTANCHOR_MAX_SECONDS", type=click.IntRange(min=1), help="Longest sound. [default: 600]"),
)


def _together(*parts: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in this order."""

    def add(command: Command) -> Command:
        for part in reversed(parts):
            command = part(command)
        return command

    return add


reading = _together(*_SETTINGS)  # what every command has that reads raw files
encoding = _together(cache, device, engine, reading, strict, overwrite)  # ... and that encodes whole collections


def _by_modality(values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        modality, equals, name = value.partition("=")
        if not equals or not modality or not name or ":" in modality:
            raise click.BadParameter(f"'{value}' is not of the form image=hub:<model>")
        found[modality] = name
    return found
