"""The classes of a project: keys that never change, and what they mean in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from textanchor.data.wording import plain_name
from textanchor.database import Database
from textanchor.errors import InputError, UnknownNameError
from textanchor.escaping import legible
from textanchor.labelling.project.records import Class

LONGEST = 1000  # letters of a key or text


class Classes:
    """The classes of a file, in the order in which they came; their places are what pools and arrays count by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Class, ...]:
        """All of them."""
        return tuple(
            Class(key=key, text=text) for key, text in self._database.ask("SELECT key, text FROM classes ORDER BY class")
        )

    def numbers(self) -> dict[str, int]:
        """Key -> number in the file, in order."""
        return {key: int(number) for key, number in self._database.ask("SELECT key, class FROM classes ORDER BY class")}

    def add(self, given: Iterable[str | Class]) -> tuple[Class, ...]:
        """Add classes; of a str, a key, the text is made. Raises `InputError` for a key that is there; within `writing`."""
        made = checked_classes(given)
        for one in made:
            if self._database.ask("SELECT 1 FROM classes WHERE key = ?", one.key):
                raise InputError(f"there is a class '{one.key}' already; describe it anew, or choose another key")
            self._database.ask("INSERT INTO classes (key, text) VALUES (?, ?)", one.key, one.text)
        return made

    def describe(self, key: str, text: str) -> Class:
        """Put a class into other words. Raises `UnknownNameError`, and `InputError` for no words."""
        if not _plain(text):
            raise InputError(f"class '{key}': the text is empty; say what it means in words")
        self.known([key])
        self._database.ask("UPDATE classes SET text = ? WHERE key = ?", _plain(text), key)
        return Class(key=key, text=_plain(text))

    def known(self, keys: Sequence[str]) -> list[int]:
        """Their numbers, sorted, each once. Raises `UnknownNameError` with the nearest key."""
        numbers = self.numbers()
        wanted = [_plain(key) for key in keys]
        for key in wanted:
            if key not in numbers:
                raise UnknownNameError(_unknown(key, tuple(numbers)))
        return sorted({numbers[key] for key in wanted})


def checked_classes(given: Iterable[str | Class]) -> tuple[Class, ...]:
    """Classes with keys and texts as they are written down. Raises `InputError` for an empty or endless key."""
    if isinstance(given, str):
        raise InputError(f"classes='{given[:60]}': expected a list of classes, such as ['dog', 'cat']")
    told = (Class(key=one, text="") if isinstance(one, str) else one for one in given)
    return tuple(Class(key=key, text=_plain(one.text) or plain_name(key)) for one in told for key in (_checked(one.key),))


def _unknown(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1) or [one for one in known if one.lower() == key.lower()]
    hint = f"; did you mean '{near[0]}'?" if near else ""
    some = ", ".join(known[:20]) + (f", and {len(known) - 20} more" if len(known) > 20 else "")
    how = "add a new one first: textanchor label class PROJECT KEY=TEXT"
    return f"no class is called '{key}'{hint} (known: {some or 'none yet'}); {how}"


def _checked(key: str) -> str:
    told = _plain(key)
    if not told:
        raise InputError("a class needs a key, and this one is empty")
    if len(told) > LONGEST:
        raise InputError(f"the class '{told[:60]}...' has {len(told)} letters; expected at most {LONGEST}")
    return told


def _plain(text: str) -> str:
    return " ".join(legible(str(text)).split())
