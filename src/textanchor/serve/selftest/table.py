"""What came of each attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("attack", "expected", "got", "ok")


@dataclass(frozen=True)
class Line:
    """An attack, the status that it should come to, and the one that it came to."""

    attack: str
    expected: str
    got: str

    @property
    def ok(self) -> bool:
        """Whether it was refused as it should be."""
        return self.got == self.expected


def written(lines: Sequence[Line]) -> str:
    """A table in Markdown."""
    rows = [HEAD, ("---",) * 4, *((_cell(one.attack), one.expected, one.got, "yes" if one.ok else "**no**") for one in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
