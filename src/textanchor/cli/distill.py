"""`textanchor distill`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import made, options, printing
from textanchor.config import DEFAULT_ANCHOR
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.distilling.anchors import Distilled
    from textanchor.distilling.encoders import Lesson
    from textanchor.pretraining import Pretrained

PLAN = ("epochs", "batch", "rate")


def _lesson(*, teacher: str | None, student: str | None, **told: Any) -> Any:
    """A lesson for an encoder; or, where a student of a text anchor is named, that and its teacher."""
    given = {name: value for name, value in told.items() if value is not None}
    if student is not None:
        if given:
            names = ", ".join(f"--{name}" for name in given)
            raise click.UsageError(f"--student makes a text anchor, whose settings stand in its brackets; leave out {names}")
        return student, teacher or DEFAULT_ANCHOR
    if teacher is None:
        raise click.UsageError(
            "say what is made: a text anchor by --student layers, static or adapted; "
            "or an encoder of items by --teacher ENCODER, with --backbone for the small network"
        )
    from textanchor.distilling.encoders import Lesson
    from textanchor.pretraining import Plan

    plan = {name: given.pop(name) for name in PLAN if name in given}
    return Lesson(teacher=teacher, plan=Plan(**{"batch": 128, **plan}), **given)


_LESSON = (
    click.option("--teacher", help="The big model: an encoder; with --student a text anchor. [default of that: the usual one]"),
    click.option("--student", help="A text anchor is made: layers, static, adapted, or a call such as 'static(dim=128)'."),
    click.option("--backbone", help="Encoders: the small network: resnet, vit, or a call. [default: resnet]"),
    click.option("--by", type=click.Choice(("latents", "classes")), help="Encoders: what is imitated. [default: latents]"),
    click.option("--dims", type=int, help="Encoders: strongest directions of latents that are imitated. [default: 128]"),
    click.option("--temperature", type=float, help="Encoders: of soft classes. [default: 1]"),
    click.option("--front", help="Encoders: how items become arrays. [default: measured on some items]"),
    click.option("--augmentation", help="Encoders: random changes before the student. [default: what suits the modality]"),
    click.option("--epochs", type=int, help="Encoders: passes over the items. [default: 30]"),
    click.option("--batch", type=int, help="Encoders: items of a step. [default: 128]"),
    click.option("--rate", type=float, help="Encoders: learning rate, after the warm-up. [default: 0.001]"),
)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of what is made.")
@options.gathered("lesson", _lesson, *_LESSON)
@click.option(
    "--against", multiple=True, help="Encoders: another one to be compared with, beside the teacher. Repeat for more."
)
@options.reading
@options.splitting
@options.runtime
@options.overwrite
@options.as_json
def command(
    source: Path,
    output: Path,
    lesson: Lesson | tuple[str, str],
    against: tuple[str, ...],
    reading: Reading,
    splitting: Splitting,
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make a small model of a big one: a text anchor with --student, from the texts of SOURCE (lines of a .txt file, or the
    training side of pairs); else an encoder of the items of SOURCE, described or not.

    Says what it costs and keeps beside its teacher. An interrupted training goes on when the same command is given again. The
    results are st:FOLDER, a model of sentence-transformers, and own:FOLDER.
    """
    if isinstance(lesson, tuple):
        if against:
            raise click.UsageError("--student makes a text anchor, and --against is for encoders of items")
        _anchor(source, output, lesson, splitting=splitting, reading=reading, runtime=runtime, how=(overwrite, as_json))
        return
    from textanchor.distilling.encoders import distill_encoder

    made.refuse_finished(output, overwrite=overwrite)
    found = distill_encoder(
        source,
        lesson,
        folder=output,
        against=against,
        announce=printing.say,
        splitting=splitting,
        reading=reading,
        runtime=runtime,
    )
    printing.skipped(found.skipped)
    _told_encoder(found, as_json=as_json)
    made.wrote(output, as_json=as_json)


def _anchor(
    source: Path,
    output: Path,
    named: tuple[str, str],
    *,
    splitting: Splitting,
    reading: Reading,
    runtime: Runtime,
    how: tuple[bool, bool],
) -> None:
    from textanchor.distilling.anchors import distill_anchor

    overwrite, as_json = how
    student, teacher = named
    found = distill_anchor(
        source,
        output,
        student,
        teacher=teacher,
        overwrite=overwrite,
        splitting=splitting,
        reading=reading,
        runtime=runtime,
    )
    _told_anchor(found, as_json=as_json)
    click.echo(f"\nwrote {output}: an anchor, {found.anchor}", err=as_json)


def _told_anchor(found: Distilled, *, as_json: bool) -> None:
    from textanchor.distilling.anchors import told

    if as_json:
        printing.dump({"remarks": list(found.remarks), **asdict(found.beside)})
        return
    for line in (*found.remarks, *told(found.beside)):
        click.echo(line)


def _told_encoder(found: Pretrained, *, as_json: bool) -> None:
    if as_json:
        notes = list(found.made.notes)
        printing.dump({"notes": notes, "verdict": [asdict(row) for row in found.verdict]})
        return
    made.judged(found.verdict)
    for note in found.made.notes:
        click.echo(note)
