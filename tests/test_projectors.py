"""Projectors are plain modules that can be saved and rebuilt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from textanchor import registry
from textanchor.projectors import Projector, build, project
from textanchor.projectors.kernel import Kernel, gaussian
from textanchor.projectors.mlp import MLP
from textanchor.records import Ragged

SETTINGS = {
    "mlp": {"hidden": 7},
    "kernel": {"landmarks": 5},
    "residual-mlp": {"blocks": 1},
    "mixture": {"hidden": 5},
    "relative": {"landmarks": 5, "k": 3, "power": 2.0},
    "residual": {"base": "linear", "base_settings": {"dim_in": 6, "dim_out": 4}},
    "attention": {"heads": 2, "hidden": 5},
    "names": {"classes": 3, "temperature": 2.0},
    "skip-mlp": {"hidden": 5},
    "chain": {
        "first": "skip-mlp",
        "first_settings": {"dim_in": 6, "dim_out": 3, "hidden": 5},
        "second": "linear",
        "second_settings": {"dim_in": 3, "dim_out": 4},
    },
    "prior": {
        "base": "linear",
        "base_settings": {"dim_in": 6, "dim_out": 4},
        "names_settings": {"dim_in": 6, "dim_out": 4, "classes": 3, "temperature": 2.0, "standardise": True},
    },
}


@pytest.mark.parametrize("name", registry.names("projector"))
def test_contract(name: str) -> None:
    torch.manual_seed(0)
    held = registry.load("projector", name)(dim_in=6, dim_out=4, **SETTINGS.get(name, {}))
    for tensor in held.state_dict().values():
        tensor.copy_(torch.rand_like(tensor))
    assert isinstance(held, nn.Module)
    assert isinstance(held, Projector)
    assert held.name == name
    latents = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    if getattr(held, "ragged", False):
        check_tokens(held, latents)
        return
    out = project(held, latents)
    assert out.shape == (9, 4)
    assert out.dtype == np.float32
    again = build(name, held.settings, held.state_dict())
    np.testing.assert_array_equal(project(again, latents), out)
    np.testing.assert_allclose(np.concatenate([project(held, latents[i : i + 1]) for i in range(9)]), out, rtol=1e-5)
    wrong = {**held.state_dict(), "extra": torch.zeros(1)}
    with pytest.raises(RuntimeError):
        build(name, held.settings, wrong)


def check_tokens(held: nn.Module, tokens: np.ndarray) -> None:
    """Items of 2, 1 and 6 tokens: padding changes nothing, the order of tokens neither."""
    offsets = np.array([0, 2, 3, 9])
    names = {"ids": ("a", "b", "c"), "contents": ("a", "b", "c"), "fingerprint": "toy"}
    items = Ragged(tokens=tokens.astype(np.float16), offsets=offsets, **names)
    out = project(held, items)
    assert out.shape == (3, 4)
    np.testing.assert_allclose(np.concatenate([project(held, items.take([row])) for row in range(3)]), out, rtol=1e-5)
    turned = Ragged(tokens=items.tokens[[1, 0, 2, *range(8, 2, -1)]], offsets=offsets, **names)
    np.testing.assert_allclose(project(held, turned), out, atol=1e-5)
    again = build(held.name, held.settings, held.state_dict())
    np.testing.assert_array_equal(project(again, items), out)


def test_attention_starts_at_the_mean_of_the_tokens() -> None:
    held = registry.load("projector", "attention")(dim_in=3, dim_out=2, heads=1, hidden=4, dropout=0.0)
    tokens = torch.rand(1, 5, 3)
    alone = held(tokens, torch.ones(1, 5, dtype=torch.bool))
    torch.testing.assert_close(alone, held(tokens.mean(dim=1, keepdim=True), torch.ones(1, 1, dtype=torch.bool)))


def test_hostile_sizes_allocate_nothing() -> None:
    with pytest.raises(RuntimeError):
        build("linear", {"dim_in": 10**7, "dim_out": 10**7}, {"map.weight": torch.zeros(1, 1), "map.bias": torch.zeros(1)})


def test_dropout_is_off_outside_training() -> None:
    held = MLP(dim_in=3, dim_out=2, dropout=0.9)
    latents = np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(project(held, latents), project(held, latents))


def test_the_mlp_centres_scales_and_adds_its_offset_last() -> None:
    held = MLP(dim_in=3, dim_out=2, dropout=0.0)
    x = torch.rand(4, 3)
    bare = held(x)
    held.offset.fill_(5.0)
    torch.testing.assert_close(held(x), bare + 5)
    held.mean.fill_(1.0)
    held.scale.fill_(2.0)
    torch.testing.assert_close(held(1 + 2 * x), bare + 5)


def test_the_kernel_is_its_formula() -> None:
    held = Kernel(dim_in=2, dim_out=3, landmarks=4)
    made = torch.Generator().manual_seed(0)
    for tensor in held.state_dict().values():
        tensor.copy_(torch.rand(tensor.shape, generator=made))
    x = torch.rand(5, 2, generator=made)
    slow = torch.stack(
        [
            held.offset + sum(torch.exp(-held.gamma * ((x[i] - held.mean - mark) ** 2).sum()) * row
                              for mark, row in zip(held.landmarks, held.coefficients, strict=True))
            for i in range(5)
        ]
    )  # fmt: skip
    torch.testing.assert_close(held(x), slow)
    assert gaussian(x, x, 2.0).diagonal().allclose(torch.ones(5))
