"""Losses against the formula in plain Python, and what each promises."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import normalize

from textanchor import registry
from textanchor.losses.bank import BankSoftmax
from textanchor.losses.mse import MSE


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(seed)
    item, bank = torch.randn(5, 4, generator=made), torch.randn(3, 4, generator=made)
    own = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=torch.bool)
    return item, bank[[0, 0, 1, 1, 2]], bank, own


@pytest.mark.parametrize("name", registry.names("loss"))
def test_contract(name: str) -> None:
    held = registry.load("loss", name)()
    item, text, bank, own = batch()
    item.requires_grad_(True)
    value = held(item, text, bank, own)
    assert value.shape == ()
    assert torch.isfinite(value)
    value.backward()
    assert torch.isfinite(item.grad).all()
    assert item.grad.abs().sum() > 0
    order = torch.tensor([3, 1, 4, 0, 2])
    assert held(item[order], text[order], bank, own[order]).item() == pytest.approx(value.item(), rel=1e-5)
    assert isinstance(held.centred, bool)


def test_mse() -> None:
    item, text, bank, own = batch()
    slow = sum((float(item[i, d]) - float(text[i, d])) ** 2 for i in range(5) for d in range(4)) / 20
    assert MSE()(item, text, bank, own).item() == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_bank_softmax(temperature: float) -> None:
    item, text, bank, own = batch(1)
    total = 0.0
    for i in range(5):
        cosine = [float(normalize(item[i], dim=0) @ normalize(bank[t], dim=0)) / temperature for t in range(3)]
        rest = math.log(sum(math.exp(value) for value in cosine))
        mine = [cosine[t] - rest for t in range(3) if own[i, t]]
        total -= sum(mine) / len(mine)
    assert BankSoftmax(temperature=temperature)(item, text, bank, own).item() == pytest.approx(total / 5, rel=1e-4)


def test_bank_softmax_falls_as_items_approach_their_texts() -> None:
    _, text, bank, own = batch(2)
    held = BankSoftmax()
    own = torch.eye(3, dtype=torch.bool)[[0, 0, 1, 1, 2]]
    assert held(text, text, bank, own) < held(-text, text, bank, own)
