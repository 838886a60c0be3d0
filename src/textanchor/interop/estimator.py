"""The same as `align` for scikit-learn: an estimator with fit, transform, predict and score."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from textanchor.interop.aligning import VECTORS, Texts, align
from textanchor.records import Vectors
from textanchor.space import Space


class TextAligner(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Vectors [n, d] and their texts, to the anchor's space; parameters are those of `align`.

    `space_` is the fitted `Space`, `classes_` the distinct texts, sorted. What is fitted keeps a part of the rows for choosing:
    `fractions` are shares of train, validation and test, by default nothing is held out beyond validation, since scikit-learn
    splits outside.
    """

    space_: Space

    def __init__(
        self,
        *,
        anchor: str | None = None,
        aligner: str = "auto",
        modality: str = VECTORS,
        source: str = "",
        fractions: tuple[float, float, float] = (0.85, 0.15, 0.0),
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        self.anchor = anchor
        self.aligner = aligner
        self.modality = modality
        self.source = source
        self.fractions = fractions
        self.seed = seed
        self.device = device

    def fit(self, X: Any, y: Texts, groups: Any = None) -> Self:
        """Fit `space_` to vectors [n, d] and the texts of each; see `align` for texts, groups and what is raised."""
        self.space_ = align(
            X,
            list(y),
            modality=self.modality,
            groups=None if groups is None else [str(group) for group in groups],
            source=self.source,
            anchor=self.anchor,
            aligner=self.aligner,
            fractions=self.fractions,
            seed=self.seed,
            device=self.device,
        )
        texts = [[one] if isinstance(one, str) else one or () for one in y]
        self.classes_ = np.array(sorted({text.strip() for own in texts for text in own}))
        self.n_features_in_ = int(np.shape(X)[1])
        return self

    def transform(self, X: Any) -> Vectors:
        """Vectors as they are compared with texts, of length 1. *Shape:* [n, d] -> [n, k]."""
        check_is_fitted(self)
        return self.space_.embed(list(np.asarray(X)), modality=self.modality, compared_with=self.modality)

    def transform_texts(self, texts: list[str]) -> Vectors:
        """Texts as they are compared with `transform`'s vectors; the inner product is the cosine. *Shape:* [n, k]."""
        check_is_fitted(self)
        return self.space_.embed(texts, modality="text", compared_with=self.modality)

    def predict(self, X: Any) -> np.ndarray:
        """Which of the texts that were fitted says best what each vector is. *Shape:* [n]."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_proba(self, X: Any) -> np.ndarray:
        """How probable each of `classes_` is; see `textanchor.classify`. *Shape:* [n, classes]."""
        check_is_fitted(self)
        return self.space_.classify(list(np.asarray(X)), self.classes_.tolist(), modality=self.modality)

    def score(self, X: Any, y: Any) -> float:
        """Share of vectors whose own text is predicted."""
        return float(np.mean(self.predict(X) == np.asarray(y)))
