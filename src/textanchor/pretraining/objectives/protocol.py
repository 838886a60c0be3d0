"""What a pretext task is: it puts a head on a network and gives the loss of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor, nn

from textanchor import registry
from textanchor.encoders.own import OwnNetwork


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a task may know of the data before training: how many classes there are, and the shape of an item's array."""

    classes: int
    shape: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A batch: every item as often as the task looks at it, differently augmented [views, b, c, h, w], and its class.

    The class is -1 where nobody gave one.
    """

    views: Float[Tensor, "v b c h w"]
    labels: Int[Tensor, " b"]


@runtime_checkable
class Learner(Protocol):
    """A module with the network and what the task adds to it.

    Tasks whose loss ties the items of a batch together say how in two steps, so that a batch may be larger than memory:
    `embed` looks at items by themselves, `compare` at all their embeddings.
    """

    def embed(self, inputs: Float[Tensor, "n c h w"]) -> Float[Tensor, "n e"]:
        """What is compared."""

    def compare(self, embedded: Float[Tensor, "v b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """The loss of a batch."""


@runtime_checkable
class Pretext(Protocol):
    """A task with its settings. `views` says how often it looks at an item, `labelled` whether classes teach."""

    views: int
    labelled: bool

    def learner(self, network: OwnNetwork, facts: Facts) -> nn.Module:
        """A module whose call with a `Seen` is the loss, perhaps a `Learner`. Raises `InputError` for a network that it cannot
        use."""


def pretext(spec: str) -> Pretext:
    """A task by name and settings, such as `simclr(temperature=0.2)`. Raises `InputError`."""
    made: Pretext = registry.part("pretext", spec)
    return made


def head(wide: int, hidden: int, out: int) -> nn.Sequential:
    """A projection head: what a task needs and a representation does not gathers there, and is left out afterwards."""
    return nn.Sequential(nn.Linear(wide, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, out))


class Comparing(nn.Module):
    """A learner of tasks that compare embeddings of the pooled last layer: a head, and a rule."""

    def __init__(self, network: OwnNetwork, projection: nn.Module, rule: nn.Module) -> None:
        super().__init__()
        self.network, self.projection, self.rule = network, projection, rule

    def embed(self, inputs: Float[Tensor, "n c h w"]) -> Float[Tensor, "n e"]:
        """The head's output."""
        out: Tensor = self.projection(self.network(inputs))
        return out

    def compare(self, embedded: Float[Tensor, "v b e"], labels: Int[Tensor, " b"]) -> Float[Tensor, ""]:
        """The rule's loss."""
        loss: Tensor = self.rule(embedded, labels)
        return loss

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """All views at once, so that batch statistics are of all of them."""
        views, items = seen.views.shape[:2]
        return self.compare(self.embed(seen.views.flatten(0, 1)).view(views, items, -1), seen.labels)
