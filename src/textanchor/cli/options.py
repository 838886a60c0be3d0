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


_WORDING = (
    click.option(
        "--template",
        "templates",
        multiple=True,
        metavar="MODALITY=TEXT",
        callback=lambda _context, _option, values: _templates(values),
        help="Words around a text, such as 'image=a photo of a {}'. Repeat to average several.",
    ),
    click.option(
        "--synonyms", type=click.Path(path_type=Path), help="Other words for texts: JSON, or CSV with columns text and synonym."
    ),
)
wording = _together(*_WORDING)  # how texts are put into words
splitting = _together(
    click.option("--fractions", default="0.7,0.1,0.2", show_default=True, help="Shares of train, validation and test."),
    click.option("--resplit", is_flag=True, help="Split anew although the table has a split column."),
    click.option("--split-name", help="Name of a predefined split that breaks groups, such as 'official, speakers shared'."),
)
reading = _together(*_SETTINGS)  # what every command has that reads raw files
encoding = _together(cache, device, engine, reading, strict, overwrite)  # ... and that encodes whole collections


def shares(text: str) -> tuple[float, ...]:
    """The value of --fractions."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"'{text}' is not three numbers such as 0.7,0.1,0.2", param_hint="--fractions") from None


def _templates(values: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in values:
        modality, equals, text = value.partition("=")
        if not equals or not modality:
            raise click.BadParameter(f"'{value}' is not of the form 'image=a photo of a {{}}'")
        found.setdefault(modality, []).append(text)
    return found


def _by_modality(values: tuple[str, ...]) -> dict[str, str]:
    return {modality: names[-1] for modality, names in several(values).items()}


def several(values: tuple[str, ...]) -> dict[str, list[str]]:
    """Encoders by modality, as many of one modality as were named."""
    found: dict[str, list[str]] = {}
    for value in values:
        modality, equals, name = value.partition("=")
        if not equals or not modality or not name or ":" in modality:
            raise click.BadParameter(f"'{value}' is not of the form image=hub:<model>")
        found.setdefault(modality, []).append(name)
    return found
