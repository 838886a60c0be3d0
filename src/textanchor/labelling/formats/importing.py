"""One way in: decisions from what an export wrote, from tables that people have, and from Label Studio."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textanchor.data import tables
from textanchor.data.wording import plain_name
from textanchor.errors import InputError, NothingUsableError
from textanchor.files import located, read_json
from textanchor.labelling.formats import class_folders, label_studio
from textanchor.labelling.formats.gathering import from_json
from textanchor.labelling.formats.label_studio_reading import Found, Known, read_label_studio
from textanchor.labelling.formats.placing import placing
from textanchor.labelling.project import Choice, Class, Decision, Project
from textanchor.labelling.project.log import moment, person
from textanchor.records import Skipped, first_of

COLUMNS: Mapping[str, tuple[str, ...]] = {  # of tables, as they are called by others, squeezed; the surest first
    "item": ("item", "id", "itemid", "path", "filename", "filepath", "file", "image", "audio", "video"),
    "label": ("label", "labels", "class", "classes", "classname", "category", "choice", "text"),
    "who": ("who", "annotator", "labeller", "labeler", "user", "completedby"),
    "at": ("at", "time", "date", "timestamp", "createdat", "updatedat"),
    "status": ("status", "kind"),
    "decisions": ("decisions",),
}
SEVERAL = re.compile(r"[|;]")
SAID = {"none": "none", "none of these": "none", "unsure": "unsure", "cannot tell": "unsure"}


@dataclass(frozen=True, kw_only=True)
class ImportedLabels:
    """What an import did: decisions that are new here, those that were here already, classes that were added, and rows or tasks
    that could not be used."""

    new: int
    known: int
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def import_labels(project: Project, source: str | Path, *, who: str = "import", add_classes: bool = False) -> ImportedLabels:
    """Take decisions over from a CSV or Parquet table, a folder that an export wrote, or JSON of Label Studio.

    A table needs columns of items and labels; `who` is taken where it does not say who. Classes that the project does not have
    are refused unless `add_classes`. What is here already, by the same person at the same time, is not written twice; nor is a
    row without a time that says what stands from that person. Raises `InputError` for what is not there or not understood, and
    for rows that contradict each other, `NothingUsableError` where no item is the project's.
    """
    place = located(source)
    known = _known(project)
    texts: dict[str, str] = {}
    found = _read(place, known, who, multi=project.settings.multi, texts=texts)
    if not found.decisions:
        raise NothingUsableError(f"{place} holds no decision on an item of {project.file.name}{first_of(found.skipped)}")
    added = _classes(project, found.decisions, texts, place, add=add_classes)
    with project.database.writing():
        new = project.bring(list(_news(project, found.decisions)))
    return ImportedLabels(new=new, known=len(found.decisions) - new, classes=added, skipped=found.skipped)


def decide_from(project: Project, file: str | Path, *, who: str, add_classes: bool = False) -> int:
    """Decide what a table says, as this person or whom its rows name; how many decisions these are.

    Unlike `import_labels` it is an answer to what was asked, so that items drawn at random count as drawn. All or none.
    """
    place = located(file)
    if not place.is_file():
        raise InputError(f"{place} does not exist; expected a table with columns item and label")
    known = _known(project)
    found = _of_table(place, known, who, multi=project.settings.multi)
    if found.skipped:
        raise InputError(f"{found.skipped[0].item}: {found.skipped[0].reason}; nothing was written")
    _classes(project, found.decisions, {}, place, add=add_classes)
    people = dict.fromkeys(one.who for one in found.decisions)
    with project.database.writing():
        for one in people:
            own = [_choice(decision) for decision in found.decisions if decision.who == one]
            project.decide_all(own, who=one, how="picked")
    return len(found.decisions)


def _news(project: Project, decisions: Sequence[Decision]) -> Iterator[Decision]:
    """Those that have a time, and those that say something else than what stands from the same person, as of now."""
    log = (one for one in project.history() if not one.undone and one.kind not in ("undo", "take"))
    stands = {(one.item, one.who): _said(one) for one in log}
    for one in decisions:
        key = one.item, person(one.who)
        if one.at or stands.get(key) != _said(one):
            stands[key] = _said(one)
            yield replace(one, at=one.at or moment())


def _said(one: Decision) -> frozenset[str] | str:
    return frozenset(one.classes) or one.kind


def _known(project: Project) -> Known:
    found = placing(project.database, project.entries())
    return Known(ids=found.ids, names=found.names)


def _choice(decision: Decision) -> Choice:
    kind = "label" if decision.kind == "import" else decision.kind
    return Choice(item=decision.item, kind=kind, classes=decision.classes)


def _read(place: Path, known: Known, who: str, *, multi: bool, texts: dict[str, str]) -> Found:
    if (place / class_folders.MARKER).is_file():
        return _of_folders(read_json(place / class_folders.MARKER), known, place, texts)
    if (place / label_studio.MARKER).is_file():
        told = read_json(place / label_studio.MARKER)
        texts |= {str(one["key"]): str(one["text"]) for one in told.get("classes", ())}
        parts = [read_label_studio(file, known) for file in sorted(place.glob("*.json")) if file.name != label_studio.MARKER]
        decisions = sorted((one for part in parts for one in part.decisions), key=lambda one: (one.event < 0, one.event))
        return Found(decisions=tuple(decisions), skipped=tuple(one for part in parts for one in part.skipped))
    if place.suffix.lower() == ".json":
        return read_label_studio(place, known)
    if not place.is_file():
        raise InputError(f"{place} is no table, and no folder that `textanchor label export` wrote")
    return _of_table(place, known, who, multi=multi)


def _of_folders(told: Any, known: Known, place: Path, texts: dict[str, str]) -> Found:
    texts |= {str(one["key"]): str(one["text"]) for one in told.get("classes", {}).values()}
    decisions: list[Decision] = []
    skipped: list[Skipped] = []
    for name, held in told.get("decisions", {}).items():
        if (own := known.own(name)) is not None:
            decisions += from_json(own, held, str(place))
        else:
            skipped.append(Skipped(item=name, reason="no item of the project is called so"))
    return Found(decisions=tuple(sorted(decisions, key=lambda one: one.event)), skipped=tuple(skipped))


def _of_table(file: Path, known: Known, who: str, *, multi: bool) -> Found:
    decisions: list[Decision] = []
    skipped: list[Skipped] = []
    columns: dict[str, str] = {}
    plain: list[tuple[int, Decision]] = []
    for number, row in tables.rows(file):
        columns = columns or _columns(file, [str(key) for key in row])
        told = {role: str(row.get(column) if row.get(column) is not None else "") for role, column in columns.items()}
        name = known.find(told["item"]) if told["item"] else None
        if name is None:
            skipped.append(Skipped(item=f"{file.name}:{number}", reason=f"no item of the project is called '{told['item']}'"))
        elif told.get("decisions"):
            decisions += from_json(name, told["decisions"], f"{file.name}:{number}")
        elif "decisions" not in columns:
            rows = [(number, one) for one in _of_row(name, told, who, multi=multi)]
            decisions += [one for _, one in rows]
            plain += rows
    if not multi:
        _check(file, plain)
    return Found(decisions=tuple(sorted(decisions, key=lambda one: one.event)), skipped=tuple(skipped))


def _check(file: Path, plain: Sequence[tuple[int, Decision]]) -> None:
    """Raise `InputError` for two rows in which a person says two things of an item, and not when."""
    first: dict[tuple[str, str], tuple[int, Decision]] = {}
    for number, one in plain:
        line, before = (number, one) if one.at else first.setdefault((one.item, person(one.who)), (number, one))
        if _said(before) != _said(one):
            raise InputError(
                f"{file.name}:{line} says that '{one.item}' is '{_words(before)}', and {file.name}:{number} that it is "
                f"'{_words(one)}'; expected one class an item in this project: take one of these rows out (nothing was written)"
            )


def _words(one: Decision) -> str:
    return "|".join(one.classes) or one.kind


def _of_row(name: str, told: Mapping[str, str], who: str, *, multi: bool) -> Iterator[Decision]:
    """A row's label, or that there is none, without a time where the row has none; nothing of an empty one."""
    label = " ".join(told.get("label", "").split())
    said = SAID.get(" ".join(told.get("status", "").lower().split()))
    keys = tuple(" ".join(one.split()) for one in (SEVERAL.split(label) if multi else [label]) if one.strip())
    if keys or said:
        yield Decision(
            event=0,
            item=name,
            kind=said if said and not keys else "import",
            classes=keys,
            who=told.get("who") or who,
            at=told.get("at", ""),
            how="import",
        )


def _columns(file: Path, names: Sequence[str]) -> dict[str, str]:
    squeezed = {re.sub(r"[\s_-]", "", name).lower(): name for name in reversed(names)}
    found = {
        role: squeezed[key] for role, known in COLUMNS.items() if (key := next((one for one in known if one in squeezed), None))
    }
    if "item" not in found or not {"label", "decisions"} & found.keys():
        raise InputError(
            f"{file} has the columns {', '.join(names)}; expected one of items ({', '.join(COLUMNS['item'][:4])}, ...) "
            f"and one of labels ({', '.join(COLUMNS['label'][:4])}, ...)"
        )
    return found


def _classes(
    project: Project, decisions: Sequence[Decision], texts: Mapping[str, str], place: Path, *, add: bool
) -> tuple[str, ...]:
    """Add the classes that are missing, or refuse."""
    known = {one.key for one in project.classes}
    missing = dict.fromkeys(key for one in decisions for key in one.classes if key not in known)
    if missing and not add:
        told = ", ".join(list(missing)[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(f"{place} names classes that the project does not have: {told}; take them too with --add-classes")
    for key in missing:
        project.add_class(key, Class(key=key, text=texts.get(key, "") or plain_name(key)).text)
    return tuple(missing)
