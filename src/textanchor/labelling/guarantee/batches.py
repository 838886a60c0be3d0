"""One calibration set for many batches: how much of a promise each may spend."""

from __future__ import annotations

from dataclasses import dataclass

from textanchor.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The `number`-th batch, from 1, that is decided from the same calibration labels; of `of` batches, or of nobody
    knows how many if None. `accepted` items were let through by the batches before it.

    Raises `InputError` for numbers that are none.
    """

    number: int = 1
    of: int | None = 1
    accepted: int = 0

    def __post_init__(self) -> None:
        if self.number < 1 or (self.of is not None and self.number > self.of) or self.accepted < 0:
            raise InputError(
                f"batch {self.number} of {self.of} after {self.accepted} items; expected a number from 1 to all of them"
            )

    @property
    def share(self) -> float:
        """What it may spend: alike for all if their number is known, else 1/2, 1/6, 1/12, ..., which sum to 1."""
        return 1 / self.of if self.of is not None else 1 / (self.number * (self.number + 1))
