"""Options that several commands share. Those that belong to one record reach a command as that record."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from textanchor.cli import interrupting
from textanchor.config import cache_folder
from textanchor.progress import Terminal
from textanchor.runtime import ALLOWED, ENGINES, FRACTIONS, Limits, Reading, Runtime, Splitting

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def gathered(name: str, make: Callable[..., Any], *options: Decorator) -> Decorator:
    """Options that reach the command as the one parameter `name`: what `make` makes of their values."""

    def decorate(command: Command) -> Command:
        own: list[str] = []

        @wraps(command)
        def call(*arguments: Any, **values: Any) -> Any:
            record = make(**{parameter: values.pop(parameter) for parameter in own})
            return command(*arguments, **{name: record}, **values)

        decorated: Any = call
        before = len(getattr(decorated, "__click_params__", ()))
        for option in reversed(options):
            decorated = option(decorated)
        own += dict.fromkeys(str(parameter.name) for parameter in decorated.__click_params__[before:])
        return call

    return decorate


def by_modality(values: Sequence[str], example: str) -> dict[str, list[str]]:
    """Values of the form `modality=value`, as many of one modality as were given. Raises `BadParameter`."""
    found: dict[str, list[str]] = {}
    for value in values:
        modality, equals, what = value.partition("=")
        if not equals or not modality or not what or ":" in modality:
            raise click.BadParameter(f"'{value}' is not of the form {example}")
        found.setdefault(modality, []).append(what)
    return found


def several_encoders(values: Sequence[str]) -> dict[str, list[str]]:
    """Encoders by modality, as many of one modality as were named."""
    return by_modality(values, "image=hub:<model>")


def _last_encoders(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    return {modality: names[-1] for modality, names in several_encoders(values).items()}


def _templates(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> dict[str, list[str]]:
    return by_modality(values, "'image=a photo of a {}'")


seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="One seed fixes everything.")
cache = click.option(
    "--cache", type=click.Path(path_type=Path), help="Folder of latents. [default: the platform's cache folder]"
)
overwrite = click.option("--overwrite", is_flag=True, help="Replace an existing output.")
strict = click.option("--strict", is_flag=True, help="Stop at the first item that cannot be read.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
more = click.option(
    "--more", type=click.IntRange(min=1), help="Further pairs to extrapolate to. [default: 300, or as many as there are]"
)
anchor = click.option("--anchor", help="Text model that spans the space. [default: all-MiniLM-L6-v2, installed]")
video = click.option("--video", help="Parts of videos: first, uniform:4 or scene:4, and +sound. [default: uniform:4+sound]")
encoders = click.option(
    "--encoder",
    "encoders",
    multiple=True,
    metavar="MODALITY=NAME",
    callback=_last_encoders,
    help="Encoder of a modality, such as image=hub:facebook/dinov2-small. Repeat for more.",
)

_WORDING = (
    click.option(
        "--template",
        "templates",
        multiple=True,
        metavar="MODALITY=TEXT",
        callback=_templates,
        help="Words around a text, such as 'image=a photo of a {}'. Repeat to average several.",
    ),
    click.option(
        "--synonyms", type=click.Path(path_type=Path), help="Other words for texts: JSON, or CSV with columns text and synonym."
    ),
)
_SPLITTING = (
    click.option(
        "--fractions",
        default=",".join(f"{share:g}" for share in FRACTIONS),
        show_default=True,
        help="Shares of train, validation and test.",
    ),
    seed,
    click.option("--resplit", is_flag=True, help="Split anew although the table has a split column."),
    click.option("--split-name", help="Name of a predefined split that breaks groups, such as 'official, speakers shared'."),
)
_READING = {
    "path_column": click.option("--path-column", multiple=True, help="Column of files. [default: path, image, file_name, ...]"),
    "text_column": click.option("--text-column", multiple=True, help="Column of texts. [default: text, caption, label, ...]"),
    "root": click.option("--root", type=click.Path(path_type=Path), help="Where relative paths begin. [default: the table's]"),
    "class_depth": click.option(
        "--class-depth", type=click.IntRange(min=0), help="Folder that names the class: 1 the first; 0 all together."
    ),
    "follow_links": click.option("--follow-links", is_flag=True, help="Go into linked folders."),
    "include": click.option("--include", multiple=True, metavar="GLOB", help="Only such files, such as '*.jpg'. Repeatable."),
    "exclude": click.option("--exclude", multiple=True, metavar="GLOB", help="No such files or folders. Repeatable."),
    "modality": click.option(
        "--modality",
        multiple=True,
        help="Only this; also what files are whose ending says less or else: audio in .webm.",
    ),
    "allow_lost": click.option(
        "--allow-lost",
        type=click.FloatRange(0, 1),
        default=ALLOWED,
        show_default=True,
        help="Share of rows that may be unusable.",
    ),
}
_OF_PAIRS = ("text_column", "class_depth", "allow_lost")
_RUNTIME = {
    "cache": cache,
    "device": click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto."),
    "engine": click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default="local",
        show_default=True,
        help="Who encodes: threads here, or Ray.",
    ),
    "offline": click.option("--offline", is_flag=True, help="Fetch no model."),
    "workers": click.option("--workers", type=click.IntRange(min=1), help="Decoding threads (Ray: actors)."),
    "pixels": click.option("--max-pixels", "pixels", type=click.IntRange(min=1), help="Largest image. [default: 100000000]"),
    "seconds": click.option("--max-seconds", "seconds", type=click.IntRange(min=1), help="Longest sound. [default: 600]"),
    "numbers": click.option(
        "--max-numbers", "numbers", type=click.IntRange(min=1), help="Longest series, in numbers. [default: 100000000]"
    ),
    "strict": strict,
}


def _runtime(
    *,
    cache: Path | None = None,
    pixels: int | None = None,
    seconds: int | None = None,
    numbers: int | None = None,
    **settings: Any,
) -> Runtime:
    """What was not said is left to the environment."""
    largest = {"pixels": pixels, "seconds": seconds, "numbers": numbers}
    limits = Limits(**{name: limit for name, limit in largest.items() if limit is not None})
    said = {name: value for name, value in settings.items() if value}
    runtime = Runtime(cache=cache_folder(cache), limits=limits, progress=Terminal(), **said)
    interrupting.note(cache=runtime.cache)
    return runtime


def _splitting(*, fractions: str, seed: int, resplit: bool, split_name: str | None) -> Splitting:
    try:
        shares: Any = tuple(float(share) for share in fractions.split(","))
    except ValueError:
        raise click.BadParameter(f"'{fractions}' is not three numbers such as 0.7,0.1,0.2", param_hint="--fractions") from None
    return Splitting(fractions=shares, seed=seed, resplit=resplit, name=split_name)


def _encoding(*, templates: dict[str, list[str]], synonyms: Path | None, **models: Any) -> Any:
    """An `Encoding`: what turns items and texts into latents."""
    from textanchor.data.wording import wording as put_into_words
    from textanchor.space.preparing import Encoding

    return Encoding(wording=put_into_words(templates, synonyms), **models)


def _wording(*, templates: dict[str, list[str]], synonyms: Path | None) -> Any:
    from textanchor.data.wording import wording as put_into_words

    return put_into_words(templates, synonyms)


def runtime_without(*names: str) -> Decorator:
    """`runtime` without some of its options, for commands to which they mean nothing."""
    return gathered("runtime", _runtime, *(option for name, option in _RUNTIME.items() if name not in names))


def reading_without(*names: str) -> Decorator:
    """`reading` without some of its options."""
    return gathered("reading", Reading, *(option for name, option in _READING.items() if name not in names))


runtime = runtime_without()  # how work is done
reading = reading_without()  # how pairs are read
reading_of_items = reading_without(*_OF_PAIRS)
reading_of_hits = reading_without(*_OF_PAIRS, "modality")  # which a search has itself
splitting = gathered("splitting", _splitting, *_SPLITTING)  # how pairs are split
wording = gathered("wording", _wording, *_WORDING)  # how texts are put into words
encoding = gathered("encoding", _encoding, anchor, encoders, *_WORDING)
encoding_of_videos = gathered("encoding", _encoding, anchor, encoders, video, *_WORDING)


def as_typed(reading: Reading) -> str:
    """The options of a reading that is not the default one, each with a blank before it, for the next command."""
    told = []
    for one in fields(reading):
        value = getattr(reading, one.name)
        option = f"--{one.name.replace('_', '-')}"
        if value is True:
            told.append(option)
        elif value != getattr(Reading(), one.name):
            told += [f"{option} {shlex.quote(str(single))}" for single in (value if isinstance(value, tuple) else [value])]
    return "".join(f" {option}" for option in told)
