"""The original system's proof of viability: label some items, predict the others by logistic regression on the embeddings."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from textanchor.evaluation.refits import PROBED, Fresh, Refit
from textanchor.metrics.balance import macro
from textanchor.progress import Progress, tracked
from textanchor.records import PairedLatents, Vectors
from textanchor.space import TEXT
from textanchor.views import as_peer

FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Accuracy on the unlabelled part: mean and standard deviation over the folds; `split` says which items took part.

    `macro` is the mean over classes, where they are uneven; else None.
    """

    split: str
    modality: str
    labelled: str
    features: str
    accuracy: float
    spread: float
    folds: int
    macro: float | None = None

    def row(self) -> dict[str, Any]:
        """JSON-ready; the macro accuracy only where there is one."""
        told = asdict(self)
        mean = told.pop("macro")
        return told if mean is None else {**told, "macro accuracy": mean}


def class_like(pairs: PairedLatents) -> str:
    """Empty if texts can serve as classes, else why not."""
    if len(pairs.edges) != len(pairs.items):
        return "items with several texts have no single class"
    per_class = Counter(pairs.first_text.tolist())
    groups = Counter(text for _, text in {(pairs.groups[row], text) for row, text in enumerate(pairs.first_text.tolist())})
    if min(per_class.values()) < 2 * FOLDS or min(groups.values()) < FOLDS:
        rarest = min(groups, key=lambda text: groups[text])
        there = f"'{pairs.texts[rarest]}' has {per_class[rarest]} items in {groups[rarest]} groups"
        return f"{there}; {2 * FOLDS} items in {FOLDS} groups are needed"
    return ""


def all_probes(refits: Sequence[Refit], progress: Progress) -> tuple[tuple[Probe, ...], list[str]]:
    """Probes of everything whose texts are classes, and why there is none of the rest."""
    measured: list[Probe] = []
    notes: list[str] = []
    for refit in tracked(progress, refits, "probes", total=len(refits), unit="modality"):
        modality = refit.pairs.modality
        if not refit.fitted:
            notes.append(f"no probe of {modality}: it is composed of others and has no projector of its own")
        elif why := class_like(refit.pairs):
            notes.append(f"no probe of {modality} ({refit.split}): {why}")
        else:
            if refit.sampled:
                notes.append(f"probes of {modality} ({refit.split}): a random {PROBED} items")
            measured += probes(refit.pairs, refit.fresh, split=refit.split)
    return tuple(measured), notes


def probes(pairs: PairedLatents, fresh: Fresh, *, split: str) -> Iterator[Probe]:
    """80/20 and 20/80 over 5 grouped, stratified folds; the projector is fitted anew on each labelled part.

    Hyperparameters are chosen inside the labelled part too. Beside the embeddings stand logistic regression on the bare
    latents, the nearest text without any regression, and the share of the largest class.
    """
    labels = pairs.first_text
    cut = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=fresh.seed)
    folds = list(cut.split(np.zeros(len(labels)), labels, np.asarray(pairs.groups, dtype=object).astype(str)))
    for name, sides in (("80/20", folds), ("20/80", [(small, large) for large, small in folds])):
        hits = [_fold(pairs, fresh, known, rest) for known, rest in sides]
        for features in hits[0]:
            values = np.array([by_features[features].mean() for by_features in hits])
            means = [macro(by_features[features], labels[rest]) for by_features, (_, rest) in zip(hits, sides, strict=True)]
            uneven = [mean for mean in means if mean is not None]
            yield Probe(
                split=split,
                modality=pairs.modality,
                labelled=name,
                features=features,
                accuracy=float(values.mean()),
                spread=float(values.std(ddof=1)),
                folds=len(values),
                macro=float(np.mean(uneven)) if len(uneven) == len(means) else None,
            )


def _fold(pairs: PairedLatents, fresh: Fresh, known: np.ndarray, rest: np.ndarray) -> dict[str, Bool[np.ndarray, " rest"]]:
    """Whether each of the rest is named rightly, by what the classifier sees."""
    labels, modality = pairs.first_text, pairs.modality
    train, val = _inner_sides(pairs, known, fresh.seed)
    geometry = fresh.fit(train, val, test=pairs.take(rest)).geometry
    raw, naming = geometry.project(modality, pairs.inputs), geometry.between(modality, TEXT)
    nearest = (naming.query(raw[rest]) @ naming.gallery(pairs.anchors).T).argmax(axis=1)
    # without a view that weighs text directions: it leaves some of them nearly empty
    vectors = as_peer(geometry.view(modality), None, raw)
    largest = Counter(labels[known].tolist()).most_common(1)[0][0]
    return {
        "embeddings + logistic regression": _regression(vectors, labels, known, rest),
        "embeddings, nearest text": nearest == labels[rest],
        "latents + logistic regression": _regression(pairs.means, labels, known, rest),
        "largest class": labels[rest] == largest,
    }


def _inner_sides(pairs: PairedLatents, known: np.ndarray, seed: int) -> tuple[PairedLatents, PairedLatents | None]:
    """The labelled part's own train and validation; no validation where every class has but one labelled item."""
    labels = pairs.first_text
    groups = np.asarray([pairs.groups[row] for row in known], dtype=object).astype(str)
    if len(set(groups)) < 2:  # one speaker is labelled: validation inside the labelled part cannot but share it
        groups = known.astype(str)
    count = min(FOLDS, len(set(groups)), max(Counter(labels[known].tolist()).values()))
    if count < 2:
        return pairs.take(known), None
    cut = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a rare class may miss from one inner fold
        train, val = next(iter(cut.split(np.zeros(len(known)), labels[known], groups)))
    return pairs.take(known[train]), pairs.take(known[val])


def _regression(features: Vectors, labels: np.ndarray, known: np.ndarray, rest: np.ndarray) -> Bool[np.ndarray, " rest"]:
    if len(set(labels[known].tolist())) < 2:
        return np.asarray(labels[rest] == labels[known][0])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features[known], labels[known])
    return np.asarray(model.predict(features[rest]) == labels[rest])
