"""How long and how fast a network is trained."""

from __future__ import annotations

from dataclasses import dataclass

from textanchor.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """AdamW's numbers. The rate rises in a line over the share `warmup` of all steps and falls along a cosine to 0.

    `clip` is the largest length of the gradient, 0 for any. `chunk` are items that go through the network at once: a batch of
    more is worked off in chunks, the gradient being the whole batch's (`gradient_cache`); 0 is the whole batch. `patience` are
    looks without a better one after which training ends, 0 for never. `half` computes in bfloat16 where the device can.
    """

    epochs: int = 30
    batch: int = 256
    rate: float = 1e-3
    decay: float = 0.05
    warmup: float = 0.1
    clip: float = 1.0
    chunk: int = 0
    patience: int = 0
    half: bool = False

    def __post_init__(self) -> None:
        """Raises `InputError` for numbers that make no training."""
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}={getattr(self, name)}: expected 1 or more")
        if not 0 < self.rate < float("inf"):
            raise InputError(f"rate={self.rate}: expected a number above 0")
        if not 0 <= self.warmup < 1:
            raise InputError(f"warmup={self.warmup}: expected a share of all steps, from 0 to below 1")
        for name in ("decay", "clip", "chunk", "patience"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name}={getattr(self, name)}: expected 0 or more")

    def steps(self, items: int) -> int:
        """Of an epoch: batches are of equal size but for one."""
        return max(1, -(-items // self.batch))
