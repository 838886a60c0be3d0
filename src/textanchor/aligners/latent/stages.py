"""Training in stages: what needs no pairs, then pairs, then cycles and adversaries; the best look at validation is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor import registry
from textanchor.aligners.latent.checkpoints import Checkpoints
from textanchor.aligners.latent.frames import Supply
from textanchor.aligners.latent.networks import System
from textanchor.aligners.latent.objectives import STAGES, Term
from textanchor.aligners.latent.passing import Pass
from textanchor.aligners.loop import Look, Looks, Stage, follow, numbers, seeded
from textanchor.errors import InputError

STEPS = 20  # in an epoch at least, however few items there are
FLAT, KEPT = 1.5, 0.75  # directions that latents must take up at least, and as a share of the directions of the data
ALONE, TINY = "alone", 1e-9
State = dict[str, Tensor]
Rate = Callable[[System], float]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train: weights of objectives by name, epochs a stage and AdamW's numbers; a stage's rate falls along a cosine."""

    weights: Mapping[str, float]
    search: str
    epochs: int
    rate: float
    decay: float
    batch: int

    @property
    def stages(self) -> Iterator[tuple[str, Mapping[str, Term]]]:
        """Stages that bring an objective of their own, with all objectives up to them."""
        asked: dict[str, Term] = {}
        for name, terms in STAGES.items():
            own = {key: term for key, term in terms.items() if self.weights.get(key, 0.0) > 0}
            asked |= own
            if own:
                yield name, dict(asked)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a training came: the numbers of now and of the best look, its score, and epochs by stage.

    `path` leads to now, `taken` to the best; `scores` are the best of each stage."""

    now: State
    best: State
    score: float = -math.inf
    scores: Mapping[str, float] = field(default_factory=dict)
    path: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)
    diverged: str = ""


class _Weighted:
    """The weighted sum of a stage's objectives on its batches; adversaries are heard more and more."""

    def __init__(self, system: System, terms: Mapping[str, Term], plan: Plan, supply: Supply, total: int) -> None:
        self._system, self._terms, self._plan, self._supply = system, terms, plan, supply
        self._search: nn.Module = registry.part("loss", plan.search)
        self._done, self._total = 0, total

    def begin(self, rng: np.random.Generator) -> None:
        self._supply.begin(rng)

    def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        heat = warmth(self._done / self._total)
        self._done += 1
        made = Pass(self._system, self._supply.draw(rows, rng), search=self._search, heat=heat)
        return torch.stack([self._plan.weights[name] * term(made) for name, term in self._terms.items()]).sum()


def warmth(share: float) -> float:
    """How much of an adversary is heard after a share of its stage, from 0 to 1.

    Source: Ganin and Lempitsky 2015, arXiv:1409.7495, section 4 (the schedule of lambda).
    """
    return 2 / (1 + math.exp(-10 * share)) - 1


def trained(
    system: System,
    plan: Plan,
    supply: Supply,
    *,
    seed: int,
    rate: Rate | None,
    stop: Mapping[str, int] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Progress:
    """Follow every stage, each from the best look of the one before; `stop` says after how many epochs, where it says.

    Without `rate` all epochs are taken. A stage whose loss is no number any more, or whose latents fall together, ends the
    training: what was best before it stays. Raises `InputError` if there was nothing before it.
    """
    first = rate(system) if rate is not None else -math.inf
    progress = Progress(now=numbers(system), best=numbers(system), score=first, scores={"start": first} if rate else {})
    for number, (name, terms) in enumerate(plan.stages):
        kept = None if checkpoints is None else checkpoints.read(name)
        if kept is not None:
            progress = kept
            system.load_state_dict(progress.now)
            continue
        epochs = plan.epochs if stop is None else stop.get(name, 0)
        if not epochs:
            continue
        part = _Part(name=name, terms=terms, epochs=epochs, seed=(seed, number))
        progress = _stage(system, part, plan, supply, progress, rate=rate)
        if progress.diverged:
            break
        if checkpoints is not None:
            checkpoints.write(name, progress)
        system.load_state_dict(progress.now)
    if rate is not None:
        system.load_state_dict(progress.best)
    return progress


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A stage that is still to come: its objectives, for how many epochs, and the seeds of its random numbers."""

    name: str
    terms: Mapping[str, Term]
    epochs: int
    seed: tuple[int, int]


def _stage(system: System, part: _Part, plan: Plan, supply: Supply, progress: Progress, *, rate: Rate | None) -> Progress:
    steps = max(STEPS, math.ceil(len(supply.items) / plan.batch))
    optimiser = torch.optim.AdamW(
        [one for one in system.parameters() if one.requires_grad], plan.rate, weight_decay=plan.decay, fused=True
    )
    stage = Stage(
        objective=_Weighted(system, part.terms, plan, supply, plan.epochs * steps),
        module=system,
        optimisers=[optimiser],
        schedules=[torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.epochs * steps)],
        items=steps * plan.batch,
        batch=plan.batch,
        epochs=part.epochs,
    )
    looks = Looks()
    seen = supply.item[:: max(1, len(supply.item) // plan.batch)]  # all along the table, which may be sorted by class
    floor = min(FLAT, KEPT * directions(seen), KEPT * directions(supply.text))

    def watch(epoch: int) -> None:
        latents = system.item(seen)
        if not bool(latents.isfinite().all()):
            raise InputError(f"latents are no numbers any more after {epoch} epochs at rate={plan.rate:g}; take a smaller one")
        if directions(latents) < floor:
            raise InputError(f"all latents fell together after {epoch} epochs at rate={plan.rate:g}; take a smaller one")
        looks.add(Look(epoch=epoch, rate=0.0 if rate is None else rate(system), state=numbers(system)))

    try:
        with seeded(int(np.random.SeedSequence(part.seed).generate_state(1)[0]), str(supply.item.device)):
            follow(stage, np.random.default_rng(part.seed), watch)
    except InputError as why:
        if rate is None or (looks.best is None and not progress.path):
            raise
        return _further(progress, part.name, looks, diverged=f"{part.name}: {why}")
    return _further(progress, part.name, looks) if rate is not None else _to_the_end(progress, part.name, looks)


def _to_the_end(progress: Progress, name: str, looks: Looks) -> Progress:
    """What a stage added that nothing judges: all of its epochs."""
    assert looks.last is not None
    path = {**progress.path, name: looks.last.epoch}
    return replace(progress, now=looks.last.state, best=looks.last.state, path=path, taken=path)


def _further(progress: Progress, name: str, looks: Looks, *, diverged: str = "") -> Progress:
    """What a stage added: the next one goes on from its best look, after a stage without pairs from its last."""
    top = looks.best
    at = looks.last if name == ALONE else top
    if top is None or at is None:
        return replace(progress, diverged=diverged)
    further = replace(
        progress,
        now=at.state,
        path={**progress.path, name: at.epoch},
        scores={**progress.scores, name: top.rate},
        diverged=diverged,
    )
    if top.rate <= progress.score:
        return further
    return replace(further, best=top.state, score=top.rate, taken={**progress.path, name: top.epoch})


def directions(latents: Float[Tensor, "n k"]) -> float:
    """Effective rank of latents: exp of the entropy of their covariance's eigenvalues; 0 where they do not vary.

    Source: Roy and Vetterli 2007, doi:10.5281/zenodo.40386, section 2, on variances.
    """
    values = torch.linalg.svdvals((latents - latents.mean(dim=0)).detach().double()).square()
    if float(values.sum()) < TINY:
        return 0.0
    share = values / values.sum()
    return float(torch.special.entr(share).sum().exp())
