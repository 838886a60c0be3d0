"""What a diagnosis says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEVELS = ("leak", "warning", "note", "good")
TABLE = "all"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One remark: `leak` (figures would be wrong), `warning` (they would mislead), `note`, or `good`.

    `modality` is what it is about, `all` for the whole table.
    """

    level: str
    topic: str
    text: str
    modality: str = TABLE


def some(names: Sequence[str], count: int = 3) -> str:
    """The first few of many, quoted."""
    shown = ", ".join(f"'{name[-60:]}'" for name in names[:count])
    return shown + (f" and {len(names) - count} more" if len(names) > count else "")
