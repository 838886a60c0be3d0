"""`textanchor fit`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.space import Space
    from textanchor.space.preparing import Encoding
    from textanchor.space.story import Counted, Story


@dataclass(frozen=True, kw_only=True)
class Joining:
    """How several tables, and what the space has been fitted on before, come into one fit."""

    balance: float
    keep: str


_JOINING = (
    click.option(
        "--balance",
        type=click.FloatRange(0, 1),
        default=1.0,
        show_default=True,
        help="Weights of several tables: 1 each table the same, 0 each pair the same.",
    ),
    click.option(
        "--keep",
        type=click.Choice(("auto", "rehearsal", "statistics", "nothing")),
        default="auto",
        show_default=True,
        help="What --into keeps of a modality that the space has: by cached latents, by kept sums, or nothing.",
    ),
)


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the new space.")
@click.option("--into", type=click.Path(path_type=Path), help="Add to this space; without -o it is updated in place.")
@options.encoding_of_videos
@options.reading
@click.option("--aligner", default="auto", show_default=True, help="How to fit: a name, or a call with settings; auto chooses.")
@click.option("--shared-view", is_flag=True, help="Views take their statistics from the texts of all modalities.")
@options.gathered("joining", Joining, *_JOINING)
@options.splitting
@options.runtime
@options.overwrite
def command(
    pairs: tuple[Path, ...],
    output: Path | None,
    into: Path | None,
    encoding: Encoding,
    reading: Reading,
    aligner: str,
    shared_view: bool,
    joining: Joining,
    splitting: Splitting,
    runtime: Runtime,
    overwrite: bool,
) -> None:
    """Fit a space from PAIRS: a table (CSV, JSON, Parquet, ...), a folder with tables or captions, or one folder per class.

    Several PAIRS are fitted together: each keeps its own split and, by --balance, its weight; their ids and groups never meet.

    A table has the columns `path` (or `image`, `audio`, `file_name`, ..., or `item_text`) and `text` (or `caption`, `label`,
    ...), and optionally `modality`, `item`, `group` and `split`; what is taken for what is printed. Rows with only an item or
    only a text are data without partners, for aligners that use it.
    """
    target = output or into
    if target is None:
        raise click.UsageError("say where the space goes: -o FOLDER (or --into SPACE)")
    from textanchor.data.joining import read_tables
    from textanchor.files import refuse_existing
    from textanchor.space.fitting import fit
    from textanchor.space.packed import refuse_own_encoders
    from textanchor.space.storage import load, save_into

    in_place = into is not None and target.resolve() == into.resolve()
    if not in_place:
        refuse_existing(target, overwrite=overwrite)
    base = load(into, runtime=runtime) if into else None
    if base is not None:
        refuse_own_encoders(base, target)
    table = read_tables(list(pairs), split_name=splitting.name, reading=reading)
    printing.texts(table)
    space = fit(
        table,
        anchor=encoding.anchor,
        encoders=encoding.encoders,
        aligner=aligner,
        into=base,
        video=encoding.video,
        wording=encoding.wording,
        shared_view=shared_view,
        balance=joining.balance,
        keep=joining.keep,
        splitting=splitting,
        runtime=runtime,
        announce=printing.warn,
    )
    if in_place:
        space = save_into(space, target)
    else:
        space.save(target, overwrite=overwrite)
    summary(space)
    if base is not None:
        since(space, base)
    story = space.stories[-1]
    held_out = any(sides["test"].items for sides in story.counts.values())
    named = shlex.join(map(str, pairs))
    others = f"{named}{options.as_typed(reading)}" if held_out else "OTHER_PAIRS (nothing was held out here)"
    click.echo(f"\nsaved to {target}; next: textanchor evaluate {target} {others}")


def since(space: Space, base: Space) -> None:
    """What the tables that the space had before give now, on what they held out; stdout, and a drop on stderr."""
    from textanchor.evaluation.again import again

    refitted = set(space.stories[-1].modalities) & set(base.modalities)
    for one in again(space, before=base):
        if one.modality not in refitted:
            continue
        for line in one.lines:
            click.echo(f"  before and now: {line}")
        if one.worse:
            printing.warn(f"{one.table}, {one.modality}: worse than before, by more than chance; another --keep may help")


def summary(space: Space) -> None:
    """What the last fit used, on which split, and what it chose; stdout."""
    story = space.stories[-1]
    printing.skipped(story.skipped)
    click.echo(f"\nsplit: {story.split}" + "".join(f"; {note}" for note in story.notes))
    for modality in story.modalities:
        _modality(space, story, modality)


def _modality(space: Space, story: Story, modality: str) -> None:
    fitted = space.modalities[modality]
    counts = story.counts[modality]
    click.echo(f"{modality}: " + ", ".join(f"{side} {_counted(count)}" for side, count in counts.items()))
    for what in ("items", "texts"):
        lone = {side: getattr(count, f"lone_{what}") for side, count in counts.items()}
        if any(lone.values()):
            other = "text" if what == "items" else "item"
            click.echo(f"  {what} without {other}: " + ", ".join(f"{side} {count}" for side, count in lone.items()))
    scores = ", ".join(f"{name} {score:.3f}" for name, score in fitted.choice.scores.items())
    why = f"; validation scores: {scores}" if scores else ""
    click.echo(f"  encoder {fitted.encoder}, aligner {fitted.aligner}{why}")
    click.echo(f"  {fitted.choice.text}")
    if (naming := fitted.choice.naming) is not None:
        mean = "" if naming.macro is None else f", macro {naming.macro:.3f}"
        figure = f"R@1 {naming.recall:.3f} [{naming.low:.3f}, {naming.high:.3f}]{mean}"
        click.echo(f"  on {naming.items} validation items: {figure}; the largest class alone {naming.largest_class:.3f}")


def _counted(count: Counted) -> str:
    return f"{count.items} items in {count.groups} groups"
