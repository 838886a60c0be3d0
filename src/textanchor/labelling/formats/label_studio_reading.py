"""Decisions from what Label Studio exported as JSON, of our tasks and of others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from textanchor.errors import InputError
from textanchor.labelling.formats.gathering import from_json
from textanchor.labelling.formats.label_studio import INSTEAD, OWN, REGION, UNSURE
from textanchor.labelling.project import Decision
from textanchor.labelling.project.log import moment
from textanchor.records import Skipped

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of a file that was uploaded


@dataclass
class Known:
    """A project's items by their ids, by the `names` that an export calls some by instead, and by the ends of their paths where
    these are one item's alone."""

    ids: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict)
    _by_end: dict[str, str | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.ids:
            parts = name.split("/")
            for start in range(len(parts)):
                end = "/".join(parts[start:])
                self._by_end[end] = name if self._by_end.get(end, name) == name else None

    def own(self, told: str) -> str | None:
        """The item that an export calls so."""
        return told if told in self.ids else self.names.get(told)

    def find(self, told: str) -> str | None:
        """The item that a URL, path or id means; None if none or several."""
        if (own := self.own(told)) is not None:
            return own
        plain = unquote(urlsplit(told).query.removeprefix("d=") if "?d=" in told else urlsplit(told).path) or told
        parts = [one for one in plain.split("/") if one]
        for start in range(len(parts)):
            rest = [*parts[start:-1], _UPLOADED.sub("", parts[-1])]
            for end in ("/".join(parts[start:]), "/".join(rest)):
                if found := self._by_end.get(end):
                    return found
        return None


@dataclass(frozen=True, kw_only=True)
class Found:
    """Decisions, and tasks that could not be used."""

    decisions: tuple[Decision, ...]
    skipped: tuple[Skipped, ...]


def is_label_studio(told: Any) -> bool:
    """Whether JSON looks like an export: tasks, each with data and annotations."""
    first = told[0] if isinstance(told, list) and told else None
    return isinstance(first, Mapping) and "data" in first and ("annotations" in first or "completions" in first)


def read_label_studio(file: Path, known: Known) -> Found:
    """All decisions of an export, in the order of their making. Raises `InputError` for anything else."""
    try:
        told = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as why:
        raise InputError(f"{file} cannot be read as JSON ({why})") from None
    if not is_label_studio(told):
        raise InputError(f"{file} is no export of Label Studio: expected a list of tasks with `data` and `annotations`")
    decisions: list[Decision] = []
    skipped: list[Skipped] = []
    for place, task in enumerate(told):
        name = _item(task, known)
        if name is None:
            label = f"task {task.get('id', place)}" if isinstance(task, Mapping) else f"task {place}"
            skipped.append(Skipped(item=label, reason="no item of the project is what its data name"))
            continue
        decisions += _decisions(name, task, file.name)
    return Found(decisions=tuple(sorted(decisions, key=lambda one: (one.event < 0, one.event, one.at))), skipped=tuple(skipped))


def _item(task: Any, known: Known) -> str | None:
    data = task.get("data") if isinstance(task, Mapping) else None
    if not isinstance(data, Mapping):
        return None
    own = data.get(OWN)
    if isinstance(own, Mapping) and (name := known.own(str(own.get("item")))) is not None:
        return name
    told = (known.find(value) for key, value in data.items() if isinstance(value, str) and key != OWN)
    return next((name for name in told if name is not None), None)


def _decisions(name: str, task: Mapping[str, Any], place: str) -> Iterator[Decision]:
    """Those that our export wrote into the task's data, and what was annotated since."""
    own = task["data"].get(OWN)
    written = from_json(name, own.get("decisions", []), place) if isinstance(own, Mapping) else []
    yield from written
    ours = {one.event: one for one in written}
    for annotation in task.get("annotations") or task.get("completions") or ():
        found = _annotated(name, annotation)
        if found is not None and not _is(found, ours, annotation):
            yield found


def _is(found: Decision, ours: Mapping[int, Decision], annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation is the one that we wrote, unchanged."""
    for region in annotation.get("result") or ():
        number = str(region.get("id", "")).removeprefix(REGION)
        if number.isdecimal() and int(number) in ours:
            one = ours[int(number)]
            naming = one.kind not in ("none", "unsure")
            return found.classes == one.classes and (found.kind == one.kind or naming)
    return False


def _annotated(name: str, annotation: Mapping[str, Any]) -> Decision | None:
    """What somebody said of the item; None where nothing was said of classes."""
    regions = [one for one in annotation.get("result") or () if isinstance(one, Mapping) and one.get("type") == "choices"]
    chosen = [(one.get("from_name"), value) for one in regions for value in _choices(one)]
    instead = {value for tag, value in chosen if tag == INSTEAD}
    classes = tuple(dict.fromkeys(value for tag, value in chosen if tag != INSTEAD))
    if annotation.get("was_cancelled"):
        kind, classes = "unsure", ()
    elif classes:
        kind = "import"
    elif instead:
        kind = "unsure" if UNSURE in instead else "none"
    else:
        return None
    return Decision(event=-1, item=name, kind=kind, classes=classes, who=_who(annotation), at=_at(annotation), how="import")


def _choices(region: Mapping[str, Any]) -> Sequence[str]:
    value = region.get("value")
    told = value.get("choices") if isinstance(value, Mapping) else None
    if isinstance(told, str):
        return [told]
    return [str(one) for one in told if isinstance(one, str)] if isinstance(told, Iterable) else []


def _who(annotation: Mapping[str, Any]) -> str:
    """Who completed it, by e-mail where the export says it."""
    by = annotation.get("completed_by")
    if isinstance(by, Mapping):
        full = " ".join(str(by.get(part) or "") for part in ("first_name", "last_name")).strip()
        by = by.get("email") or full or by.get("id")
    if isinstance(by, str) and by.strip():
        return by.strip()
    return "label-studio" if by is None else f"label-studio {by}"


def _at(annotation: Mapping[str, Any]) -> str:
    """When it was last changed; now, where it does not say."""
    return str(annotation.get("updated_at") or annotation.get("created_at") or moment())
