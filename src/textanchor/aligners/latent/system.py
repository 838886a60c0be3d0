"""The trainer behind every latent-space aligner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from textanchor import registry
from textanchor.aligners.comparison import Comparison, Statistics
from textanchor.aligners.latent import checkpoints, starting
from textanchor.aligners.latent.frames import Frames, Supply
from textanchor.aligners.latent.networks import System
from textanchor.aligners.latent.stages import Plan, Progress, trained
from textanchor.aligners.naming import naming
from textanchor.aligners.selection import apart, judges, rated, score, softness, unseen
from textanchor.errors import InputError
from textanchor.projectors import project
from textanchor.records import Affine, Choice, Fit, PairedLatents, Setting, Task, View
from textanchor.views import with_hubness

Space = Literal["auto", "anchor", "latent"]
SCORED = {"anchor": "score in the anchor's space", "latent": "score in the latent space"}
ABOVE = 2.0  # times the score of shuffled items is clearly above chance


class LatentSystem:
    """Encoders and decoders around one latent space, trained by weighted objectives in stages (`objectives`, `stages`).

    The projector is the decoder of texts after the encoder of items. `space` says where items and texts are compared: under
    plain centring in the anchor's space, in the system's own latent space, or where validation likes it better. `start` is
    `random`, or `cca(...)`, of whose directions the linear paths start. Of `restarts` seeds the best on validation is taken.
    """

    ragged = False

    def __init__(
        self,
        *,
        weights: Mapping[str, float],
        search: str,
        start: str,
        space: Space,
        hubness: str,
        dim: int,
        hidden: int,
        dropout: float,
        epochs: int,
        rate: float,
        decay: float,
        batch: int,
        restarts: int,
    ) -> None:
        registry.part("loss", search)
        if hubness == "auto":
            raise InputError("latent-space aligners: hubness must be named, such as hubness=csls; only closed forms choose it")
        if start != starting.RANDOM and registry.take_apart(start)[0] != "cca":
            raise InputError(f"start={start}: expected random or cca, with settings such as cca(alpha=0.1)")
        if not any(weights.values()):
            raise InputError("all weights of a latent-space aligner are 0; expected one above 0, such as paired-search=1")
        Comparison(hubness=hubness)
        self.plan = Plan(weights=weights, search=search, epochs=epochs, rate=rate, decay=decay, batch=batch)
        self.start, self.space, self.hubness, self.restarts = start, space, hubness, restarts
        self.networks = {"dim": dim, "hidden": hidden, "dropout": dropout}
        self.folder: Path | None = None

    def kept_in(self, folder: Path) -> LatentSystem:
        """The same aligner with finished stages kept in a folder: an interrupted fit goes on from the last of them."""
        self.folder = folder
        return self

    def fit(self, task: Task) -> Fit:
        """The best look of the best restart by validation, then as many epochs on train and validation."""
        apart(task.train, task.val)
        if task.val is None:
            return self._fitted(task, None, task.seed, stop=None)
        val, notes = judges(task.val, seed=task.seed)
        fits = self._restarted(task, val)
        top = max(fits, key=lambda fit: fit.choice.score or 0.0)
        if self.restarts > 1:
            notes = {**notes, "converged": f"{sum(map(_converged, fits))} of {self.restarts}"}
        top = replace(top, choice=replace(top.choice, notes={**notes, **top.choice.notes}))
        return self.again(top, task) if task.refit else top

    def again(self, fit: Fit, task: Task) -> Fit:
        """The chosen start, seed, space and epochs of each stage on all pairs."""
        told, notes = fit.choice.settings, fit.choice.notes
        stop = {name: int(notes.get(f"epochs of stage {name}", 0)) for name, _ in self.plan.stages}
        all_pairs = replace(task, train=task.fitted, val=None)
        again = self._fitted(all_pairs, None, int(notes["seed"]), stop=stop, start=str(told["start"]), space=str(told["space"]))
        return replace(again, choice=fit.choice)

    def _restarted(self, task: Task, val: PairedLatents) -> list[Fit]:
        """A fit a seed, without those that diverged. Raises what the last one raised if all did."""
        fits: list[Fit] = []
        for number in range(self.restarts):
            try:
                fits.append(self._fitted(task, val, task.seed + number * 1009, stop=None))
            except InputError:
                if number == self.restarts - 1 and not fits:
                    raise
        return fits

    def _fitted(
        self,
        task: Task,
        val: PairedLatents | None,
        seed: int,
        *,
        stop: Mapping[str, int] | None,
        start: str | None = None,
        space: str | None = None,
    ) -> Fit:
        frames, start, space = Frames.of(task.train), start or self.start, space or self.space
        supply = Supply(task, frames, batch=self.plan.batch)
        system = self._system(task, seed).to(task.device)
        if start != starting.RANDOM:
            base = starting.closed_form(start, task)
            start = base.choice.fixed
            starting.begin_at(system, base, frames, supply)
        reader = None if _decoded(self.plan.weights) else Reader(supply, frames)
        rate = None if val is None else Rating(frames, val, space, reader)
        kept = None
        if self.folder is not None:
            asked = repr((self.plan, self.networks, start, space, stop))
            kept = checkpoints.Checkpoints(self.folder, checkpoints.key(task, asked, seed))
        progress = trained(system, self.plan, supply, seed=seed, rate=rate, stop=stop, checkpoints=kept)
        if reader is not None:
            reader(system.eval())
        system.eval().to("cpu")
        return self._compared(system, frames, task, val, space, progress, {"start": start, "seed": seed})

    def _compared(
        self,
        system: System,
        frames: Frames,
        task: Task,
        val: PairedLatents | None,
        space: str,
        progress: Progress,
        said: Mapping[str, Setting],
    ) -> Fit:
        """The projector of a trained system, under the view of the space that is asked for or scores better."""
        projector = system.projector(frames)
        statistics = Statistics(task.train, task)
        raw = statistics.projected(projector)
        latent = with_hubness(system.view(frames), self.hubness, items=raw, anchors=statistics.own, seed=task.seed)
        held: dict[str, View] = {"anchor": statistics.view(Comparison(hubness=self.hubness), raw), "latent": latent}
        scores = {} if val is None else {name: score(projector, view, val) for name, view in held.items()}
        if space == "auto":
            space = max(scores, key=lambda name: scores[name]) if scores else self._unchosen
        view = held[space]
        notes: dict[str, Setting] = {"seed": said["seed"]}
        notes |= {SCORED[name]: rate for name, rate in scores.items()}
        notes |= {f"score after stage {name}": rate for name, rate in progress.scores.items() if scores}
        notes |= {f"epochs of stage {name}": epochs for name, epochs in progress.taken.items()}
        if val is not None and self.restarts > 1:
            notes["score by chance"] = _chance(projector, view, val)
        if progress.diverged:
            notes["diverged"] = progress.diverged
        choice = Choice(
            settings={"start": said["start"], "space": space},
            view="centring" if space == "anchor" else "latent space",
            hubness=self.hubness,
            chosen_on="default" if val is None else "validation",
            score=scores.get(space),
            centred_score=None
            if val is None
            else rated(project(projector, val.inputs), statistics.view(Comparison(), raw), val),
            temperature=None if val is None else softness(projector, view, val, seed=task.seed),
            notes=notes,
            naming=None if val is None else naming(project(projector, val.inputs), view, val),
            unseen=None if val is None else unseen(projector, val, seed=task.seed),
        )
        return Fit(projector=projector, view=view, choice=choice)

    @property
    def _unchosen(self) -> str:
        """Where vectors are compared if nothing can be chosen: where partners were trained to find each other."""
        return "latent" if self.plan.weights.get("paired_search") else "anchor"

    def _system(self, task: Task, seed: int) -> System:
        items, texts = task.train.pooled.shape[1], task.train.anchors.shape[1]
        networks = {**self.networks, "dim": min(int(self.networks["dim"]), texts)}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return System(items=items, texts=texts, **networks)


class Rating:
    """A system's score on validation, in the space that is asked for or the better of both, without a correction of hubness."""

    def __init__(self, frames: Frames, val: PairedLatents, space: str, reader: Reader | None) -> None:
        self.frames, self.val, self.space, self.reader = frames, val, space, reader

    def __call__(self, system: System) -> float:
        """In [0, 1]."""
        system.eval()
        if self.reader is not None:
            self.reader(system)
        raw = project(system.projector(self.frames), self.val.inputs)
        side = Affine(mean=self.frames.text_mean.numpy())
        views = {"anchor": View(item=side, text=side), "latent": system.view(self.frames)}
        return max(rated(raw, view, self.val) for name, view in views.items() if self.space in ("auto", name))


class Reader:
    """Where nothing trained the decoder of texts: the least squares from latents of pairs to their texts."""

    def __init__(self, supply: Supply, frames: Frames) -> None:
        self.supply, self.targets = supply, frames.texts(supply.pairs.targets)

    def __call__(self, system: System) -> None:
        """Set the decoder anew."""
        supply = self.supply
        with torch.inference_mode():
            latents = torch.cat([system.text(supply.text), system.item(supply.item)])
        starting.read_texts(system, latents, torch.cat([supply.text, self.targets.to(supply.text.device)]))


def _decoded(weights: Mapping[str, float]) -> bool:
    return any(weights.get(name) for name in ("autoreconstruction", "paired_reconstruction", "cyclic"))


def _converged(fit: Fit) -> bool:
    return bool((fit.choice.score or 0.0) > ABOVE * float(fit.choice.notes["score by chance"]))


def _chance(projector: nn.Module, view: View, val: PairedLatents) -> float:
    """The score of items that took each other's places."""
    order = np.random.default_rng(0).permutation(len(val.items))
    return rated(project(projector, val.inputs)[order], view, val)
