"""What a way of making a student of a text anchor is, and the teacher that it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from textanchor import registry
from textanchor.distilling.anchors.texts import Taught, Texts
from textanchor.encoders import Encoder, make_single, parse
from textanchor.encoders._hf import fetched
from textanchor.encoders.sentence import PACKAGED, packaged
from textanchor.errors import InputError, NothingUsableError
from textanchor.latents.engine import encode
from textanchor.records import Item, Pooled, Vectors
from textanchor.runtime import Runtime
from textanchor.space.items import TEXT
from textanchor.views import unit


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A text anchor by name: how it encodes, through the cache, and the folder of `sentence-transformers` that it lies in."""

    name: str
    encoder: Encoder
    folder: Path
    prompt: str
    runtime: Runtime = field(default_factory=Runtime)

    def vectors(self, texts: tuple[str, ...]) -> Vectors:
        """*Shape:* [n, d], each of length 1."""
        found = encode([Item(id=text, modality=TEXT, value=text) for text in texts], self.encoder, self.runtime)
        assert isinstance(found.latents, Pooled)
        if len(found.latents.ids) != len(texts):
            raise NothingUsableError(f"{self.name} could not read {len(texts) - len(found.latents.ids)} of the texts")
        return unit(found.latents.vectors)

    def taught(self, texts: Texts) -> Taught:
        """Texts with its vectors."""
        return Taught(texts=texts, vectors=self.vectors(texts.texts))


@runtime_checkable
class Student(Protocol):
    """A way of making a student, with its settings."""

    kind: str

    def make(self, teacher: Teacher, teach: Taught, held: Taught, folder: Path, *, standing: Path) -> tuple[str, ...]:
        """Write the model into an empty folder, as `sentence-transformers` reads it, and remarks on how it came to be.

        `held` may choose settings. A training keeps where it stands in the file `standing`, and goes on from it. Random
        numbers come from the student's own seed. Raises `InputError` for a teacher or texts that it can make nothing of.
        """


def student_of(spec: str) -> Student:
    """By name and settings, such as `static(dim=256)`. Raises `InputError`."""
    made: Student = registry.part("student", spec)
    return made


def teacher_of(name: str, runtime: Runtime) -> Teacher:
    """Raises `InputError` for an anchor that is no model of `sentence-transformers`, and what `make` raises."""
    call = parse(name)
    if call.name != "st":
        raise InputError(f"{name}: students are made of models of sentence-transformers; name one as st:MODEL or st:FOLDER")
    encoder = make_single(name, TEXT, runtime)
    place = packaged() if call.argument in ("", *PACKAGED) else None
    if place is None:
        place = fetched("st", call.argument, call.settings.get("revision"), offline=runtime.offline)  # type: ignore[arg-type]
    return Teacher(name=name, encoder=encoder, folder=place, prompt=getattr(encoder, "prompt", ""), runtime=runtime)


def agreement(student: Vectors, teacher: Vectors) -> float:
    """The mean cosine of a student's vectors and its teacher's."""
    return float(np.einsum("nd,nd->n", unit(student), unit(teacher)).mean())
