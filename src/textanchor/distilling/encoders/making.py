"""`distill_encoder`: from a big encoder and items to the folder of a small one, with the verdict beside the teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from textanchor.data.decoding import decode
from textanchor.distilling.encoders.targets import rotated, soft_classes
from textanchor.distilling.encoders.tasks import Imitation, SoftClasses
from textanchor.distilling.timing import seconds
from textanchor.encoders import Encoder, make_single
from textanchor.encoders.own import OwnEncoder
from textanchor.errors import InputError
from textanchor.latents.engine import encode
from textanchor.pretraining.inputs import Arrays
from textanchor.pretraining.making import OURS, Pretrained, concluded
from textanchor.pretraining.objectives import Pretext
from textanchor.pretraining.plan import Plan
from textanchor.pretraining.pretraining import Recipe, encoder_of, trained
from textanchor.pretraining.ready import Ready, ready
from textanchor.pretraining.showing import shown
from textanchor.pretraining.sources import source_of
from textanchor.records import Pooled, Vectors
from textanchor.runtime import Reading, Runtime, Splitting

By: TypeAlias = Literal["latents", "classes"]
TIMED = 32
FEWEST = 10


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Who teaches, what network learns, and by what: the teacher's latents in their `dims` strongest directions, or the soft
    classes, at a temperature, of a classifier on its latents that was fitted on the labels there are (self-distillation, where
    the teacher is an encoder of one's own)."""

    teacher: str
    backbone: str = "resnet"
    by: By = "latents"
    dims: int = 128
    temperature: float = 1.0
    front: str | None = None
    augmentation: str | None = None
    plan: Plan = field(default_factory=Plan)

    def __post_init__(self) -> None:
        """Raises `InputError`."""
        if self.by not in ("latents", "classes"):
            raise InputError(f"by={self.by}: expected latents or classes")
        if self.dims < 1 or not self.temperature > 0:
            raise InputError(f"dims={self.dims}, temperature={self.temperature}: expected 1 or more, and a number above 0")

    def recipe(self, seed: int) -> Recipe:
        """As a folder tells it."""
        how = f"dims={self.dims}" if self.by == "latents" else f"temperature={self.temperature:g}"
        task = f"distilling {self.teacher} by {self.by}, {how}"
        return Recipe(task=task, backbone=self.backbone, augmentation=self.augmentation, plan=self.plan, seed=seed)


def distill_encoder(
    items: object,
    lesson: Lesson,
    *,
    folder: Path | None = None,
    against: Sequence[str] = (),
    announce: Callable[[str], None] = lambda line: None,
    splitting: Splitting | None = None,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
) -> Pretrained:
    """Teach a small network what an encoder gives for the training side of `items`, described or not.

    Where texts are class names, validation chooses the depth, and the test side judges by a linear probe from 1, 10 and 100 %
    of the labels, beside the teacher. `folder`, if given, is written as an encoder (`own:<folder>`), and an interrupted
    training goes on from it. Raises `InputError` or `NothingUsableError`.
    """
    work, split = runtime or Runtime(), splitting or Splitting()
    source = source_of(items, splitting=split, reading=reading, runtime=work)
    teacher = make_single(lesson.teacher, source.modality, work)
    given, latents = _both_know(ready(source, lesson.front, work), teacher, work)
    recipe = lesson.recipe(split.seed)
    made = trained(given, recipe, course=shown(announce, work), folder=folder, own=_task(lesson, latents, given.train))
    made = replace(made, notes=(*made.notes, _cost(encoder_of(made, given, OURS), teacher, given, work)))
    return concluded(made, given, recipe, list(dict.fromkeys([lesson.teacher, *against])), folder=folder)


def _task(lesson: Lesson, latents: Vectors, train: Arrays) -> Pretext:
    if lesson.by == "classes":
        return SoftClasses(soft_classes(latents, train.labels, lesson.temperature), lesson.temperature)
    return Imitation(rotated(latents, lesson.dims))


def _both_know(given: Ready, teacher: Encoder, runtime: Runtime) -> tuple[Ready, Vectors]:
    """What both can read of the training side, with the teacher's latents row by row."""
    found = encode(list(given.read.items), teacher, runtime).latents
    assert isinstance(found, Pooled)
    place = {item: row for row, item in enumerate(found.ids)}
    rows = [row for row, item in enumerate(given.read.items) if item.id in place]
    if len(rows) < FEWEST:
        raise InputError(f"the teacher can read {len(rows)} of {len(given.read)} items; a student needs at least {FEWEST}")
    return given.taught_by(rows), found.vectors[[place[given.read.items[row].id] for row in rows]]


def _cost(student: OwnEncoder, teacher: Encoder, given: Ready, runtime: Runtime) -> str:
    """A sentence: its size, and its speed beside the teacher's, in turns."""
    values = [decode(item, runtime.limits) for item in given.read.items[:TIMED]]
    mine, theirs = seconds([student, teacher], values)
    return (
        f"it encodes {len(values) / mine:.0f} items a second here, the teacher {len(values) / theirs:.0f}: "
        f"{theirs / mine:.1f} times as many"
    )
