"""What a space holds of each modality that was fitted."""

from __future__ import annotations

from dataclasses import dataclass, field

from textanchor.data.wording import Wording
from textanchor.projectors import Kept
from textanchor.records import Choice, View
from textanchor.records.showing import short
from textanchor.space.examples import Examples
from textanchor.space.sides import FittedSide


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """An encoder by name and fingerprint, the projector that was fitted to its latents, the view, and how they came about.

    `asked` is the aligner that was asked for, `choice` what it chose; `wording` is how its texts were put into words,
    `examples` are some of its training pairs.
    """

    __repr__ = short

    encoder: str
    fingerprint: str
    projector: Kept
    view: View | None
    choice: Choice
    asked: str = ""
    seed: int = 0
    wording: Wording = field(default_factory=Wording)
    examples: Examples | None = field(default=None, repr=False)

    @property
    def side(self) -> FittedSide:
        """Its part of the geometry."""
        return FittedSide(self.projector, self.view, self.choice.unseen)

    @property
    def aligner(self) -> str:
        """The aligner whose fit this is; of `auto`, the candidate that was chosen."""
        return self.choice.aligner or self.asked
