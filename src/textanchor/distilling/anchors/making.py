"""`distill_anchor`: from a text anchor and texts to the folder of a student, and what it costs and keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from textanchor.config import DEFAULT_ANCHOR, versions
from textanchor.distilling.anchors.judging import Beside, costs, kept
from textanchor.distilling.anchors.protocol import Teacher, student_of, teacher_of
from textanchor.distilling.anchors.texts import Taught, texts_of
from textanchor.encoders import make
from textanchor.encoders.students import FORMAT, MARK
from textanchor.files import located, new_folder, write_bytes, write_json
from textanchor.runtime import Reading, Runtime, Splitting
from textanchor.space.items import TEXT


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """A student in its folder: its name as an anchor, remarks on how it came to be, and what it costs and keeps."""

    folder: Path
    anchor: str
    remarks: tuple[str, ...]
    beside: Beside


def distill_anchor(
    texts: object,
    folder: str | Path,
    student: str = "layers",
    *,
    teacher: str = DEFAULT_ANCHOR,
    overwrite: bool = False,
    splitting: Splitting | None = None,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
) -> Distilled:
    """Make a smaller, faster or adapted text anchor: `st:<folder>` wherever one is named, and a model of sentence-transformers.

    `texts` are lines of a .txt file, strings, or pairs, of which the training side teaches. `student` is `layers`, `static` or
    `adapted`, with settings. A tenth of the texts is held back: they choose settings and say what is kept.
    An interrupted training goes on when the same is asked for again. Raises `InputError`.
    """
    work, seed = runtime or Runtime(), (splitting or Splitting()).seed
    way, taught_by = student_of(student), teacher_of(teacher, work)
    found = texts_of(texts, splitting=splitting, reading=reading, runtime=work)
    teach, held = taught_by.taught(found).parted(seed)
    place = located(folder)
    standing = place.with_name(f"{place.name}.training.safetensors")
    with new_folder(place, overwrite=overwrite, marker=MARK) as new:
        remarks = way.make(taught_by, teach, held, new, standing=standing)
        write_json(new / MARK, {"format": FORMAT, "kind": way.kind, "made": _story(student, teacher, taught_by, found.source)})
        beside = _judged(new, taught_by, held, work)
        write_json(new / "distilled.json", {"remarks": list(remarks), **asdict(beside)})
        card = _card(place.name, student, teacher, [*remarks, *told(beside)], found.source, len(teach))
        write_bytes(new / "README.md", card.encode())
    return Distilled(folder=place, anchor=f"st:{folder}", remarks=remarks, beside=beside)


def _judged(folder: Path, teacher: Teacher, held: Taught, runtime: Runtime) -> Beside:
    student = make(f"st:{folder}", TEXT, runtime)
    mine, theirs = costs((student, folder), (teacher.encoder, teacher.folder), held.texts.texts)
    found = student.encode(list(held.texts.texts))
    return Beside(student=mine, teacher=theirs, kept=kept(found, held.vectors))


def _story(student: str, name: str, teacher: Teacher, source: str) -> dict[str, object]:
    told = {"student": student, "teacher": name, "teacher_fingerprint": teacher.encoder.fingerprint, "texts": source}
    return {**told, "versions": dict(versions())}


def told(beside: Beside) -> list[str]:
    """Sentences."""
    mine, theirs, kept_ = beside.student, beside.teacher, beside.kept
    cosine = "" if kept_.cosine is None else f"; cosine to the teacher's vectors {kept_.cosine:.3f}"
    return [
        f"{mine.megabytes:.1f} MB, the teacher {theirs.megabytes:.1f} MB ({beside.smaller:.0%})",
        f"{beside.faster:.1f} times the teacher's texts a second "
        f"({mine.texts_a_second:.0f} and {theirs.texts_a_second:.0f} here)",
        f"of a text's ten nearest texts {kept_.neighbours:.0%} stay, among {kept_.texts} held back{cosine}",
    ]


def _card(name: str, student: str, teacher: str, lines: Sequence[str], source: str, count: int) -> str:
    return "\n".join(
        [
            f"# {name}",
            "",
            f"A text anchor distilled from `{teacher}` by `{student}`: `st:{name}` wherever an anchor is named, or",
            f'`SentenceTransformer("{name}")`. It knows best the kind of text that it was made on: {count} texts of {source}.',
            "A space is bound to the anchor that it was fitted on; fit anew on this one.",
            "",
            *(f"- {line}" for line in lines),
            "",
        ]
    )
