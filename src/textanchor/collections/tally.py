"""What became of a collection's items."""

from __future__ import annotations

from dataclasses import dataclass

from textanchor.encoders import Output


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many items of one modality were new, in the cache already, or left out; `outputs` are the latents that the cache now
    holds of them, where whole latents were asked for.
    """

    modality: str
    encoded: int = 0
    cached: int = 0
    skipped: int = 0
    outputs: tuple[Output, ...] = ()

    @property
    def usable(self) -> int:
        """Items that were read and encoded, now or before."""
        return self.encoded + self.cached

    def plus(self, *, encoded: int = 0, cached: int = 0, skipped: int = 0) -> Tally:
        """With further items."""
        return Tally(
            modality=self.modality,
            encoded=self.encoded + encoded,
            cached=self.cached + cached,
            skipped=self.skipped + skipped,
            outputs=self.outputs,
        )
