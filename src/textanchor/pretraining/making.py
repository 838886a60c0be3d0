"""`pretrain`: from a table or folder to the folder of an encoder, with the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textanchor.encoders.own import OwnEncoder
from textanchor.pretraining.comparing import compared, usual
from textanchor.pretraining.pretraining import Recipe, Trained, encoder_of, trained
from textanchor.pretraining.processes import launched
from textanchor.pretraining.ready import Ready, ready
from textanchor.pretraining.showing import shown
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
    source = source_of(pairs, splitting=splitting or Splitting(), reading=reading, runtime=work)
    given = ready(source, recipe.front, work)
    made = trained(given, recipe, course=shown(announce, work), folder=folder)
    return concluded(made, given, recipe, usual(source.modality) if against is None else against, folder=folder)


def concluded(made: Trained, given: Ready, recipe: Recipe, rivals: Sequence[str], *, folder: Path | None) -> Pretrained:
    """Judge what was trained beside its rivals, where classes and a test side allow it, and write its folder.

    Of several processes the first does both.
    """
    encoder, first = encoder_of(made, given, OURS), launched().first
    judged = given.source.judged and first
    rows = compared(encoder, rivals, given, seed=recipe.seed, runtime=given.runtime) if judged else []
    if folder is not None and first:
        write_encoder(folder, made, recipe, given.source, rows)
    return Pretrained(made=made, encoder=encoder, verdict=tuple(rows), skipped=given.skipped)
