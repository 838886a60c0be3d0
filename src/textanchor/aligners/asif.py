"""Relative representations: nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from textanchor.aligners.closed_form import closed_form, solved
from textanchor.aligners.comparison import Comparison
from textanchor.aligners.selection import Point
from textanchor.projectors.relative import Relative
from textanchor.records import Fit, PairedLatents, Task
from textanchor.settings import Count, Power, ViewName
from textanchor.views import unit

KS, POWERS = (100, 30, 10, 400), (8.0, 2.0)  # the defaults first


class ASIF:
    """An item is described by its k nearest training items, cosines to the power `power`; their texts answer for it.

    Items' relative representation r(x) is sparse as in the paper. The paper compares it with the relative representation of a
    text; here r(x) T, T the training texts, is compared with the text itself, which is the same inner product when the text's
    side keeps all its cosines. Source: Norelli et al. 2023 (ASIF), arXiv:2210.01738, section 3.
    """

    ragged = False

    def __init__(
        self, *, k: Count | None = None, power: Power | None = None, view: ViewName = "centring", hubness: str = "none"
    ) -> None:
        self.k, self.power, self.comparison = k, power, Comparison(view=view, hubness=hubness)

    def fit(self, task: Task) -> Fit:
        """Choose `k` and `power` on validation unless they are given; the training pairs are the model."""
        ks = KS if self.k is None else (self.k,)
        powers = POWERS if self.power is None else (self.power,)
        branches = [[{"k": k, "power": power} for k in ks] for power in powers]
        return closed_form(_projectors, branches, self.comparison, task)

    def again(self, fit: Fit, task: Task) -> Fit:
        """The same values on all pairs."""
        return solved(_projectors, fit.choice, task)


def _projectors(pairs: PairedLatents, points: Sequence[Point]) -> Iterator[Relative]:
    mean = pairs.pooled.mean(axis=0)
    landmarks, values = torch.from_numpy(unit(pairs.pooled - mean)), torch.from_numpy(pairs.targets)
    sizes = {"dim_in": landmarks.shape[1], "dim_out": values.shape[1], "landmarks": len(landmarks)}
    for point in points:
        projector = Relative(**sizes, k=int(point["k"]), power=float(point["power"]))
        projector.load_state_dict({"mean": torch.from_numpy(mean), "landmarks": landmarks, "values": values})
        yield projector.eval()
