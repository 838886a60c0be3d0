"""Ridge regression from sums over pairs: what is added later is fitted together with what is gone, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import solve

from textanchor import registry
from textanchor.aligners.naming import naming
from textanchor.aligners.protocol import aligner
from textanchor.aligners.ridge import DEFAULT, linear
from textanchor.aligners.selection import rated, softness, unseen
from textanchor.aligners.sums import Sums
from textanchor.projectors import project
from textanchor.projectors.linear import Linear
from textanchor.records import Choice, Fit, PairedLatents, Task, Vectors, View
from textanchor.views.canonical import canonical_of
from textanchor.views.centring import centring

VIEW = "centring"  # `canonical` falls apart where sets of few names and of many captions are together, see docs/findings.md


def ridge(sums: Sums, alpha: float) -> Linear:
    """What `aligners.ridge` solves: its penalty is in units of the latents' mean variance per dimension."""
    mean, gram, cross = sums.centred()
    penalty = alpha * max(float(np.trace(gram)) / len(gram), 1e-12)
    weight = solve(gram + penalty * np.eye(len(gram)), cross, assume_a="pos")
    return linear(weight, mean.text - mean.item @ weight)


def view_of(sums: Sums, spec: str, projector: Linear, anchors: Vectors) -> View:
    """`centring` or `canonical`, of distinct texts and of what is predicted. Raises `InputError` for another view."""
    if registry.take_apart(spec)[0] == "centring":
        return centring(anchors=anchors, items=anchors, targets=anchors)
    _, _, cross = sums.centred()
    weight = projector.map.weight.detach().numpy().astype(np.float64)
    settings: Any = registry.take_apart(spec)[1]
    return canonical_of(anchors, weight @ cross / sums.count, **settings)


def from_sums(former: Sequence[Sums], own: Callable[[float], float], anchors: Vectors, task: Task, choice: Choice) -> Fit:
    """Ridge regression on new pairs and on others of which there are sums, each set weighed by `own` of its size.

    `anchors` are the distinct texts of those others. The penalty is that of the former choice, where it was such a
    regression, else the one that the new pairs choose. The new validation pairs judge a fit without them.
    """
    alpha, view = _settled(choice, task), VIEW
    texts = np.concatenate([anchors, task.train.anchors])

    def fitted(pairs: PairedLatents) -> tuple[Linear, View]:
        parts = [*former, Sums.of(pairs)]
        total = parts[0].plus(parts[0], own(float(parts[0].count)) - 1)
        for part in parts[1:]:
            total = total.plus(part, own(float(part.count)))
        projector = ridge(total, alpha)
        return projector, view_of(total, view, projector, texts)

    known = Choice(aligner=f"ridge(view={view})", settings={"alpha": alpha}, view=view, hubness="none", chosen_on="statistics")
    if task.val is not None:
        projector, seen = fitted(task.train)
        known = replace(
            known,
            score=rated(project(projector, task.val.inputs), seen, task.val),
            temperature=softness(projector, seen, task.val, seed=task.seed),
            naming=naming(project(projector, task.val.inputs), seen, task.val),
            unseen=unseen(projector, task.val, seed=task.seed),
        )
    projector, seen = fitted(task.fitted)
    return Fit(projector=projector, view=seen, choice=known)


def _settled(choice: Choice, task: Task) -> float:
    if registry.take_apart(choice.aligner)[0] in ("ridge", "cca") and "alpha" in choice.settings:
        return float(choice.settings["alpha"])
    if task.val is None:
        return DEFAULT
    return float(aligner(f"ridge(view={VIEW})").fit(replace(task, refit=False)).choice.settings["alpha"])
