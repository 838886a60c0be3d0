"""Gradient training of any projector with any loss, on cached latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, cast

import numpy as np
import torch
from torch import nn

from textanchor import registry
from textanchor.aligners.comparison import Comparison, Statistics, drawn
from textanchor.aligners.loop import Look, Looks, numbers
from textanchor.aligners.naming import naming
from textanchor.aligners.protocol import aligner
from textanchor.aligners.selection import apart, judges, score, softness, unseen
from textanchor.aligners.training import Plan, Sample, trained
from textanchor.errors import InputError
from textanchor.projectors import project
from textanchor.records import Choice, Fit, PairedLatents, Ragged, Setting, Task, View
from textanchor.settings import Amount, Count, Decay, LossName, ProjectorName, Rate, Temperature, ViewName

FRAME = 200_000  # latents from which the constants of the input are taken, at most


class Lesson(Protocol):
    """Something to learn beside pairs."""

    def __call__(self, student: nn.Module, teacher: nn.Module | None, view: View, device: str) -> Sample:
        """The loss of a random batch of it, for a student on its device; the teacher is what it starts from."""


class Gradient:
    """AdamW with a falling rate; the number of epochs is chosen on validation, every fifth being looked at.

    `projector` and `loss` are names with settings. The loss sees vectors as `view` maps them, so a view that depends on the
    fitted items needs `start`: a closed form that is fitted first, gives its view, and is corrected by a residual MLP.
    `mixup` is the parameter of the Beta distribution from which latents of two items are mixed, 0 for none.
    Source of mixup on latents: Vouitsis et al. 2024 (FuseMix), arXiv:2312.10144, section 5; of its loss Zhang et al. 2018,
    arXiv:1710.09412, equation 2.
    """

    def __init__(
        self,
        *,
        projector: ProjectorName = "mlp",
        loss: LossName = "mse",
        view: ViewName = "centring",
        hubness: str = "none",
        start: str | None = None,
        epochs: Count = 60,
        rate: Rate = 1e-3,
        decay: Decay = 1e-2,
        batch: Count = 256,
        mixup: Amount = 0.0,
    ) -> None:
        made, _ = registry.bind("projector", projector, dim_in=1, dim_out=1)
        self.projector, self.ragged = projector, bool(getattr(made, "ragged", False))
        registry.part("loss", loss)
        if "auto" in (view, hubness):
            raise InputError("gradient: view and hubness must be named, such as view=whitening; only closed forms choose them")
        if view.startswith("canonical") and start is None:
            raise InputError("gradient: the canonical view depends on fitted items; add start=ridge or start=kernel-ridge")
        self.by_names = start is not None and aligner(start).by_names  # raises now what is wrong with it
        self.comparison, self.start = Comparison(view=view, hubness=hubness), start
        self.plan = Plan(loss=loss, epochs=epochs, rate=rate, decay=decay, batch=batch, mixup=mixup)
        self.lesson: Lesson | None = None  # for aligners that are built on this one: what else is learned, beside the pairs
        self.said: Mapping[str, Setting] = {"projector": projector, "loss": loss, **({"start": start} if start else {})}

    def fit(self, task: Task) -> Fit:
        """The best of every fifth epoch by validation, then as many on train and validation; all of them without."""
        apart(task.train, task.val)
        val, notes = (None, {}) if task.val is None else judges(task.val, seed=task.seed)
        fit = self._fitted(task, val, self.plan.epochs)
        fit = replace(fit, choice=replace(fit.choice, notes={**notes, **fit.choice.notes}))
        return self.again(fit, task) if task.refit and task.val is not None else fit

    def again(self, fit: Fit, task: Task) -> Fit:
        """As many epochs on all pairs, of the same falling rate."""
        again = self._fitted(replace(task, train=task.fitted), None, int(fit.choice.settings["epochs"]))
        return replace(again, choice=replace(fit.choice, notes={**fit.choice.notes, **again.choice.notes}))

    def _fitted(self, task: Task, val: PairedLatents | None, stop: int) -> Fit:
        """Trained on `task.train`, the best epoch taken where there is validation."""
        train, base = task.train, None
        if self.start is not None:
            base = aligner(self.start).fit(replace(task, val=None))
        projector = self._projector(train, base, task.seed)
        statistics = Statistics(train, task)
        view = statistics.view(
            Comparison(view=self.comparison.view), statistics.projected(base.projector if base else projector)
        )
        _frame(projector, train, view)
        looks = Looks()

        def watch(epoch: int) -> None:
            assert val is not None
            looks.add(Look(epoch=epoch, rate=score(projector, view, val), state=numbers(projector)))

        look = None if val is None else watch
        beside = None
        if self.lesson is not None:
            beside = self.lesson(projector, base.projector if base else None, view, task.device)
        loss = trained(
            projector, self.plan, train, view, device=task.device, stop=stop, seed=task.seed, watch=look, beside=beside
        )
        epochs, rate = stop, None
        if looks.best is not None:
            epochs, rate = looks.best.epoch, looks.best.rate
            projector.load_state_dict(looks.best.state)
        view = replace(view, hubness=statistics.view(self.comparison, statistics.projected(projector)).hubness)
        if val is not None and self.comparison.hubness != "none":
            rate = score(projector, view, val)
        choice = Choice(
            settings={**self.said, "epochs": epochs},
            view=self.comparison.view,
            hubness=self.comparison.hubness,
            chosen_on="default" if val is None else "validation",
            score=rate,
            temperature=None if val is None else softness(projector, view, val, seed=task.seed),
            notes={"last loss": loss},
            naming=None if val is None else naming(project(projector, val.inputs), view, val),
            unseen=None if val is None else unseen(projector, val, seed=task.seed),
        )
        return Fit(projector=projector.eval(), view=view, choice=choice)

    def _projector(self, train: PairedLatents, base: Fit | None, seed: int) -> nn.Module:
        spec, more = self.projector, {}
        if base is not None:
            spec = registry.spelled("residual", registry.take_apart(spec)[1])
            more = {"base": base.projector.name, "base_settings": base.projector.settings}
        inputs = train.inputs if self.ragged else train.pooled
        wide = inputs.tokens.shape[1] if isinstance(inputs, Ragged) else inputs.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = registry.part("projector", spec, dim_in=wide, dim_out=train.anchors.shape[1], **more)
        if base is not None:
            made.base.load_state_dict(base.projector.state_dict())
            made.base.requires_grad_(False)
        return cast(nn.Module, made)


def _frame(projector: nn.Module, train: PairedLatents, view: View) -> None:
    """Constants of the input from the training latents, of the output from the view: where a projector starts."""
    known = train.inputs.tokens if isinstance(train.inputs, Ragged) else train.inputs
    rows = known if len(known) <= FRAME else known[drawn(len(known), FRAME, seed=0)]
    rows = rows.astype(np.float32, copy=False)
    mean = rows.mean(axis=0)
    values = {
        "mean": torch.from_numpy(mean),
        "scale": torch.full((1,), max(float((rows - mean).std()), 1e-6)),
        "offset": torch.from_numpy(view.text.mean),
    }
    for name, buffer in projector.named_buffers(recurse=False):
        if name in values:
            buffer.copy_(values[name])


def seed_recipe(*, epochs: Count = 120, rate: Rate = 1e-3) -> FixedEpochs:
    """The original recipe: MLP, MSE, raw anchor vectors, AdamW, raw cosine. It is here to be measured against."""
    return FixedEpochs(Gradient(projector="mlp(dropout=0.1)", loss="mse", view="raw", epochs=epochs, rate=rate))


def bank(*, temperature: Temperature = 0.1, epochs: Count = 60, rate: Rate = 1e-3, hubness: str = "none") -> Gradient:
    """MLP with a softmax over the bank of distinct anchor texts, centred."""
    loss = f"bank(temperature={temperature})"
    return Gradient(projector="mlp(dropout=0.3)", loss=loss, epochs=epochs, rate=rate, hubness=hubness)


class FixedEpochs:
    """An aligner that never looks at validation pairs: they are trained on, since nothing is chosen."""

    ragged = False

    def __init__(self, inner: Gradient) -> None:
        self.inner = inner

    def fit(self, task: Task) -> Fit:
        """Every epoch, on train and validation together unless the task says otherwise."""
        return self.inner.fit(replace(task, train=task.fitted, val=None))
