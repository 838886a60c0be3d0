"""Items of any requests to vectors of the space, so that what is wrong with one item is said of it alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from textanchor.errors import ItemError
from textanchor.progress import Silent
from textanchor.records import Item, Vectors
from textanchor.runtime import Runtime
from textanchor.serve.refusal import public
from textanchor.serve.usage import tokens
from textanchor.space import Space

log = logging.getLogger("textanchor.serve")


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A raw vector [d], and the tokens that a text was read as; a file counts as one."""

    vector: Vectors
    tokens: int


Outcome: TypeAlias = Encoded | str
"""What became of an item, or why nothing did."""


@dataclass(frozen=True)
class Encoding:
    """Calls a space for a batch of items of one modality; nothing of them is written into its cache."""

    space: Space
    runtime: Runtime = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """As the space's, quiet, and going on after a bad item."""
        object.__setattr__(self, "runtime", replace(self.space.runtime, strict=False, progress=Silent(), engine="local"))

    def __call__(self, modality: str, items: Sequence[Item]) -> list[Outcome]:
        """An outcome an item, in order. Whatever an encoder raises, the batch is halved until the culprit stands alone."""
        named = [replace(item, id=str(row)) for row, item in enumerate(items)]
        try:
            return self._embedded(modality, named)
        except ItemError as why:
            if len(items) == 1:
                return [public(why.reason)]
        except Exception as why:
            if len(items) == 1:
                log.warning("an item of %s failed", modality, exc_info=why)
                return ["the encoder failed on it"]
        half = len(items) // 2
        return self(modality, items[:half]) + self(modality, items[half:])

    def _embedded(self, modality: str, items: list[Item]) -> list[Outcome]:
        outcomes: dict[str, Outcome] = {}
        for chunk in self.space.stream(items, modality, store=False, total=len(items), runtime=self.runtime):
            counts = tokens(self.space, modality, chunk.items)
            for item, vector, count in zip(chunk.items, chunk.vectors, counts, strict=True):
                outcomes[item.id] = Encoded(vector=vector, tokens=count)
            outcomes.update({one.item: public(one.reason) for one in chunk.skipped})
        return [outcomes.get(item.id, "it could not be embedded") for item in items]
