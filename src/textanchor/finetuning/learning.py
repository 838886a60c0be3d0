"""The learner: arrays through encoder and projector into the anchor's space, and the loss there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from textanchor.aligners.training import bank_of
from textanchor.finetuning.depth import Depth
from textanchor.finetuning.recipe import Recipe
from textanchor.finetuning.tunable import Tunable
from textanchor.losses import Batch
from textanchor.pretraining.objectives import Seen
from textanchor.records import Fit, PairedLatents, View


class EndToEnd(nn.Module):
    """Labels of a batch are rows of `train`'s items; in a batch each item has one of its texts, drawn at random."""

    def __init__(self, tunable: Tunable, fit: Fit, loss: nn.Module, train: PairedLatents, recipe: Recipe) -> None:
        super().__init__()
        assert fit.view is not None
        self.network, self.projector, self.loss = tunable.network, fit.projector, loss
        self._trunk, self._depth, self._recipe = tunable.trunk, Depth(tunable.trunk), recipe
        self.view: View = fit.view
        self._train, self._used = train, self._depth.count - tunable.unused
        self._anchors = torch.from_numpy(fit.view.text(train.anchors))
        self.begin(1)

    @property
    def layers(self) -> int:
        """Of the trunk, those above the cut left out."""
        return self._used

    def train(self, mode: bool = True) -> EndToEnd:
        """Batch normalisation keeps the statistics that it has, and nothing is dropped: few items tell no better ones.

        Where layers were copied, those above have none yet.
        """
        super().train(mode)
        if not self._recipe.copy_first:
            self.network.eval()
        for module in self._depth.modules(self._trunk, self._recipe.freeze):
            module.eval()
        return self

    def begin(self, epoch: int) -> None:
        """What is trained in an epoch."""
        lowest = self._recipe.freeze
        if self._recipe.unfreeze_every:
            lowest = max(lowest, self._used - 1 - (epoch - 1) // self._recipe.unfreeze_every)
        for name, one in self._trunk.named_parameters():
            one.requires_grad_(self._free(name) and lowest <= self._depth.of(name) < self._used)

    def _free(self, name: str) -> bool:
        return not self._recipe.lora or ".lora_" in name

    def groups(self) -> Sequence[Mapping[str, Any]]:
        """Parameters of each layer with its rate; matrices decay, the rest does not."""
        plan, found = self._recipe.plan, []
        own = {id(one) for one in self._trunk.parameters()}
        layers = [(plan.rate, [one for one in self.parameters() if id(one) not in own])]
        for layer in range(self._recipe.freeze, self._used):
            named = [one for name, one in self._trunk.named_parameters() if self._depth.of(name) == layer and self._free(name)]
            layers.append((plan.rate * self._recipe.layer_decay ** (self._used - 1 - layer), named))
        for rate, free in layers:
            for decay, some in (
                (plan.decay, [one for one in free if one.ndim > 1]),
                (0.0, [one for one in free if one.ndim < 2]),
            ):
                if some:
                    found.append({"params": some, "lr": rate, "weight_decay": decay})
        return found

    def embed(self, inputs: Float[Tensor, "n c h w"]) -> Float[Tensor, "n e"]:
        """Projected, as the view compares it."""
        return self.view.item.on(self.projector(self.network(inputs)))

    def compare(self, embedded: Float[Tensor, "v b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """The loss of one view."""
        lost: Tensor = self.loss(self._batch(embedded[0].float(), labels.cpu().numpy()))
        return lost

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Of a whole batch."""
        return self.compare(self.embed(seen.views[0])[None], seen.labels)

    def _batch(self, item: Tensor, rows: np.ndarray) -> Batch:
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        relevant = self._train.relevant[rows]
        bank = bank_of(self._train, rows, rng) if getattr(self.loss, "whole_bank", False) else np.unique(relevant.indices)
        own = relevant[:, bank].toarray()
        chosen = np.asarray([rng.choice(np.flatnonzero(row)) for row in own], dtype=np.int64)
        there = item.device
        return Batch(
            item=item,
            bank=self._anchors[torch.from_numpy(bank)].to(there),
            chosen=torch.from_numpy(chosen).to(there),
            own=torch.from_numpy(own).to(there),
        )
