"""What checks look at: everything that was worked out of the pairs, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from textanchor.doctor.alignability import Alignability
from textanchor.doctor.closed_forms import Reached
from textanchor.doctor.curve import Curve
from textanchor.doctor.findings import Finding
from textanchor.doctor.layers import Layer
from textanchor.doctor.near import Near
from textanchor.runtime import Runtime
from textanchor.space.preparing import Prepared, Sides
from textanchor.space.saved_again import Held


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Pairs as they were prepared, and by modality what was seen of them.

    `sides` are the pairs with their latents, of the encoder's best layer where it has several, and `fitted` those of them that
    fits were tried on: all, or a random subset of many. `near` are near-duplicates. Of a modality with too few pairs to fit
    and judge anything `reached` is empty and `curves` has nothing; `alignability` says of every one whether it can be aligned.
    `again` are sets of items that hold the same once decoded.
    `refused` says why the table's own split leaks, or nothing.
    """

    ready: Prepared
    sides: Mapping[str, Sides]
    fitted: Mapping[str, Sides]
    layers: Mapping[str, Sequence[Layer]]
    near: Mapping[str, Near]
    reached: Mapping[str, Sequence[Reached]]
    curves: Mapping[str, Curve]
    alignability: Mapping[str, Alignability] = field(default_factory=dict)
    again: Sequence[Sequence[Held]] = ()
    refused: str = ""

    @property
    def runtime(self) -> Runtime:
        """How work is done: device, cache, limits."""
        return self.ready.runtime


class Check(Protocol):
    """One thing that a careful colleague would look at; registered by name, of kind `check`."""

    def __call__(self, examined: Examined) -> Iterable[Finding]:
        """Remarks on the table and on modalities; none where there is nothing to say."""
