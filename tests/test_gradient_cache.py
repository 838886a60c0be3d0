"""Batches in chunks have the gradient of the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from textanchor.pretraining.gradient_cache import backward
from textanchor.pretraining.loop import train
from textanchor.pretraining.objectives import Seen, pretext
from training_world import PLAN, RESNET, SHAPE, VIT, course, learner, material


def gradients(task: str, backbone: str, chunk: int) -> tuple[float, dict[str, Tensor]]:
    made, views = learner(task, backbone), pretext(task).views
    generator = torch.Generator().manual_seed(0)
    seen = Seen(views=torch.randn(views, 12, *SHAPE, generator=generator), labels=torch.arange(12) % 3)
    if hasattr(made, "projection") and backbone == VIT:
        made.projection = nn.Linear(16, 8)  # no statistics of a batch anywhere
        nn.init.normal_(made.projection.weight, generator=generator)
        nn.init.zeros_(made.projection.bias)
    torch.manual_seed(1)
    if chunk:
        loss = backward(made, seen, chunk)
    else:
        lost = made(seen)
        lost.backward()
        loss = float(lost.detach())
    return loss, {name: one.grad for name, one in made.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("task", ["simclr", "triplet(mining=hard)", "vicreg", "sigreg", "supervised"])
@pytest.mark.parametrize("chunk", [1, 5, 12])
def test_gradients_in_chunks_are_the_whole_batch_s(task: str, chunk: int) -> None:
    loss, whole = gradients(task, VIT, 0)
    cached, parts = gradients(task, VIT, chunk)
    assert cached == pytest.approx(loss, rel=1e-5)
    assert whole.keys() == parts.keys()
    longest = max(1.0, *(float(one.abs().max()) for one in whole.values()))
    for name, one in whole.items():
        assert torch.allclose(parts[name], one, atol=1e-5 * longest), name


def test_batch_normalisation_sees_chunks() -> None:
    """So that the gradient is another one, as the cache says; its size is about the same."""
    _, whole = gradients("simclr", RESNET, 0)
    _, parts = gradients("simclr", RESNET, 8)
    name = "network.backbone.stem.0.weight"
    assert not torch.allclose(parts[name], whole[name], rtol=1e-2)
    assert 0.2 < float(parts[name].norm() / whole[name].norm()) < 5


def test_a_batch_of_chunks_trains_to_the_same_weights() -> None:
    one, other = learner("supervised", VIT), learner("supervised", VIT)
    plan = replace(PLAN, epochs=2)
    train(one, material("supervised", "nothing"), plan, course())
    train(other, material("supervised", "nothing"), replace(plan, chunk=5), course())
    for (name, mine), theirs in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4), name
