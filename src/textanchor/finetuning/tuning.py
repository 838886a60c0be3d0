"""Train an encoder end to end on pairs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from textanchor import registry
from textanchor.aligners.loop import seeded
from textanchor.aligners.ridge import Ridge
from textanchor.aligners.selection import named
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.finetuning.learning import EndToEnd
from textanchor.finetuning.recipe import Recipe
from textanchor.finetuning.tunable import Tunable
from textanchor.pretraining.augmenting import augmentation_of
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.inputs import Inputs, gathered, latents_of
from textanchor.pretraining.loop import Course, Material, Row, train
from textanchor.pretraining.pretraining import CHECKPOINT
from textanchor.projectors import project
from textanchor.records import Fit, Item, PairedLatents, Pooled, Task
from textanchor.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is trained on: pairs with the latents of the encoder as it was, of both sides, and their items by id."""

    train: PairedLatents
    val: PairedLatents | None
    items: Callable[[Sequence[str]], Sequence[Item]]
    device: str
    runtime: Runtime


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What was seen at each epoch, and recall@1 on validation before; arrays; how many numbers were trained, `of` how many."""

    rows: tuple[Row, ...]
    before: float | None
    read: Inputs
    trained: int
    of: int


def tuned(
    tunable: Tunable,
    given: Given,
    recipe: Recipe,
    *,
    course: Callable[[Course], Course] = lambda one: one,
    folder: Path | None = None,
) -> Tuning:
    """Train it in place. The projector begins as the closed form on the latents that the encoder had, or has after copying.

    Of all epochs the one with the best recall@1 on validation is kept. A training that was interrupted goes on from `folder`.
    Raises `InputError` for a recipe that leaves nothing to train or asks for what the encoder cannot have.
    """
    if recipe.augmentation != "nothing" and not tunable.pixels:
        raise InputError(f"augmentation={recipe.augmentation} changes raw arrays, and a hub: model takes its own; say nothing")
    with seeded(recipe.seed, given.device):
        return _tuned(tunable, given, recipe, course=course, folder=folder)


def _tuned(
    tunable: Tunable, given: Given, recipe: Recipe, *, course: Callable[[Course], Course], folder: Path | None
) -> Tuning:
    tunable.measure(given.items(given.train.items.ids), given.runtime.limits)
    read, pairs = _read(tunable, given.train, given)
    asked = None if given.val is None else _read(tunable, given.val, given)
    merges = _built(tunable, recipe)
    if recipe.copy_first:
        pairs = _encoded(tunable, read.values, pairs, given.device)
    learner = EndToEnd(tunable, _begun(pairs, given, recipe), registry.part("loss", recipe.loss), pairs, recipe)
    _check(learner, recipe)
    look = None if asked is None else _Look(learner, asked[0].values, asked[1], given.device)
    before = None if look is None else look.recall()
    plain = Course(
        device=given.device,
        seed=recipe.seed,
        watch=(lambda epoch: {}) if look is None else look,
        checkpoint=None if folder is None else Checkpoint(folder / CHECKPOINT, _key(learner, read, pairs, recipe)),
        best=look is not None,
        what="tune",
        begin=learner.begin,
    )
    groups = learner.groups()
    rows = train(learner, _material(read, recipe), recipe.plan, course(plain), groups=groups)
    own = {id(one) for one in tunable.network.parameters()}
    free = sum(one.numel() for group in groups for one in group["params"] if id(one) in own)
    if merges is not None:
        merges.merge_and_unload()
    tunable.network.requires_grad_(True)
    whole = sum(one.numel() for one in tunable.network.parameters())
    return Tuning(rows=tuple(rows), before=before, read=read, trained=free, of=whole)


def _begun(pairs: PairedLatents, given: Given, recipe: Recipe) -> Fit:
    """The closed form, of which the projector is a copy that may be trained."""
    val = None if recipe.copy_first else given.val  # of the encoder as it was, and no longer is
    return copy.deepcopy(Ridge().fit(Task(train=pairs, val=val, device="cpu", seed=recipe.seed, refit=False)))


def _key(learner: EndToEnd, read: Inputs, pairs: PairedLatents, recipe: Recipe) -> str:
    """What a training that goes on must have in common with the one that stopped."""
    items = (item.id for item in read.items)
    data = (str(read.values.shape), str(pairs.items.fingerprint), str(pairs.edges.tolist()), learner.view.id)
    return digest(repr(recipe), *data, *items, *pairs.texts)


def _built(tunable: Tunable, recipe: Recipe) -> Any:
    """With what the recipe adds; the adapters, if there are any."""
    if recipe.copy_first:
        tunable.take_over(recipe.copy_first, recipe.copy_from)
    if recipe.new_layers:
        tunable.grow(recipe.new_layers)
    return tunable.adapt(recipe.lora, below=recipe.freeze) if recipe.lora else None


def _check(learner: EndToEnd, recipe: Recipe) -> None:
    if recipe.freeze > learner.layers:
        raise InputError(f"freeze={recipe.freeze}: this encoder has {learner.layers} layers up to where it is cut")
    if recipe.freeze == learner.layers and not recipe.new_layers:
        raise InputError(f"freeze={recipe.freeze}: all {learner.layers} layers are frozen, so that only `fit` is left to do")


def _read(tunable: Tunable, pairs: PairedLatents, given: Given) -> tuple[Inputs, PairedLatents]:
    """Arrays of the items, in the order of the pairs, and the pairs of those that could be read."""
    read = gathered(given.items(pairs.items.ids), tunable.front, given.runtime)
    place = {item: row for row, item in enumerate(pairs.items.ids)}
    rows = np.asarray([place[item.id] for item in read.items], dtype=np.int64)
    return read, pairs if len(rows) == len(place) else pairs.take(rows)


def _encoded(tunable: Tunable, values: np.ndarray, pairs: PairedLatents, device: str) -> PairedLatents:
    """With latents of the encoder as it is now."""
    assert isinstance(pairs.items, Pooled)
    tunable.network.to(device)
    vectors = latents_of(tunable.network, values, device=device)
    return replace(pairs, items=replace(pairs.items, vectors=vectors))


def _material(read: Inputs, recipe: Recipe) -> Material:
    return Material(
        values=read.values,
        labels=np.arange(len(read)),
        augmentation=augmentation_of(recipe.augmentation),
        views=1,
    )


class _Look:
    """Recall@1 on validation: how many items find one of their texts first among the texts of validation."""

    def __init__(self, learner: EndToEnd, values: np.ndarray, val: PairedLatents, device: str) -> None:
        self._learner, self._values, self._val, self._device = learner, values, val, device

    def __call__(self, epoch: int) -> Row:
        """Of an epoch."""
        found = self.recall()
        return {} if found is None else {"score": found}

    def recall(self) -> float | None:
        """As it is now."""
        self._learner.to(self._device)
        latents = latents_of(self._learner.network, self._values, device=self._device)
        raw = project(self._learner.projector, latents)
        return named(self._learner.view, raw, self._val).recall(1)
