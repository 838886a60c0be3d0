"""Whether the server can do its work: a text is encoded again and compared with what it gave at the start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from textanchor.records import Vectors
from textanchor.serve.refusal import Refusal
from textanchor.serve.service import Service
from textanchor.space import TEXT

CANARY = "a canary sings in a mine, and all is well"
CLOSE = 1e-4  # other batches, other roundings
PATIENCE = 10.0
FLOCK = 7


@dataclass(frozen=True)
class Canary:
    """What the canary gave at the start. *Shape:* [d]."""

    service: Service
    expected: Vectors

    async def sings(self) -> None:
        """Raises `Refusal` (503) where it gives another vector, none, or none in ten seconds."""
        try:
            async with asyncio.timeout(PATIENCE):
                (outcome,) = await self.service.embedded((CANARY,), TEXT)
        except TimeoutError:
            raise _unready(f"the canary was not encoded within {PATIENCE:g} s") from None
        if isinstance(outcome, str):
            raise _unready("the canary cannot be encoded")
        if outcome.vector.shape != self.expected.shape or not np.allclose(outcome.vector, self.expected, atol=CLOSE):
            raise _unready("the canary has another vector than at the start")


def canary(service: Service) -> Canary:
    """The canary's vector, encoded now among others: what an encoder loads for batches is there before the first request.

    Raises what the encoder raises.
    """
    flock = [CANARY, *(f"{CANARY} {number}" for number in range(FLOCK))]
    return Canary(service, service.space.embed(flock, modality=TEXT)[0])


def _unready(why: str) -> Refusal:
    return Refusal(503, why, code="not_ready", retry=10)
