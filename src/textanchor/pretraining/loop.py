"""The training loop of networks on raw items: epochs of augmented batches, checkpoints, looks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from textanchor.errors import InputError
from textanchor.pretraining.augmenting import Augmentation
from textanchor.pretraining.checkpoints import Checkpoint, Standing
from textanchor.pretraining.gradient_cache import backward
from textanchor.pretraining.objectives import Seen
from textanchor.pretraining.plan import Plan
from textanchor.pretraining.processes import launched
from textanchor.progress import Progress, Silent

Row = Mapping[str, float]
Watch = Callable[[int], Row]  # after an epoch: figures, of which `score`, if it is there, tells better from worse


@dataclass(frozen=True, kw_only=True)
class Material:
    """What batches are made of: arrays [n, c, h, w], classes [n] (-1 unknown), and how often an item is looked at.

    `variants` [n, k, c, h, w] are changed arrays of the items that were made before; a look takes one of them or the item.
    """

    values: np.ndarray
    labels: np.ndarray
    augmentation: Augmentation
    views: int
    variants: np.ndarray | None = None

    def looks(self, rows: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """The arrays of some items, as often as they are looked at, not augmented yet."""
        for _ in range(self.views):
            values = self.values[rows]
            if self.variants is not None:
                drawn = rng.integers(self.variants.shape[1] + 1, size=len(rows))
                changed = np.flatnonzero(drawn)
                values[changed] = self.variants[rows[changed], drawn[changed] - 1]
            yield values


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a training goes on: where it is kept, who looks, who is told. `best` keeps the numbers of the best look, not the
    last. `begin` is called before each epoch with its number, from 1."""

    device: str
    seed: int
    watch: Watch
    progress: Progress = field(default_factory=Silent)
    checkpoint: Checkpoint | None = None
    best: bool = False
    what: str = "train"
    told: Callable[[Row], None] = field(default=lambda row: None)
    begin: Callable[[int], None] = field(default=lambda epoch: None)


def train(
    learner: nn.Module, material: Material, plan: Plan, course: Course, *, groups: Sequence[Mapping[str, Any]] = ()
) -> list[Row]:
    """Train a learner; a row an epoch, with the loss and what was seen. It ends on the device, at its last or best numbers.

    `groups` are parameters with rates of their own, all of them at the plan's if none are given. Every epoch draws its random
    numbers from the seed and its number, so that a training that goes on after a stop ends at the same weights.
    Raises `InputError` if the loss is no number any more.
    """
    learner.to(course.device).train()
    optimiser = torch.optim.AdamW(
        [dict(one) for one in groups or parameters(learner, plan)], lr=plan.rate, weight_decay=plan.decay
    )
    rates = [group["lr"] for group in optimiser.param_groups]
    stood = course.checkpoint.read(learner, optimiser) if course.checkpoint else None
    rows, best = list(stood.rows) if stood else [], dict(stood.best) if stood else {}
    steps = plan.steps(len(material.values))
    with course.progress.bar(course.what, total=plan.epochs * steps, unit="batch") as bar:
        bar.advance(len(rows) * steps)
        while len(rows) < plan.epochs and not (plan.patience and _since_best(rows) >= plan.patience):
            epoch, losses = len(rows) + 1, []
            course.begin(epoch)
            for step, seen in enumerate(_batches(material, plan, course, epoch), start=(epoch - 1) * steps):
                for group, rate in zip(optimiser.param_groups, rates, strict=True):
                    group["lr"] = rate * pace(step, plan.epochs * steps, plan.warmup)
                losses.append(_step(learner, seen, optimiser, plan, course.device))
                bar.advance()
            rows.append(_looked(learner, course, epoch, _finite(losses, epoch, plan)))
            if course.best and _since_best(rows) == 0:
                best = {name: value.detach().cpu().clone() for name, value in learner.state_dict().items()}
            if course.checkpoint and launched().first:
                course.checkpoint.write(learner, optimiser, Standing(epoch=epoch, rows=tuple(rows), best=best))
            launched().wait()
            course.told(rows[-1])
    if best:
        learner.load_state_dict(best)
    learner.eval()
    return rows


def _finite(losses: Sequence[float], epoch: int, plan: Plan) -> float:
    """Their mean, over processes too."""
    mean = torch.tensor(float(np.mean(losses)), dtype=torch.float64)
    launched().average([mean])
    if not mean.isfinite():
        raise InputError(f"the loss is no number any more after {epoch} epochs at rate={plan.rate:g}; take a smaller one")
    return float(mean)


def _looked(learner: nn.Module, course: Course, epoch: int, loss: float) -> Row:
    launched().average_statistics(learner)
    seen = course.watch(epoch) if launched().first else {}
    learner.train()
    return launched().agreed({"epoch": float(epoch), "loss": loss, **seen})


def pace(step: int, steps: int, warmup: float) -> float:
    """The rate's share at a step from 0: up in a line to 1, then down along a half cosine.

    Sources: Goyal et al. 2017, arXiv:1706.02677, section 2.2; Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5.
    """
    rising = round(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def parameters(module: nn.Module, plan: Plan) -> Sequence[Mapping[str, Any]]:
    """What is trained, in two groups: matrices, which decay, and the rest, which does not."""
    free = [one for one in module.parameters() if one.requires_grad]
    return [
        {"params": [one for one in free if one.ndim > 1], "lr": plan.rate, "weight_decay": plan.decay},
        {"params": [one for one in free if one.ndim <= 1], "lr": plan.rate, "weight_decay": 0.0},
    ]


def _batches(material: Material, plan: Plan, course: Course, epoch: int) -> Iterator[Seen]:
    """All items once, in an order of this epoch's own; of each batch this process's share."""
    rng = np.random.default_rng([course.seed, epoch])
    torch.manual_seed(int(rng.integers(2**31)) + launched().index)
    order = rng.permutation(len(material.values))
    for batch in np.array_split(order, plan.steps(len(order))):
        rows = launched().share(batch)
        looks = [torch.from_numpy(values).to(course.device).float() for values in material.looks(rows, rng)]
        views = torch.stack([material.augmentation(values) for values in looks])
        yield Seen(views=views, labels=torch.from_numpy(material.labels[rows]).to(course.device))


def _step(learner: nn.Module, seen: Seen, optimiser: torch.optim.Optimizer, plan: Plan, device: str) -> float:
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=plan.half):
        if plan.chunk and plan.chunk < seen.views.shape[0] * seen.views.shape[1]:
            loss = backward(learner, seen, plan.chunk)
        else:
            lost: Tensor = learner(seen)
            lost.backward()  # type: ignore[no-untyped-call]
            loss = float(lost.detach())
    taught = [one for group in optimiser.param_groups for one in group["params"]]
    launched().average(one.grad for one in taught)
    if plan.clip:
        nn.utils.clip_grad_norm_(taught, plan.clip)
    optimiser.step()
    return loss


def _since_best(rows: Sequence[Row]) -> int:
    """Looks since the best one."""
    scores = [row["score"] for row in rows if "score" in row]
    return len(scores) - 1 - int(np.argmax(scores)) if scores else 0
