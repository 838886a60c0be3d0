"""What a geometry knows of one modality: how its latents become vectors, and the view under which these are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from textanchor.projectors import Kept, project
from textanchor.records import Affine, Ragged, Unseen, Vectors, View
from textanchor.space.composition import Composition
from textanchor.space.items import TEXT
from textanchor.views import as_peer, unit


@dataclass(frozen=True)
class AnchorSide:
    """Texts: their latents are vectors of the space already, and they are compared under the other side's view."""

    view: View | None = None

    def project(self, latents: Vectors | Ragged) -> Vectors:
        """The same vectors. *Shape:* [n, d]."""
        return cast(Vectors, latents)


@dataclass(frozen=True)
class FittedSide:
    """Items whose projector was fitted; `view` None is the raw cosine. `unseen` are its validation pairs, where it had some."""

    projector: Kept
    view: View | None
    unseen: Unseen | None = None

    @property
    def dims(self) -> tuple[int, int]:
        """Lengths of a latent and of a vector."""
        settings = self.projector.settings
        return int(settings["dim_in"]), int(settings["dim_out"])

    def project(self, latents: Vectors | Ragged) -> Vectors:
        """Raw vectors. *Shape:* [n, dim_in] or n times [n_i, dim_in] -> [n, dim_out]."""
        return project(self.projector.module, latents) if len(latents) else np.empty((0, self.dims[1]), dtype=np.float32)


@dataclass(frozen=True)
class ComposedSide:
    """Items made of parts, such as a video of frames and a sound track; `kinds` are the parts' modalities in order.

    A latent is the parts' latents side by side, zeros for a part that the item does not have, and then one number a part that
    says whether it is there.
    """

    kinds: tuple[str, ...]
    sides: Mapping[str, FittedSide]

    @cached_property
    def view(self) -> View:
        """Takes out what the views of the parts' modalities take out, on average."""
        centring = Affine(mean=self._mean)
        return View(item=centring, text=centring)

    def project(self, latents: Vectors | Ragged) -> Vectors:
        """Raw vectors: unit vectors of the parts as they are compared, each modality with one voice. *Shape:* [n, d]."""
        rows = cast(Vectors, latents)
        present = rows[:, rows.shape[1] - len(self.kinds) :]
        voices: dict[str, np.ndarray] = {}
        start = 0
        for place, kind in enumerate(self.kinds):
            side = self.sides[kind]
            width = side.dims[0]
            vectors = as_peer(side.view, None, side.project(rows[:, start : start + width])) * present[:, place, None]
            voices[kind] = voices[kind] + vectors if kind in voices else vectors
            start += width
        return (unit(np.sum([unit(voice) for voice in voices.values()], axis=0)) + self._mean).astype(np.float32)

    @cached_property
    def _mean(self) -> np.ndarray:
        views = [self.sides[kind].view for kind in dict.fromkeys(self.kinds)]
        means = [view.text.mean for view in views if view is not None]
        if not means:
            return np.zeros(self.sides[self.kinds[0]].dims[1], dtype=np.float32)
        return np.asarray(np.sum(means, axis=0) / len(views), dtype=np.float32)


Side = AnchorSide | FittedSide | ComposedSide


def sides(fitted: Mapping[str, FittedSide], compositions: Mapping[str, Composition]) -> dict[str, Side]:
    """The anchor's side, those that were fitted, and those composed of them, by modality."""
    composed = {name: ComposedSide(one.kinds, {kind: fitted[kind] for kind in one.kinds}) for name, one in compositions.items()}
    return {TEXT: AnchorSide(), **fitted, **composed}
