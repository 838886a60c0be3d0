"""A student that learns from a teacher's transport plan between unpaired items and texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from textanchor.aligners.closed_form import by_name
from textanchor.aligners.gradient import Gradient
from textanchor.aligners.protocol import aligner
from textanchor.aligners.training import Sample
from textanchor.aligners.unpaired.candidates import Candidates, candidates
from textanchor.aligners.unpaired.transport import ITERATIONS, sinkhorn
from textanchor.projectors import project
from textanchor.records import Fit, Setting, Task, View
from textanchor.settings import Amount, Count, Part, Rate, Temperature
from textanchor.views import as_item, as_text

ITEMS, TEXTS = 256, 1024  # of a batch


class TransportTaught:
    """A linear teacher on pairs, and an MLP beside it that is trained on pairs and on what the teacher says of the others.

    The loss is InfoNCE on pairs plus `weight` times the divergence of the teacher's transport plan between a batch of unpaired
    items and texts from the student's. With no unpaired items it is `gradient` on the teacher.
    Source: Roschmann et al. 2026 (SOTAlign), arXiv:2602.23353: a linear teacher, then a divergence of optimal transport plans.
    """

    ragged = False

    def __init__(
        self,
        *,
        teacher: Annotated[str, Part("aligner")] = "cca(hubness=csls)",
        weight: Amount = 1.0,
        temperature: Temperature = 0.05,
        epochs: Count = 60,
        rate: Rate = 1e-3,
    ) -> None:
        by_name(teacher)
        self.teacher, self.weight, self.temperature = teacher, weight, temperature
        self.epochs, self.rate, self.by_names = epochs, rate, aligner(teacher).by_names

    def fit(self, task: Task) -> Fit:
        """The teacher's values are chosen on validation, then the student's epochs. Raises `LeakError` as `candidates` does."""
        teacher = aligner(self.teacher).fit(replace(task, refit=False)).choice
        known = candidates(replace(task, refit=False))
        student = Gradient(
            projector="mlp(dropout=0.3)",
            loss=f"info-nce(temperature={self.temperature})",
            start=teacher.fixed,
            view=teacher.view,
            hubness=teacher.hubness,
            epochs=self.epochs,
            rate=self.rate,
        )
        student.lesson = None if known is None else Transported(known, self.weight, self.temperature)
        fit = student.fit(task)
        said: dict[str, Setting] = {
            "teacher": teacher.fixed,
            "weight": self.weight,
            "temperature": self.temperature,
            "epochs": self.epochs,
        }
        notes = {**fit.choice.notes, "epochs taken": fit.choice.settings["epochs"]}
        return replace(fit, choice=replace(fit.choice, settings=said, notes=notes))


class Transported:
    """What the teacher says of unpaired items and texts, a batch at a time."""

    def __init__(self, known: Candidates, weight: float, temperature: float) -> None:
        self.known, self.weight, self.temperature = known, weight, temperature

    def __call__(self, student: nn.Module, teacher: nn.Module | None, view: View, device: str) -> Sample:
        """The loss of a batch: `weight` times the divergence in nats an item."""
        known, shares = self.known, self.known.shares
        taught = student if teacher is None else teacher
        items, texts = as_item(view, project(taught, known.items.vectors)), as_text(view, known.anchors)
        there = torch.from_numpy(texts).to(device)

        def loss(rng: np.random.Generator) -> Tensor:
            rows = rng.permutation(len(items))[:ITEMS]
            columns = rng.permutation(len(texts))[:TEXTS]
            plan = torch.from_numpy(sinkhorn(items[rows] @ texts[columns].T, shares[columns], self.temperature)).to(device)
            mine = normalize(view.item.on(student(torch.from_numpy(known.items.vectors[rows]).to(device))), dim=1)
            scores = mine @ there[columns].T / self.temperature
            return self.weight * divergence(plan, balanced(scores, torch.from_numpy(shares[columns]).to(device)))

        return loss


def balanced(scores: Float[Tensor, "n t"], shares: Float[Tensor, " t"]) -> Float[Tensor, "n t"]:
    """The logarithm of the plan that `transport.sinkhorn` makes of scores already divided by the temperature."""
    receives = (shares * (len(scores) / shares.sum())).log()
    plan = scores - scores.detach().max(dim=0).values
    for _ in range(ITERATIONS):
        plan = plan - plan.logsumexp(dim=1, keepdim=True)
        plan = plan - plan.logsumexp(dim=0) + receives
    return plan - plan.logsumexp(dim=1, keepdim=True)


def divergence(plan: Float[Tensor, "n t"], log_plan: Float[Tensor, "n t"]) -> Float[Tensor, ""]:
    """Mean Kullback-Leibler divergence of rows, in nats."""
    return (torch.special.xlogy(plan, plan) - plan * log_plan).sum(dim=1).mean()
