"""Tiny learners, items and courses for tests of the training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from textanchor.encoders.own import OwnNetwork
from textanchor.pretraining.augmenting import augmentation_of
from textanchor.pretraining.loop import Course, Material
from textanchor.pretraining.objectives import Facts, pretext
from textanchor.pretraining.plan import Plan

SHAPE = (1, 8, 8)
RESNET, VIT = "resnet(width=4,stages=2)", "vit(width=16,depth=1,heads=2,patch=4)"
PLAN = Plan(epochs=4, batch=16, rate=3e-3)


def learner(task: str = "simclr", backbone: str = RESNET) -> nn.Module:
    torch.manual_seed(0)
    return pretext(task).learner(OwnNetwork(shape=SHAPE, backbone=backbone), Facts(classes=3, shape=SHAPE))


def material(task: str = "simclr", augmentation: str = "pictures", items: int = 40) -> Material:
    rng = np.random.default_rng(0)
    return Material(
        values=rng.integers(0, 256, size=(items, *SHAPE)).astype(np.uint8),
        labels=np.arange(items) % 3,
        augmentation=augmentation_of(augmentation),
        views=pretext(task).views,
    )


def course(**more: Any) -> Course:
    return Course(**{"device": "cpu", "seed": 3, "watch": lambda epoch: {"rank": 1.0}, **more})


def same(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)
