"""The space as pure geometry: latents in, vectors and scores out. It knows no encoder, no file and no cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from textanchor.errors import InputError
from textanchor.metrics.chance import Chance
from textanchor.records import Ragged, Unseen, Vectors, View
from textanchor.records.views import alike
from textanchor.space.items import TEXT
from textanchor.space.sides import AnchorSide, Side
from textanchor.space.strangers import strangers
from textanchor.views import as_item, as_peer, as_query, as_text, cosines, item_gallery, text_gallery, unit

BANK = 500  # training vectors of either side from which the scale of scores is taken


@dataclass(frozen=True)
class Geometry:
    """One side a modality, beside the anchor's, which is always there."""

    sides: Mapping[str, Side]
    _comparisons: dict[tuple[str, str], Comparison] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Geometry({', '.join((TEXT, *self.modalities))})"

    @property
    def modalities(self) -> tuple[str, ...]:
        """All but text."""
        return tuple(name for name in self.sides if name != TEXT)

    def side(self, modality: str) -> Side:
        """A modality's side. Raises `InputError` for one that the space does not have."""
        if modality == TEXT:
            return self.sides.get(TEXT) or AnchorSide()
        if modality not in self.sides:
            known = ", ".join((TEXT, *self.modalities))
            raise InputError(f"the space has no modality '{modality}' (it has: {known}); add it: textanchor fit --into")
        return self.sides[modality]

    def project(self, modality: str, latents: Vectors | Ragged) -> Vectors:
        """Latents to raw vectors; the anchor's are vectors already. *Shape:* [n, d_in] -> [n, d]."""
        return self.side(modality).project(latents)

    def view(self, modality: str) -> View | None:
        """The view under which a modality is compared; None is the raw cosine."""
        return self.side(modality).view

    def between(self, asking: str, asked: str) -> Comparison:
        """How vectors of one modality ask a gallery of another (or of the same)."""
        if (asking, asked) not in self._comparisons:
            views = self.view(asking), self.view(asked)
            unseen = self._unseen(asking), self._unseen(asked)
            self._comparisons[asking, asked] = Comparison(
                asking=asking, asked=asked, views=views, texts=self._texts, unseen=unseen
            )
        return self._comparisons[asking, asked]

    def _unseen(self, modality: str) -> Unseen | None:
        return getattr(self.side(modality), "unseen", None)

    @cached_property
    def _texts(self) -> Vectors | None:
        """Training texts that some view keeps, for texts among themselves."""
        banks = (view.hubness for name in self.modalities if (view := self.view(name)) is not None)
        return next((bank.texts for bank in banks if bank is not None), None)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How raw vectors of modality `asking` are compared with raw vectors of modality `asked`.

    An inner product of `query` and `gallery` is the score: the cosine under the view in which the two are compared, and the
    correction of hubness where one stands between a modality and texts.
    """

    asking: str
    asked: str
    views: tuple[View | None, View | None]
    texts: Vectors | None = field(default=None, repr=False)
    unseen: tuple[Unseen | None, Unseen | None] = field(default=(None, None), repr=False)

    def __repr__(self) -> str:
        return f"Comparison({self.asking} -> {self.asked})"

    def query_unit(self, vectors: Vectors) -> Vectors:
        """Raw vectors that ask, as they are compared, of length 1."""
        return _compared(vectors, self.asking, self.asked, *self.views)

    def gallery_unit(self, vectors: Vectors) -> Vectors:
        """Raw vectors that are asked, as they are compared, of length 1."""
        return _compared(vectors, self.asked, self.asking, *reversed(self.views))

    def query(self, vectors: Vectors) -> Vectors:
        """`query_unit`, with a 1 as one more dimension where the gallery carries a bias."""
        return as_query(self._correcting, self.query_unit(vectors))

    def gallery(self, vectors: Vectors) -> Vectors:
        """`gallery_unit`, with its hubness bias as one more dimension where the view has one."""
        biased = text_gallery if self.asked == TEXT else item_gallery
        return biased(self._correcting, self.gallery_unit(vectors))

    def cosine(self, queries: Vectors, gallery: Vectors) -> Float32[np.ndarray, "q g"]:
        """Bare cosines of raw vectors, without a correction. *Shape:* [q, d], [g, d] -> [q, g]."""
        return cosines(self.query_unit(queries), self.gallery_unit(gallery))

    @cached_property
    def key(self) -> str:
        """Equal for comparisons of which one gallery serves all: with the same modality asked, mapped and biased alike."""
        mine, theirs = self.views[1], self.views[0]
        if self.asked == TEXT:
            return f"text for {theirs.id if theirs else 'raw'}"
        if mine is None:
            return f"{self.asked} raw"
        if self.asking in (TEXT, self.asked) or _share_a_map(mine, theirs):
            return f"{self.asked} {mine.id} {'corrected' if self._is_corrected else 'plain'}"
        return f"{self.asked} centred"

    @cached_property
    def chance(self) -> Chance | None:
        """Scores of held-out queries with items they do not belong to, and of texts that belong to nothing; None where no
        validation pairs are kept."""
        held = strangers(self.asking, self.asked, *self.unseen)
        if held is None:
            return None
        gallery = self.gallery(held.gallery).T
        chance = Chance.of(self.query(held.queries) @ gallery, held.apart)
        if chance is None or held.foreign is None:
            return chance
        alien = self.query(held.foreign) @ gallery
        return chance.beside(Chance.of(alien, np.ones(alien.shape, dtype=bool)))

    @cached_property
    def scale(self) -> tuple[float, float] | None:
        """Mean and standard deviation of the scores of random training vectors, by which scores of several galleries are
        brought to one scale. None where a view keeps no bank."""
        queries, gallery = self._bank(0), self._bank(1)
        if queries is None or gallery is None:
            return None
        scores = self.query(queries) @ self.gallery(gallery).T
        apart = scores[np.eye(*scores.shape) == 0] if self.asking == self.asked else scores
        return (float(apart.mean()), max(float(apart.std()), 1e-6)) if apart.size > 1 else None

    @property
    def _correcting(self) -> View | None:
        """The view whose correction of hubness counts: it is measured between a modality and texts, and nowhere else."""
        if (self.asking == TEXT) == (self.asked == TEXT):
            return None
        return self.views[1] if self.asking == TEXT else self.views[0]

    @property
    def _is_corrected(self) -> bool:
        view = self._correcting
        return view is not None and view.hubness is not None and view.hubness.method != "none"

    def _bank(self, place: int) -> Vectors | None:
        """Training vectors of one side; texts are kept by the view of the modality that they are compared with."""
        mine, other = self.views[place], self.views[1 - place]
        if (self.asking, self.asked)[place] != TEXT:
            return None if mine is None or mine.hubness is None else mine.hubness.items[:BANK]
        if self.asking == self.asked:
            return None if self.texts is None else self.texts[:BANK]
        return None if other is None or other.hubness is None else other.hubness.texts[:BANK]


def _compared(vectors: Vectors, own: str, other: str, view: View | None, others: View | None) -> Vectors:
    """Raw vectors of modality `own` as they are when compared with modality `other`, of length 1."""
    if own == TEXT:
        return unit(vectors) if other == TEXT else as_text(others, vectors)
    if other in (TEXT, own):
        return as_item(view, vectors)
    return as_peer(view, others, vectors)


def _share_a_map(one: View | None, other: View | None) -> bool:
    return one is not None and other is not None and alike(one.item, other.item)
