"""Which column of a table means what: one place for the names that are in use, regardless of case, blanks and underscores."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from textanchor.errors import InputError

AGAIN = "\0"  # stands in the key of a column whose name stood before: "text", "text\0 2"

FILES = ("path", "filepath", "filename", "file", "files", "filepaths", "filenames", "slicefilename")
_OF_MODALITY = {
    "image": (
        "image", "imagepath", "imagefile", "imagefilename", "imagename", "img", "imgpath", "imgfile", "imgname", "images",
        "imagefilepath", "imgfilename", "picture", "photo",
    ),
    "audio": (
        "audio", "audiopath", "audiofile", "audiofilename", "audiofilepath", "audioname", "sound", "soundpath", "soundfile",
        "wav", "wavpath", "wavfile", "wavfilename", "mp3", "speech",
    ),
    "video": ("video", "videopath", "videofile", "videofilename", "videofilepath", "videoname", "clip", "clippath", "movie"),
    "series": ("series", "timeseries", "seriespath", "signalpath"),
    "document": ("document", "documentpath"),
}  # fmt: skip
PATHS: tuple[str, ...] = (*FILES, *(name for names in _OF_MODALITY.values() for name in names))
"""Names of what an item is, squeezed, the surest first."""
WORDS: tuple[str, ...] = (
    "text", "texts", "caption", "captions", "sentence", "sentences", "transcription", "transcript", "transcripts",
    "transcriptions", "description", "descriptions", "comment", "prompt", "alttext", "normalizedtext", "utterance",
)  # fmt: skip
CLASSES: tuple[str, ...] = (
    "labelname", "labeltext", "classname", "classlabel", "categoryname", "label", "labels", "class", "classes", "category",
    "categories", "tag", "tags", "title",
)  # fmt: skip
TEXTS: tuple[str, ...] = (*WORDS, *CLASSES)
"""Names of what describes an item, squeezed, the surest first."""
ITEM_TEXTS = ("itemtext",)
SPLITS = ("split", "subset", "partition", "dataset", "set")
"""Names of the side of a split; all but the first only where they hold nothing else than sides."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns that are read, as they are called in the table; `unused` are the rest.

    `paths` say what the item is (a file, or what a cell holds), each filled cell another; `item_text` is an item that is a text
    itself, `texts` describe it: each of several is a pair of its own.
    """

    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    item_text: str | None = None
    modality: str | None = None
    item: str | None = None
    group: str | None = None
    split: str | None = None
    unused: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anything says what an item or a text is."""
        return bool(self.paths or self.texts or self.item_text)

    @property
    def pairs(self) -> bool:
        """Whether a row can hold an item and a text."""
        return bool((self.paths or self.item_text) and self.texts)

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns that say more of an item than what it is."""
        told = (*self.texts, self.group, self.split, *self.unused)
        return tuple(dict.fromkeys(name for name in told if name and name not in self.paths))

    def without(self, paths: Collection[str]) -> Columns:
        """The same without some of the columns of items."""
        kept = tuple(path for path in self.paths if path not in paths)
        return replace(self, paths=kept, unused=(*self.unused, *paths)) if paths else self

    def described(self) -> str:
        """What was taken for what, in one line."""
        roles = {"path": self.paths, "item_text": self.item_text, "text": self.texts, "modality": self.modality}
        roles |= {"item": self.item, "group": self.group, "split": self.split}
        told = []
        for role, names in roles.items():
            held = (names,) if isinstance(names, str) else names
            if held:
                each = " (an item from each that is filled)" if role == "path" and len(held) > 1 else ""
                told.append(f"{role} from {' and '.join(f'`{shown(name)}`' for name in held)}{each}")
        rest = f"; not used: {', '.join(f'`{shown(name)}`' for name in self.unused)}" if self.unused else ""
        return ", ".join(told) + rest


def chosen(
    names: Sequence[str],
    *,
    path: Sequence[str] = (),
    text: Sequence[str] = (),
    holding: Mapping[str, str] = MappingProxyType({}),
) -> Columns:
    """What the columns mean. `path` and `text` name columns outright; `holding` are those whose cells hold bytes, with the
    modality that the table states of them or "": what holds an item comes before what names one. Columns of other modalities
    than the first are items too.

    Where a text has no item but a class beside it, the text is the item. Raises `InputError` for a named column that is not
    there, and where two columns of one name could both be meant.
    """
    paths = tuple(key for name in path for key in _named(name, names, "--path-column"))
    texts = tuple(key for name in text for key in _named(name, names, "--text-column"))
    found = {role: _single(names, known) for role, known in _SINGLE.items()}
    if not paths:
        held = [name for name in names if name in holding and name not in texts]
        paths = _first(held, PATHS) or tuple(name for name in held if holding[name])[:1] or _first(names, PATHS, texts)
        if len(paths) > 1:
            raise InputError(f"the column `{shown(paths[0])}` stands {len(paths)} times; rename one, or drop it")
        paths = _of_each_modality(paths, [name for name in names if name not in texts], holding)
    if not texts:
        texts = _first(names, WORDS, paths, numbered=True) or _first(names, CLASSES, paths, numbered=True)
    item_text = _single(names, ITEM_TEXTS)
    if not paths and item_text is None and not text and len(words := _first(names, WORDS)) == 1:
        classes = _first(names, CLASSES, numbered=True)
        if classes:
            item_text, texts = words[0], classes
    used = {*paths, *texts, item_text, *found.values()}
    used |= {name.rpartition(".")[0] for name in used if name and name not in names}
    return Columns(
        paths=paths, texts=texts, item_text=item_text, unused=tuple(name for name in names if name not in used), **found
    )


def modality_of(column: str) -> str | None:
    """The modality that a column's name says, or None."""
    return next((modality for modality, names in _OF_MODALITY.items() if squeezed(column) in names), None)


@lru_cache(maxsize=4096)
def squeezed(name: str) -> str:
    """A name without case, blanks, dots, dashes and underscores: `File Name`, `file_name` and `fileName` are one."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", shown(name)).casefold() if letter.isalnum())


def shown(name: str) -> str:
    """A column as the table calls it."""
    return name.partition(AGAIN)[0]


def unique(names: Sequence[str]) -> list[str]:
    """Keys of columns: a name that stood before is told apart, and `shown` gives it back."""
    count: dict[str, int] = {}
    keys = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        keys.append(name if count[name] == 1 else f"{name}{AGAIN} {count[name]}")
    return keys


_SINGLE = {"modality": ("modality",), "item": ("item",), "group": ("group",), "split": SPLITS}


def _named(asked: str, names: Sequence[str], option: str) -> list[str]:
    """The columns of a name, exact before alike; a dot goes into a structure, a number counts from 1."""
    outer, dot, inner = asked.partition(".")
    for wanted, rest in ((asked, ""), (outer, f"{dot}{inner}")):
        for alike in (shown, squeezed):
            if found := [name for name in names if alike(name) == alike(wanted)]:
                return [f"{name}{rest}" for name in found]
    if asked.isdecimal() and 0 < int(asked) <= len(names):
        return [names[int(asked) - 1]]
    raise InputError(f"{option} {asked}: no such column; there are {', '.join(f'`{shown(name)}`' for name in names)}")


def _first(
    names: Sequence[str], known: Sequence[str], besides: Collection[str] = (), *, numbered: bool = False
) -> tuple[str, ...]:
    """All columns of the surest known name; `numbered`: `caption_1` and `caption_2` are one name."""
    plain = {name: squeezed(name) for name in names if name not in besides}
    if numbered:
        plain = {name: word if word in known else re.sub(r"\d+$", "", word) for name, word in plain.items()}
    return next((found for wanted in known if (found := tuple(name for name, word in plain.items() if word == wanted))), ())


def _of_each_modality(paths: tuple[str, ...], names: Sequence[str], holding: Mapping[str, str]) -> tuple[str, ...]:
    """Where the first column says its modality, also the surest column of every other."""

    def kind(name: str) -> str:
        return holding.get(name) or modality_of(name) or ""

    found = {kind(path): path for path in paths}
    if found and "" not in found:
        ranked = sorted(names, key=lambda name: PATHS.index(word) if (word := squeezed(name)) in PATHS else len(PATHS))
        for name in sorted(ranked, key=lambda name: name not in holding):
            if kind(name):
                found.setdefault(kind(name), name)
    return tuple(found.values()) or paths


def _single(names: Sequence[str], known: Sequence[str]) -> str | None:
    found = _first(names, known)
    if len(found) > 1:
        raise InputError(f"the column `{shown(found[0])}` stands {len(found)} times; rename one, or drop it")
    return found[0] if found else None
