"""Labels that are probably wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float32, Int

from textanchor.errors import InputError, MissingError
from textanchor.labelling.pool import Labelled, Probabilities, Rows

By: TypeAlias = Literal["self-confidence", "cleanlab"]


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """Labelled rows of a pool, those first whose label is believed least: `confidence` [m] in the label, the label's class
    `given` and the likeliest class `instead`."""

    rows: Rows
    confidence: Float32[np.ndarray, " m"]
    given: Int[np.ndarray, " m"]
    instead: Int[np.ndarray, " m"]

    def first(self, share: float) -> Rows:
        """The rows that a person should look at again who has time for a share of the labels."""
        return self.rows[: int(np.ceil(share * len(self.rows)))]


def suspects(out_of_fold: Probabilities, labelled: Labelled, *, by: By = "self-confidence") -> Suspects:
    """Labels by how much a proposer believes them that has not seen them (`choosing.out_of_fold`), the least believed first.

    `self-confidence` is the probability of the label itself; `cleanlab` the library's normalised margin, adjusted for classes
    that are believed more than others, which needs the extra `[care]`. Raises `MissingError` without it and `InputError` for
    probabilities of other items. Source: Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, section 3.
    *Shape:* out_of_fold [m, c], a row a label.
    """
    if len(out_of_fold) != len(labelled):
        raise InputError(f"{len(out_of_fold)} rows of probabilities for {len(labelled)} labels; expected one a label")
    scores = {"self-confidence": _self_confidence, "cleanlab": _cleanlab}
    confidence = scores[by](out_of_fold, labelled.classes)
    order = np.argsort(confidence, kind="stable")
    return Suspects(
        rows=labelled.rows[order],
        confidence=confidence[order],
        given=labelled.classes[order],
        instead=out_of_fold.argmax(axis=1)[order],
    )


def _self_confidence(probabilities: Probabilities, classes: Rows) -> Float32[np.ndarray, " m"]:
    return probabilities[np.arange(len(classes)), classes].astype(np.float32)


def _cleanlab(probabilities: Probabilities, classes: Rows) -> Float32[np.ndarray, " m"]:
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        raise MissingError("suspects by cleanlab need cleanlab: python -m pip install 'textanchor[care]'") from None
    known, codes = np.unique(classes, return_inverse=True)  # it wants every class to have a label
    own = probabilities[:, known].astype(np.float64) + 1e-9
    own /= own.sum(axis=1, keepdims=True)
    scores = get_label_quality_scores(codes, own, method="normalized_margin", adjust_pred_probs=True)
    return np.asarray(scores, dtype=np.float32)
