"""`pretrain`: from a table or folder to the folder of an encoder, with the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textanchor.encoders.own import OwnEncoder
from textanchor.pretraining.comparing import compared, usual
from textanchor.pretraining.loop import Course, Row
from textanchor.pretraining.pretraining import Recipe, Trained, trained
from textanchor.pretraining.processes import launched
from textanchor.pretraining.ready import ready
from textanchor.pretraining.sources import source_of
from textanchor.pretraining.verdict import Judged
from textanchor.pretraining.writing import write_encoder
from textanchor.records import Skipped
from textanchor.runtime import Reading, Runtime, Splitting

OURS = "this encoder"


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """What was made: the trained network, the encoder, what the test side says of it (nothing without classes), what could not
    be read."""

    made: Trained
    encoder: OwnEncoder
    verdict: tuple[Judged, ...]
    skipped: tuple[Skipped, ...]


def pretrain(
    pairs: object,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    against: Sequence[str] | None = None,
    announce: Callable[[str], None] = lambda line: None,
    splitting: Splitting | None = None,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
) -> Pretrained:
    """Train an encoder on the training side of `pairs`, or on all items of a folder that nobody described.

    Where texts are class names, validation chooses the depth, and the test side judges by a linear probe from 1, 10 and 100 %
    of the labels, beside encoders `against`: the modality's own, `signal` and principal components unless said. `folder`, if
    given, is written as an encoder (`own:<folder>`), and an interrupted training goes on from it.
    Of several processes (`accelerate launch`), each of which has all items in memory, the first judges and writes.
    Raises `InputError` or `NothingUsableError`.
    """
    work = runtime or Runtime()
    told = reading.modality[0] if reading is not None and len(reading.modality) == 1 else None
    source = source_of(pairs, told, splitting=splitting or Splitting(), reading=reading, runtime=work)
    given = ready(source, recipe.front, work)

    def shown(course: Course) -> Course:
        return replace(course, progress=work.progress, told=lambda row: announce(_line(row))) if launched().first else course

    made = trained(given, recipe, course=shown, folder=folder)
    encoder = OwnEncoder(made.description, given.front, made.network, device=given.device, name=OURS)
    rivals = usual(source.modality) if against is None else list(against)
    rows = compared(encoder, rivals, given, seed=recipe.seed, runtime=work) if source.judged and launched().first else []
    if folder is not None and launched().first:
        write_encoder(folder, made, recipe, source, rows)
    return Pretrained(made=made, encoder=encoder, verdict=tuple(rows), skipped=given.skipped)


def _line(row: Row) -> str:
    """An epoch in a line."""
    score = f", probe {row['score']:.3f}" if "score" in row else ""
    return f"epoch {row['epoch']:.0f}: loss {row['loss']:.4f}, {row['rank']:.0f} directions{score}"
