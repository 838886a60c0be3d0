"""An encoder of one's own from raw items: train a network on a pretext task, cut it, and say what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from textanchor.aligners.loop import seeded
from textanchor.encoders.own import Description, OwnEncoder, OwnNetwork
from textanchor.encoders.own.backbones.pca import PCA
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.pretraining.augmenting import augmentation_of
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.choosing import Cut, augmentation_for, cuts
from textanchor.pretraining.inputs import Arrays, latents_of, standardised, variants
from textanchor.pretraining.loop import Course, Material, Row, train
from textanchor.pretraining.objectives import Facts, Pretext, pretext
from textanchor.pretraining.plan import Plan
from textanchor.pretraining.probing import LOOKED_AT, Labelled, online, rank
from textanchor.pretraining.ready import Ready
from textanchor.records import Setting

COLLAPSED = 3.0  # effective directions below which a representation tells hardly anything apart
PLAIN = "pca"  # the task that trains nothing
CHECKPOINT = "training.safetensors"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is trained on what task; a front or an augmentation of None is what suits. The task `pca` trains nothing."""

    task: str = "simclr"
    backbone: str = "resnet"
    front: str | None = None
    augmentation: str | None = None
    plan: Plan = field(default_factory=Plan)
    seed: int = 0

    def described(self) -> Mapping[str, Setting | Mapping[str, Setting]]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network and how it is built again, what was seen at each epoch, and all depths with their accuracy on validation."""

    description: Description
    network: OwnNetwork
    rows: tuple[Row, ...]
    cuts: tuple[Cut, ...] = ()
    notes: tuple[str, ...] = ()


def trained(
    given: Ready,
    recipe: Recipe,
    *,
    course: Callable[[Course], Course] = lambda one: one,
    folder: Path | None = None,
    own: Pretext | None = None,
) -> Trained:
    """Train on the training side; where there are classes, the depth at which it is cut and its pool are chosen on validation.

    A training that was interrupted goes on from `folder`. `course` may change how it is shown.
    A task of the caller's `own` stands for the recipe's, which then only tells of it; its batches hold the numbers of items
    instead of classes, so that it can have a target for each.
    Raises `InputError` for a task that lacks what it needs.
    """
    with seeded(recipe.seed, given.device):
        if recipe.task.partition("(")[0] == PLAIN:
            return _plain(given, recipe)
        task = own or pretext(recipe.task)
        told = Description(front=given.spelled, backbone=recipe.backbone)
        network = told.network(given.front)
        standardised(network, given.train.values)
        learner = task.learner(network, Facts(classes=len(given.source.classes), shape=given.front.shape))
        key = digest(repr(recipe), told.front, *(item.id for item in given.read.items), str(given.train.values.shape))
        plain = Course(
            device=given.device,
            seed=recipe.seed,
            watch=_Watch(network, given),
            checkpoint=None if folder is None else Checkpoint(folder / CHECKPOINT, key),
            best=task.labelled and given.val is not None,
            what=recipe.task.partition("(")[0],
        )
        rows = train(learner, _material(given, recipe, task, numbered=own is not None), recipe.plan, course(plain))
    return _cut(Trained(description=told, network=network, rows=tuple(rows), notes=_remarks(rows)), given)


def encoder_of(made: Trained, given: Ready, name: str) -> OwnEncoder:
    """What was trained, as an encoder."""
    return OwnEncoder(made.description, given.front, made.network, device=given.device, name=name)


def _plain(given: Ready, recipe: Recipe) -> Trained:
    """Principal components of the arrays."""
    told = Description(front=given.spelled, backbone=recipe.task)
    network = told.network(given.front)
    standardised(network, given.train.values)
    made = cast(PCA, network.backbone)
    made.fitted(network.standard(torch.from_numpy(given.train.values)).numpy(), seed=recipe.seed)
    return Trained(description=told, network=network.eval(), rows=())


def _cut(made: Trained, given: Ready) -> Trained:
    if given.val is None:
        return made
    taught = given.train.told(LOOKED_AT)
    found = cuts(made.network, taught, given.val, device=given.device)
    best = found[0]
    made.network.layer, made.network.pool = best.layer, best.pool
    return replace(made, description=replace(made.description, layer=best.layer, pool=best.pool), cuts=tuple(found))


def _material(given: Ready, recipe: Recipe, task: Pretext, *, numbered: bool) -> Material:
    rows = np.arange(len(given.train))
    if task.labelled:
        rows = np.flatnonzero(given.train.labels >= 0)
    if len(rows) < 2:
        raise InputError(f"{len(rows)} items to train on {'with a class' if task.labelled else ''}; at least 2 are needed")
    augmentation = augmentation_of(recipe.augmentation or augmentation_for(given.source.modality))
    return Material(
        values=given.train.values[rows],
        labels=rows if numbered else given.train.labels[rows],
        augmentation=augmentation,
        views=task.views,
        variants=_variants(given, rows, getattr(augmentation, "waves", 0), recipe.seed),
    )


def _variants(given: Ready, rows: np.ndarray, count: int, seed: int) -> np.ndarray | None:
    """Of sounds, if the augmentation asks for any."""
    if not count:
        return None
    if given.source.modality != "audio":
        raise InputError(f"waves={count}: only sounds are waves, and the items are of {given.source.modality}")
    return variants([given.read.items[row] for row in rows], given.front, count, given.runtime, seed=seed)


class _Watch:
    """Of an epoch: how many directions latents use, and where there are classes, what a linear probe gets right."""

    def __init__(self, network: OwnNetwork, given: Ready) -> None:
        self._network, self._device, self._val = network, given.device, given.val
        some = np.linspace(0, len(given.train) - 1, min(len(given.train), LOOKED_AT)).astype(int)
        self._some = given.train.values[np.unique(some)]
        self._taught: Arrays | None = given.train.told(LOOKED_AT) if given.val is not None else None

    def __call__(self, epoch: int) -> Row:
        found = {"rank": rank(latents_of(self._network, self._some, device=self._device))}
        if self._taught is None or self._val is None:
            return found
        taught, asked = (
            Labelled(latents=latents_of(self._network, one.values, device=self._device), classes=one.labels)
            for one in (self._taught, self._val)
        )
        return {**found, "score": online(taught, asked)}


def _remarks(rows: Sequence[Row]) -> tuple[str, ...]:
    if rows and rows[-1]["rank"] < COLLAPSED:
        return (
            f"latents have collapsed: they use {rows[-1]['rank']:.1f} directions at the end (RankMe); lower the rate, or take "
            "another task or augmentation",
        )
    return ()
