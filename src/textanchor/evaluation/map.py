"""A two-dimensional map of held-out vectors of all modalities together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from sklearn.manifold import TSNE

from textanchor.metrics.balance import largest_class, macro
from textanchor.metrics.neighbours import knn_hits
from textanchor.records import PairedLatents
from textanchor.records.showing import short
from textanchor.space import Geometry
from textanchor.views import as_peer

LIMIT = 1500
PERPLEXITY = 30


@dataclass(frozen=True, kw_only=True)
class TextMap:
    """Points [n, 2] with their text, modality and item id; `hits` says whose text its 5 nearest neighbours name, or is None."""

    __repr__ = short

    points: np.ndarray
    labels: tuple[str, ...]
    modalities: tuple[str, ...]
    ids: tuple[str, ...]
    hits: Bool[np.ndarray, " n"] | None

    @property
    def knn(self) -> float | None:
        """The accuracy of 5 nearest neighbours on the map."""
        return None if self.hits is None else float(self.hits.mean())

    @property
    def macro(self) -> float | None:
        """The same as a mean over texts, where they are uneven."""
        return None if self.hits is None else macro(self.hits, np.asarray(self.labels))

    @property
    def largest_class(self) -> float:
        """What always naming the commonest text would reach."""
        return largest_class(np.asarray(self.labels))

    def figures(self) -> Mapping[str, float | None]:
        """Plain, the macro accuracy only where there is one."""
        mean = {} if self.macro is None else {"macro accuracy": self.macro}
        return {"5-NN accuracy": self.knn, **mean, "largest class": self.largest_class}


def text_map(geometry: Geometry, pairs: Mapping[str, PairedLatents], *, seed: int) -> TextMap | None:
    """t-SNE of at most 1500 items, evenly taken from each modality; None for fewer than 10.

    Source: van der Maaten and Hinton 2008. The scale of the axes and distances between clusters mean nothing.
    """
    rng, vectors, labels, modalities, ids = np.random.default_rng(seed), [], [], [], []
    for modality, own in pairs.items():
        rows = np.sort(rng.permutation(len(own.items))[: LIMIT // len(pairs)])
        raw = geometry.project(modality, own.take(rows).inputs)
        vectors.append(as_peer(geometry.view(modality), None, raw))
        labels += [own.texts[own.first_text[row]] for row in rows]
        modalities += [modality] * len(rows)
        ids += [own.items.ids[row] for row in rows]
    if len(ids) < 10:
        return None
    tsne = TSNE(perplexity=min(PERPLEXITY, (len(ids) - 1) / 3), init="pca", random_state=seed)
    points = tsne.fit_transform(np.concatenate(vectors))
    return TextMap(
        points=points, labels=tuple(labels), modalities=tuple(modalities), ids=tuple(ids), hits=knn_hits(points, labels)
    )
