"""What a system is trained on: items and texts, centred and scaled as a whole, paired and single, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from textanchor.errors import InputError
from textanchor.records import PairedLatents, Pooled, Task, Vectors


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Means of the paired items and of their distinct texts, and the standard deviation of each side over all dimensions."""

    item_mean: Float[Tensor, " d_i"]
    item_scale: float
    text_mean: Float[Tensor, " d_t"]
    text_scale: float

    @classmethod
    def of(cls, pairs: PairedLatents) -> Frames:
        """Those of the training pairs: the mean text is the one that the centring view takes out."""
        item_mean, item_scale = _frame(pairs.pooled)
        text_mean, text_scale = _frame(pairs.anchors)
        return cls(item_mean=item_mean, item_scale=item_scale, text_mean=text_mean, text_scale=text_scale)

    def items(self, vectors: Vectors) -> Float[Tensor, "n d_i"]:
        """Items as the networks see them."""
        return (torch.from_numpy(vectors) - self.item_mean) / self.item_scale

    def texts(self, vectors: Vectors) -> Float[Tensor, "n d_t"]:
        """Texts as the networks see them."""
        return (torch.from_numpy(vectors) - self.text_mean) / self.text_scale


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A batch: pairs, and single items and texts that may have partners or not.

    `same[i, j]`: the text of pair j describes the item of pair i too, so that it is no negative.
    """

    item: Float[Tensor, "b d_i"]
    text: Float[Tensor, "b d_t"]
    same: Bool[Tensor, "b b"]
    items: Float[Tensor, "m d_i"]
    texts: Float[Tensor, "k d_t"]


class Supply:
    """Batches of a task's training data: its pairs, and as singles all items and all texts, with and without partners."""

    def __init__(self, task: Task, frames: Frames, *, batch: int) -> None:
        pairs, rest = task.train, task.unpaired
        self.pairs, self.batch = pairs, batch
        self.item, self.text = (one.to(task.device) for one in (frames.items(pairs.pooled), frames.texts(pairs.anchors)))
        self.items, self.texts = self.item, self.text
        if rest.items is not None and len(rest.items):
            if not isinstance(rest.items, Pooled):
                raise InputError("the items without partners are tokens; expected one vector an item: an encoder with a pool")
            self.items = torch.cat([self.item, frames.items(rest.items.vectors).to(task.device)])
        if rest.anchors is not None and len(rest.anchors):
            self.texts = torch.cat([self.text, frames.texts(rest.anchors).to(task.device)])
        self._text_of = np.empty(0, dtype=np.int64)

    def begin(self, rng: np.random.Generator) -> None:
        """Draw one text an item for an epoch."""
        order = rng.permutation(len(self.pairs.edges))
        self._text_of = np.empty(len(self.pairs.items), dtype=np.int64)
        self._text_of[self.pairs.edges[order, 0]] = self.pairs.edges[order, 1]

    def draw(self, rows: np.ndarray, rng: np.random.Generator) -> Drawn:
        """Random pairs and texts beside the single items of `rows`, which begin anew after the last item."""
        chosen = rng.permutation(len(self.item))[: self.batch]
        texts = self._text_of[chosen]
        return Drawn(
            item=self.item[chosen],
            text=self.text[texts],
            same=torch.from_numpy(self.pairs.relevant[chosen][:, texts].toarray()).to(self.item.device),
            items=self.items[rows % len(self.items)],
            texts=self.texts[rng.integers(len(self.texts), size=len(rows))],
        )


def _frame(vectors: Vectors) -> tuple[Tensor, float]:
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    return torch.from_numpy(mean), max(float((vectors - mean).std()), 1e-6)
