"""Labels for Label Studio: a labelling configuration and the tasks that fit it, one pair of files a modality.

Names, choices and types match, so that a new project takes both at the first try. What people decided are annotations, what
the machine proposes are predictions; the item's whole log stands in the task's data, which Label Studio keeps and exports.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from textanchor.data.folders.archives import Member
from textanchor.escaping import UNSEEN, legible, writable
from textanchor.files import new_folder, write_bytes, write_json
from textanchor.labelling.formats.gathering import Labels, as_json, standing
from textanchor.labelling.formats.placing import Placing
from textanchor.labelling.project import Class, Decision, Entry
from textanchor.records.items import Held

MARKER, SIGN = "textanchor.json", "textanchor labels"
OBJECT, CLASS, INSTEAD = "item", "class", "instead"  # names of tags
NONE, UNSURE = "none of these", "cannot tell"  # choices of the second tag
OWN, REGION = "textanchor", "textanchor-"  # the key in a task's data, and how an annotation names its event
LOCAL = "/data/local-files/?d="  # where Label Studio serves files of its own machine
TAGS: Mapping[str, str] = {"image": "Image", "audio": "Audio", "video": "Video"}  # others are shown as text


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where Label Studio finds the files: `prefix` before each file's path, as URLs escape it, below `root`.

    By default they are files of the machine that Label Studio runs on, and `root`, which is its
    `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`, is the folder that holds the folder of the project's items: Label Studio serves
    only what lies in a folder below it, which is added as its local storage.
    """

    prefix: str = LOCAL
    root: Path | None = None

    def below(self, folder: Path | None) -> Path:
        """The root, where items lie in a folder."""
        return self.root.absolute() if self.root is not None else Path("/") if folder is None else folder.parent


def write_label_studio(labels: Labels, folder: Path, serving: Serving, *, overwrite: bool = False) -> tuple[str, ...]:
    """Write `<modality>.xml` and `<modality>.json`; the names of the tasks' files."""
    kinds = dict.fromkeys(entry.modality for entry in labels.entries)
    with new_folder(folder, overwrite=overwrite, marker=MARKER, sign=SIGN) as temporary:
        for kind in kinds:
            own = [entry for entry in labels.entries if entry.modality == kind]
            write_bytes(temporary / f"{kind}.xml", configuration(kind, labels.classes, multi=labels.multi))
            tasks = [task_json(entry, labels.decisions.get(entry.id, ()), serving, labels.placing) for entry in own]
            write_json(temporary / f"{kind}.json", tasks)
        named = [{"key": one.key, "text": one.text} for one in labels.classes]
        write_json(temporary / MARKER, {"about": SIGN, "files": _served(labels.placing.folder, serving), "classes": named})
    return tuple(f"{kind}.json" for kind in kinds)


def _served(folder: Path | None, serving: Serving) -> str:
    """Where Label Studio finds the files, in words that say nothing of this machine."""
    if folder is None or serving.root is not None:
        return "named below the root that was given" if serving.root is not None else "named by their whole paths"
    name = writable(folder.name)
    return (
        f"in the folder '{name}'; the folder that holds it is LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT, '{name}' a local storage"
    )


def configuration(modality: str, classes: Sequence[Class], *, multi: bool) -> bytes:
    """The XML by which people are asked for a class, or say why they name none."""
    view = ElementTree.Element("View")
    tag = TAGS.get(modality, "Text")
    ElementTree.SubElement(view, tag, name=OBJECT, value=f"${variable(modality)}")
    choices = ElementTree.SubElement(
        view, "Choices", name=CLASS, toName=OBJECT, choice="multiple" if multi else "single", showInline="true"
    )
    for place, one in enumerate(classes):
        hint: dict[str, str] = {} if one.text == one.key else {"hint": _xml(one.text)}
        key: dict[str, str] = {"hotkey": str(place + 1)} if place < 9 else {}
        ElementTree.SubElement(choices, "Choice", {"value": _xml(one.key), **hint, **key})
    instead = ElementTree.SubElement(view, "Choices", name=INSTEAD, toName=OBJECT, choice="single", showInline="true")
    for value in (NONE, UNSURE):
        ElementTree.SubElement(instead, "Choice", value=value)
    ElementTree.indent(view)
    return bytes(ElementTree.tostring(view, encoding="utf-8", short_empty_elements=True))


def variable(modality: str) -> str:
    """The name of a task's datum that the object tag shows."""
    return modality if modality in TAGS else "text"


def task_json(entry: Entry, decisions: Sequence[Decision], serving: Serving, placing: Placing) -> dict[str, Any]:
    """A task with what people decided as annotations and what is proposed as prediction."""
    own = {"item": placing.name(entry.id), "modality": entry.modality, "decisions": as_json(decisions)}
    told: dict[str, Any] = {"id": entry.number, "data": {variable(entry.modality): shown(entry, serving, placing), OWN: own}}
    told["annotations"] = [_annotation(one) for one in standing(decisions)]
    told["predictions"] = []
    if entry.proposed is not None:
        told["predictions"].append(
            {
                "model_version": f"textanchor run {entry.proposed.run}",
                "score": min(1.0, max(0.0, round(entry.proposed.probability, 6))),
                "result": [_region(f"{REGION}run-{entry.proposed.run}", CLASS, entry.proposed.classes)],
            }
        )
    return told


def shown(entry: Entry, serving: Serving, placing: Placing) -> str:
    """What the object tag is given: a URL, a text, or the bytes of a file that stands in another as a data URL."""
    value, path = entry.item.value, entry.item.path
    if isinstance(value, str):
        return value
    if entry.modality not in TAGS:
        return placing.name(entry.id)
    if path is not None:
        absolute = PurePosixPath(writable(str(path.absolute())))
        root = PurePosixPath(writable(str(serving.below(placing.folder))))
        below = absolute.relative_to(root) if absolute.is_relative_to(root) else absolute
        return f"{serving.prefix}{quote(str(below).lstrip('/'))}"
    if isinstance(value, Held):
        named = value.name if isinstance(value, Member) else entry.id
        mime = mimetypes.guess_type(named)[0] or {"image": "image/png", "audio": "audio/wav"}.get(entry.modality, "video/mp4")
        return f"data:{mime};base64,{base64.b64encode(value.read()).decode()}"
    return placing.name(entry.id)


def _annotation(decision: Decision) -> dict[str, Any]:
    """Whoever imports is named as who completed it, since Label Studio refuses names that it does not know; the task's data
    say who it was."""
    name = f"{REGION}{decision.event}"
    if decision.kind == "none":
        return {"result": [_region(name, INSTEAD, (NONE,))]}
    if decision.kind == "unsure":
        return {"result": [_region(name, INSTEAD, (UNSURE,))]}
    return {"result": [_region(name, CLASS, decision.classes)]}


def _region(name: str, tag: str, values: Sequence[str]) -> dict[str, Any]:
    return {
        "id": name,
        "from_name": tag,
        "to_name": OBJECT,
        "type": "choices",
        "value": {"choices": [_xml(one) for one in values]},
    }


def _xml(text: str) -> str:
    """Text as XML can hold it."""
    return UNSEEN.sub("\ufffd", legible(text))
