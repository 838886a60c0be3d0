"""How texts are put into words before the anchor embeds them: prompt templates per modality, and synonyms or definitions."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textanchor.errors import InputError
from textanchor.files import located
from textanchor.records.showing import short

SLOT = "{}"


def class_name(folder: str) -> str:
    """A folder's name in words."""
    return " ".join(folder.replace("_", " ").replace("-", " ").split())


def plain_name(text: str) -> str:
    """A name that a table joins with underscores, such as `golden_retriever`, in words; any other text as it is.

    What has blanks is a sentence, and what looks like a path or file means what it says.
    """
    joined = "_" in text and not re.search(r"\s|[/\\@]|\.\w{1,4}$", text) and any(map(str.isalpha, text))
    return " ".join(text.replace("_", " ").split()) or text if joined else text


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A text stands for all its phrasings: itself and its `synonyms`, each put into every template of the modality.

    The anchor's unit vectors of the phrasings are averaged. Where nothing is said, a text is its only phrasing.
    Source: prompt ensembling, Radford et al. 2021, arXiv:2103.00020, section 3.1.4.
    """

    __repr__ = short

    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def phrasings(self, text: str, modality: str) -> tuple[str, ...]:
        """Distinct phrasings of a text for a modality, in order."""
        words = (text, *self.synonyms.get(text, ()))
        told = (one.replace(SLOT, word) for one in self.templates.get(modality, (SLOT,)) for word in words)
        return tuple(dict.fromkeys(told))

    def joined(self, other: Wording | None) -> Wording:
        """Both; where they differ, the other one's."""
        if other is None:
            return self
        return Wording(templates={**self.templates, **other.templates}, synonyms={**self.synonyms, **other.synonyms})

    def described(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "templates": {name: list(held) for name, held in self.templates.items()},
            "synonyms": {text: list(held) for text, held in self.synonyms.items()},
        }


def wording(
    templates: Mapping[str, Sequence[str]] | None = None, synonyms: Mapping[str, Sequence[str]] | str | Path | None = None
) -> Wording:
    """Templates such as `{"image": ["a photo of a {}"]}` and synonyms, which may be a file (`read_synonyms`).

    Raises `InputError` for a template without its slot `{}`.
    """
    held = read_synonyms(synonyms) if isinstance(synonyms, str | Path) else (synonyms or {})
    for modality, told in (templates or {}).items():
        for one in told:
            if SLOT not in one:
                raise InputError(f"template '{one}' of {modality} has no {SLOT} for the text, as in 'a photo of a {SLOT}'")
    return Wording(
        templates={name: tuple(told) for name, told in (templates or {}).items()},
        synonyms={plain_name(text): tuple(told) for text, told in held.items()},
    )


def read_synonyms(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Text -> other words for it, from JSON (`{"dog": ["a barking dog", ...]}`) or CSV (columns `text` and `synonym`).

    Raises `InputError` for anything else.
    """
    place = located(path)
    wanted = 'expected JSON such as {"dog": ["a barking dog"]} or CSV with the columns text and synonym'
    try:
        content = place.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as why:
        raise InputError(f"{place}: cannot be read as text ({why.__class__.__name__}); {wanted}") from None
    found: dict[str, list[str]] = {}
    if place.suffix.lower() == ".csv":
        rows = list(csv.DictReader(content.splitlines()))
        if not rows or not {"text", "synonym"} <= set(rows[0]):
            raise InputError(f"{place}: {wanted}")
        for row in rows:
            found.setdefault(str(row["text"]).strip(), []).append(str(row["synonym"] or "").strip())
    else:
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            raise InputError(f"{place}: {wanted}") from None
        lists = list(told.values()) if isinstance(told, dict) else [None]
        if not all(isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists):
            raise InputError(f"{place}: {wanted}")
        found = told
    return {text: tuple(word for word in words if word) for text, words in found.items()}
