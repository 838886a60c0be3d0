"""A model card for the Hugging Face hub, made of what a space knows and of nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textanchor.encoders import parse
from textanchor.encoders.places import place_of
from textanchor.errors import TextAnchorError
from textanchor.files import located
from textanchor.grammar import Call
from textanchor.space import TEXT, Space, Story
from textanchor.space.storage import fingerprint

KNOWN = {"efficientnet-lite0": "apache-2.0", "signal": "no weights", "vectors": "made elsewhere"}
UNKNOWN = "not stated"
TAGS = ("textanchor", "feature-extraction", "sentence-similarity", "multimodal", "cross-modal-retrieval")
FIGURES = (
    "query", "gallery", "R@1", "R@1 interval", "chance R@1", "queries", "gallery size", "AUC", "positive cosine", "floor",
)  # fmt: skip
_LICENCE = re.compile(r"^license:[ \t]*['\"]?([\w.+-]+)", re.MULTILINE)
_MODEL_ID = re.compile(r"[\w.-]+/[\w.-]+")


def card(space: Space, *, name: str, evaluation: Mapping[str, Any] | None = None, licence: str | None = None) -> str:
    """README.md: YAML that the hub reads, how the space is used, what it is made of, how it was fitted and how well it does.

    `evaluation` are the values of `Evaluation.metrics`. Licences are those that the encoders' own cards on this machine state.
    """
    parts = [_head(space, licence), f"# {name}\n\n{_about(space)}", _use(name), _made_of(space)]
    parts += [_told(story, number) for number, story in enumerate(space.stories, start=1)]
    parts += [_choices(space), _figures(evaluation)]
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def licence_of(call: Call) -> str:
    """What the card in an encoder's folder on this machine states."""
    while call.inner:
        call = parse(call.inner)
    if call.name in KNOWN:
        return KNOWN[call.name]
    try:
        place = place_of(call, offline=True)
    except TextAnchorError:
        return UNKNOWN
    readme = None if place is None else place / "README.md"
    if readme is None or not readme.is_file():
        return UNKNOWN
    told = readme.read_text(encoding="utf-8", errors="replace")[:20_000]
    head = told.split("---")[1] if told.startswith("---") and told.count("---") > 1 else ""
    found = _LICENCE.search(head)
    return found.group(1) if found else UNKNOWN


def _head(space: Space, licence: str | None) -> str:
    """YAML front matter; strings as JSON, which YAML reads."""
    models = [call.argument for call in map(parse, _encoders(space).values()) if _is_model_id(call)]
    told: dict[str, Any] = {
        "library_name": "textanchor",
        "pipeline_tag": "feature-extraction",
        "tags": [*TAGS, *space.modalities],
        **({"base_model": models} if models else {}),
        **({"license": licence} if licence else {}),
    }
    return "---\n" + "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items()) + "---\n"


def _about(space: Space) -> str:
    kinds = ", ".join(space.kinds) or "nothing else yet"
    return (
        f"A space of textanchor with {space.dim} dimensions: texts by a frozen text model, and {kinds} by frozen encoders and "
        "small fitted projectors, all in one vector space.\n"
    )


def _use(name: str) -> str:
    return (
        "## Use\n\n```console\npip install textanchor\n"
        f'textanchor import {name} -o space\ntextanchor search space "a dog on a beach" --in photos\n```\n\n'
        '```python\nimport textanchor\n\nspace = textanchor.load("space")\nvectors = space.embed(["a text"])\n```\n\n'
        "A space holds numbers and JSON only; loading it runs no code of its own.\n"
    )


def _made_of(space: Space) -> str:
    rows = []
    for modality, name in _encoders(space).items():
        call = parse(name)
        key = space.anchor_fingerprint if modality == TEXT else space.modalities[modality].fingerprint
        licence = licence_of(call)
        rows.append((f"{modality} (anchor)" if modality == TEXT else modality, _shown(name), key[:12], licence))
    rows_told = _table(("modality", "encoder", "fingerprint", "licence of the encoder"), rows)
    return f"## Made of\n\n{rows_told}\nFingerprint of the space: `{fingerprint(space)[:16]}`\n"


def _told(story: Story, number: int) -> str:
    rows = [
        (modality, side, count.items, count.texts, count.groups, count.lone_items, count.lone_texts)
        for modality, sides in story.counts.items()
        for side, count in sides.items()
    ]
    columns = ("modality", "side", "items", "texts", "groups", "items without text", "texts without item")
    lines = [
        f"## Fit {number}: {_plain(story.source)}\n",
        f"Split: {_plain(story.split)}. Hash of the pairs: `{story.data[:16]}`.\n",
    ]
    if rows:
        lines.append(_table(columns, rows))
    if story.skipped:
        lines.append(f"{len(story.skipped)} items could not be used.\n")
    lines += [f"- {_plain(remark)}" for remark in (*story.notes, *story.remarks)]
    versions = ", ".join(f"{name} {version}" for name, version in story.versions.items())
    return "\n".join([*lines, "", f"Versions: {versions}." if versions else ""])


def _choices(space: Space) -> str:
    rows = []
    for modality, fitted in space.modalities.items():
        naming = fitted.choice.naming
        figure = "" if naming is None else f"{naming.recall:.3f} [{naming.low:.3f}, {naming.high:.3f}]"
        largest = "" if naming is None else f"{naming.largest_class:.3f}"
        rows.append((modality, fitted.aligner, _plain(fitted.choice.text), figure, largest))
    columns = ("modality", "aligner", "choice", "validation R@1 [95 %]", "largest class alone")
    return f"## Chosen\n\n{_table(columns, rows)}" if rows else ""


def _figures(evaluation: Mapping[str, Any] | None) -> str:
    if not evaluation:
        return "## Evaluation\n\nNone was given: `textanchor evaluate` measures a space on pairs that it has not seen.\n"
    lines = ["## Evaluation\n", *(f"- {_plain(str(note))}" for note in evaluation.get("notes", ())), ""]
    for name in ("alignment", "emergent"):
        rows = [row for row in evaluation.get(name, ()) if row.get("space") == evaluation.get("space")]
        if rows:
            columns = [column for column in ("split", *FIGURES) if any(column in row for row in rows)]
            lines += [f"{name}:\n", _table(columns, [[_number(row.get(column)) for column in columns] for row in rows])]
    return "\n".join(lines)


def _encoders(space: Space) -> dict[str, str]:
    return {TEXT: space.anchor, **{name: one.encoder for name, one in space.modalities.items()}}


def _is_model_id(call: Call) -> bool:
    fetched = call.name in ("st", "hub", "open_clip") and not located(call.argument).exists()
    return fetched and _MODEL_ID.fullmatch(call.argument) is not None


def _shown(name: str) -> str:
    """An encoder's name without a place on this machine."""
    call = parse(name)
    place = located(call.argument) if call.argument else None
    if place is not None and place.is_absolute():
        return f"`{name.replace(call.argument, place.name)}`"
    return f"`{name}`"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return "\n".join(_lines(columns, rows)) + "\n"


def _lines(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_number, value)) + "]"
    return "-" if value is None else str(value)


def _plain(text: str) -> str:
    """A text that stands on one line and is no markup; places on this machine become names."""
    line = " ".join(text.split())
    return re.sub(r"(?<![\w/])/(?:[^\s/'\"]+/)+([^\s/'\"]+)", r"\1", line).replace("<", "&lt;").replace("|", "/")
