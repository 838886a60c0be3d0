"""A classifier, whose activations are the representation."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from textanchor.encoders.own import OwnNetwork
from textanchor.errors import InputError
from textanchor.pretraining.objectives.protocol import Facts, Seen
from textanchor.settings import Share


class Supervised:
    """Cross entropy of the classes, with labels smoothed by a share. Items without a class teach nothing."""

    views, labelled = 1, True

    def __init__(self, *, smoothing: Share = 0.1) -> None:
        self.smoothing = smoothing

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """Raises `InputError` for less than two classes."""
        if facts.classes < 2:
            raise InputError(f"supervised: {facts.classes} classes in the training data; at least 2 are needed")
        return Classifying(network, facts.classes, self.smoothing)


class Classifying(nn.Module):
    """A linear classifier of the pooled last layer."""

    def __init__(self, network: OwnNetwork, classes: int, smoothing: float) -> None:
        super().__init__()
        self.network, self.classes, self.smoothing = network, nn.Linear(network.dim, classes), smoothing

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """In nats."""
        told = seen.labels >= 0
        logits = self.classes(self.network(seen.views[0][told]))
        return functional.cross_entropy(logits, seen.labels[told], label_smoothing=self.smoothing)
