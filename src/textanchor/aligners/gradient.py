"""Gradient training of any projector with any loss, on cached latents."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from textanchor import registry
from textanchor.aligners import aligner
from textanchor.aligners.selection import Comparison, apart, best, score
from textanchor.aligners.training import Plan, trained
from textanchor.errors import InputError
from textanchor.records import Fit, PairedLatents, Ragged, Unpaired, View
from textanchor.settings import Amount, Count, Positive


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
        projector: str = "mlp",
        loss: str = "mse",
        view: str = "centring",
        hubness: str = "none",
        start: str | None = None,
        epochs: Count = 60,
        rate: Positive = 1e-3,
        decay: Amount = 1e-2,
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
        self.comparison, self.start = Comparison(view=view, hubness=hubness), start
        self.plan = Plan(loss=loss, epochs=epochs, rate=rate, decay=decay, batch=batch, mixup=mixup)
        self.said = {"projector": projector, "loss": loss} | ({"start": start} if start else {})

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int, refit: bool = True) -> Fit:
        """The best of every fifth epoch by validation, then as many on train and validation; all of them without."""
        apart(train, val)
        done = self._fitted(train, val, unpaired, seed, self.plan.epochs)
        if val is None or not refit:
            return done
        epochs, joined = int(done.report["epochs"]), train.joined(val)
        again = self._fitted(joined, None, unpaired, seed, epochs)
        return Fit(projector=again.projector, view=again.view, report={**done.report, "last loss": again.report["last loss"]})

    def _fitted(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, seed: int, stop: int) -> Fit:
        base = None
        if self.start is not None:
            base = aligner(self.start).fit(train, None, unpaired, seed=seed)
        projector = self._projector(train, base, seed)
        free = Comparison(view=self.comparison.view)
        view = free.made(base.projector if base else projector, train, unpaired, seed=seed)
        _frame(projector, train, view)
        states: dict[int, tuple[float, Any]] = {}

        def watch(epoch: int) -> None:
            assert val is not None
            states[epoch] = score(projector, view, val), deepcopy(projector.state_dict())

        done = trained(projector, self.plan, train, view, stop=stop, seed=seed, watch=None if val is None else watch)
        report: dict[str, Any] = {**self.said, "epochs": stop, "last loss": done, "chosen on": "default"}
        if val is not None:
            chosen, rate = best(sorted(states), lambda epoch: states[epoch][0])
            projector.load_state_dict(states[chosen][1])
            report |= {"epochs": chosen, "chosen on": "validation", "score": rate}
        named = {"view": self.comparison.view, "hubness": self.comparison.hubness}
        view = replace(view, hubness=self.comparison.made(projector, train, unpaired, seed=seed).hubness)
        if val is not None and self.comparison.hubness != "none":
            report["score"] = score(projector, view, val)
        return Fit(projector=projector.eval(), view=view, report={**report, **named})

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
    held = train.inputs.tokens.astype(np.float32) if isinstance(train.inputs, Ragged) else train.inputs
    mean = held.mean(axis=0)
    values = {
        "mean": torch.from_numpy(mean),
        "scale": torch.full((1,), max(float((held - mean).std()), 1e-6)),
        "offset": torch.from_numpy(view.text.mean),
    }
    for name, buffer in projector.named_buffers(recurse=False):
        if name in values:
            buffer.copy_(values[name])


def seed_recipe(*, epochs: Count = 120, rate: Positive = 1e-3) -> FixedEpochs:
    """The original recipe: MLP, MSE, raw anchor vectors, AdamW, raw cosine. It is here to be measured against."""
    return FixedEpochs(Gradient(projector="mlp(dropout=0.1)", loss="mse", view="raw", epochs=epochs, rate=rate))


def bank(*, temperature: Positive = 0.1, epochs: Count = 60, rate: Positive = 1e-3, hubness: str = "none") -> Gradient:
    """MLP with a softmax over the bank of distinct anchor texts, centred."""
    loss = f"bank(temperature={temperature})"
    return Gradient(projector="mlp(dropout=0.3)", loss=loss, epochs=epochs, rate=rate, hubness=hubness)


class FixedEpochs:
    """An aligner that never looks at validation pairs: they are trained on, since nothing is chosen."""

    ragged = False

    def __init__(self, inner: Gradient) -> None:
        self.inner = inner

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int, refit: bool = True) -> Fit:
        """Every epoch, on train and validation together unless `refit` is False."""
        return self.inner.fit(train.joined(val) if refit else train, None, unpaired, seed=seed)
