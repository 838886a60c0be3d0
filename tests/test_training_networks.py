"""The loop that trains networks on raw items: when it ends, at what rate, and what it keeps."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textanchor.errors import InputError
from textanchor.pretraining.augmenting import augmentation_of
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.loop import Material, pace, parameters, train
from textanchor.pretraining.objectives import Seen
from training_world import PLAN, SHAPE, course, learner, material

SCORES = [0.2, 0.5, 0.4, 0.5, 0.3, 0.9, 1.0]


@pytest.mark.parametrize(("patience", "epochs"), [(0, 7), (1, 3), (2, 4), (3, 5), (4, 7)])
def test_training_ends_after_so_many_looks_without_a_better_one(patience: int, epochs: int) -> None:
    """The best is the second until the sixth; an equal one is no better."""
    plan = replace(PLAN, epochs=7, patience=patience)
    rows = train(learner(), material(), plan, course(watch=lambda epoch: {"score": SCORES[epoch - 1]}))
    assert len(rows) == epochs
    assert [row["score"] for row in rows] == SCORES[:epochs]


def test_the_best_look_is_kept_and_not_the_last() -> None:
    kept: list[dict[str, Tensor]] = []
    made = learner()

    def watch(epoch: int) -> dict[str, float]:
        kept.append({name: value.clone() for name, value in made.state_dict().items()})
        return {"score": SCORES[epoch - 1]}

    train(made, material(), replace(PLAN, epochs=5), course(watch=watch, best=True))
    assert all(torch.equal(value, kept[1][name]) for name, value in made.state_dict().items())
    assert not made.training


def test_training_goes_on_as_training_after_a_look_that_judged() -> None:
    made = learner()
    modes = []

    def watch(epoch: int) -> dict[str, float]:
        modes.append(made.training)
        made.eval()
        return {}

    train(made, material(), PLAN, course(watch=watch))
    assert modes == [True] * 4


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 2))

        def forward(self, seen: Seen) -> Tensor:
            return self.weight.sum() * math.nan

    file = tmp_path / "c"
    with pytest.raises(InputError, match=r"no number any more after 1 epochs at rate=0\.003; take a smaller one"):
        train(Broken(), material(), PLAN, course(checkpoint=Checkpoint(file, "k")))
    assert not file.exists()


def test_pace_by_hand() -> None:
    assert [pace(step, 10, 0.4) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert pace(4, 10, 0.4) == 1.0
    assert pace(7, 10, 0.4) == pytest.approx(0.5)
    assert pace(9, 10, 0.4) == pytest.approx(0.5 * (1 + math.cos(math.pi * 5 / 6)))
    assert pace(0, 10, 0.0) == 1.0
    assert pace(5, 10, 0.0) == pytest.approx(0.5)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 15, 16, 33])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.3, 0.99])
def test_pace_rises_to_1_and_falls_and_is_never_more(steps: int, warmup: float) -> None:
    found = [pace(step, steps, warmup) for step in range(steps)]
    top = found.index(max(found))
    assert max(found) == 1.0
    assert min(found) >= 0
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)


class Sum(nn.Module):
    """A loss whose gradient is known: 3 for each of four weights, so that it is 6 long."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2))
        self.seen: list[float] = []
        self.weight.register_post_accumulate_grad_hook(lambda one: self.seen.append(float(one.grad.norm())))

    def forward(self, seen: Seen) -> Tensor:
        return 3 * self.weight.sum() + 0 * self.bias.sum()


@pytest.mark.parametrize(("clip", "length"), [(0.0, 6.0), (1.0, 1.0), (10.0, 6.0)])
def test_gradients_are_clipped_to_a_length(clip: float, length: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made, lengths = Sum(), []
    step = torch.optim.AdamW.step

    def watched(self: Any, *args: Any) -> Any:
        lengths.append(float(torch.cat([one.grad.flatten() for one in made.parameters()]).norm()))
        return step(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    train(made, material(), replace(PLAN, epochs=1, clip=clip), course())
    assert lengths == pytest.approx([length] * 3, rel=1e-4)
    assert made.seen == pytest.approx([6.0] * 3)


def test_rates_follow_the_pace_of_each_group(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    step = torch.optim.AdamW.step

    def watched(self: Any, *args: Any) -> Any:
        rates.append([group["lr"] for group in self.param_groups])
        return step(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    made, plan = Sum(), replace(PLAN, epochs=2, warmup=0.5)
    train(made, material(), plan, course(), groups=[{"params": [made.weight], "lr": 0.1}, {"params": [made.bias], "lr": 0.02}])
    share = [pace(at, 6, 0.5) for at in range(6)]
    assert rates == [pytest.approx([0.1 * one, 0.02 * one]) for one in share]


def test_only_matrices_decay() -> None:
    matrices, rest = parameters(learner(), replace(PLAN, decay=0.3))
    assert all(one.ndim > 1 for one in matrices["params"])
    assert all(one.ndim <= 1 for one in rest["params"])
    assert (matrices["weight_decay"], rest["weight_decay"]) == (0.3, 0.0)


def test_every_item_is_seen_once_an_epoch_in_an_order_of_its_own() -> None:
    class Listening(Sum):
        heard: tuple[list[int], ...] = ([], [])

        def forward(self, seen: Seen) -> Tensor:
            self.heard[0].extend(seen.labels.tolist())
            return super().forward(seen)

    items = Material(
        values=np.zeros((37, *SHAPE), np.uint8), labels=np.arange(37), augmentation=augmentation_of("nothing"), views=1
    )
    made = Listening()
    train(made, items, replace(PLAN, epochs=2), course())
    first, second = made.heard[0][:37], made.heard[0][37:]
    assert sorted(first) == sorted(second) == list(range(37))
    assert first != second


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("batch", 0), ("rate", 0.0), ("rate", math.nan), ("warmup", 1.0),
                                             ("decay", -1.0), ("clip", math.inf), ("chunk", -1), ("patience", -2)])  # fmt: skip
def test_plans_that_make_no_training_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name}="):
        replace(PLAN, **{name: value})
