"""One run measured: fitted on train, judged on validation; or, for a final look, fitted on both and judged on test."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textanchor.aligners import aligner
from textanchor.aligners.selection import rated
from textanchor.bench.plan import Run
from textanchor.evaluation.tables import Row, alignment_rows, emergent_rows
from textanchor.latents.pairing import representatives
from textanchor.metrics.agreement import linear_cka, mutual_knn
from textanchor.metrics.geometry import alignment, modality_gap, uniformity
from textanchor.metrics.hubness import occurrence_skew
from textanchor.records import PairedLatents, Task, Vectors
from textanchor.space import Space
from textanchor.space.holdings import Fitted, Seen
from textanchor.space.items import TEXT

Parts = Mapping[str, Mapping[str, PairedLatents]]  # modality -> side -> pairs


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run's figures on one side of the split, what was chosen on the way, and the hits at 1 of every query."""

    run: Run
    side: str
    figures: Mapping[str, float]
    chosen: Mapping[str, Any]
    seconds: float
    hits: Mapping[str, np.ndarray]
    groups: Mapping[str, Sequence[str]]


def measured(run: Run, parts: Parts, fingerprints: Mapping[str, str], anchor_fingerprint: str, *, side: str) -> Outcome:
    """Fit and judge. For `val` the fit has seen train alone; for `test` train and validation, values chosen on validation."""
    start = time.perf_counter()
    fits = {}
    for modality, sides in parts.items():
        val = sides["val"] if len(sides["val"].items) else None
        fits[modality] = aligner(run.aligner).fit(Task(train=sides["train"], val=val, seed=run.seed, refit=side != "val"))
    seconds = time.perf_counter() - start
    held = {
        name: Fitted(
            encoder=run.encoders.get(name, ""),
            fingerprint=fingerprints[name],
            projector=fit.projector,
            view=fit.view,
            report={},
        )
        for name, fit in fits.items()
    }
    space = Space(anchor=run.anchor, anchor_fingerprint=anchor_fingerprint, modalities=held, seen=Seen(), provenance={})
    judged = {modality: sides[side] for modality, sides in parts.items()}
    rows = [*alignment_rows("run", space, side, judged), *emergent_rows("run", space, side, judged)]
    raw = {name: space.project(name, pairs.inputs) for name, pairs in judged.items()}
    figures = _figures(rows) | _shape(space, judged, raw)
    scores = [rated(raw[name], space.view(name), pairs) for name, pairs in judged.items()]
    return Outcome(
        run=run,
        side=side,
        figures={"score": float(np.mean(scores)), **figures},
        chosen={name: fit.choice.described() for name, fit in fits.items()},
        seconds=seconds,
        hits={_named(row): row.hits.astype(bool) for row in rows},
        groups={_named(row): row.groups for row in rows},
    )


def agreement(pairs: PairedLatents) -> dict[str, float | None]:
    """How much latents and their texts are alike before anything is fitted."""
    left, right = representatives(pairs)
    return {"mutual 10-NN": mutual_knn(left, right), "CKA": linear_cka(left, right)}


def _named(row: Row) -> str:
    return f"{row.query}->{row.gallery}"


def _figures(rows: Sequence[Row]) -> dict[str, float]:
    found = {}
    for row in rows:
        for key, value in row.figures.items():
            if isinstance(value, int | float) and key not in ("queries", "gallery size", "items", "chance R@1"):
                found[f"{_named(row)} {key}"] = float(value)
    return found


def _shape(space: Space, judged: Mapping[str, PairedLatents], projected: Mapping[str, Vectors]) -> dict[str, float]:
    """Hubness skew of both galleries, modality gap, alignment and uniformity of each modality."""
    found: dict[str, float | None] = {}
    for name, pairs in judged.items():
        raw = projected[name]
        items, texts = space.compared(raw, name, TEXT), space.compared(pairs.anchors, TEXT, name)
        found[f"{name}->text hubness skew"] = occurrence_skew(
            space.query(raw, name, TEXT), space.gallery(pairs.anchors, TEXT, name)
        )
        found[f"text->{name} hubness skew"] = occurrence_skew(
            space.query(pairs.anchors, TEXT, name), space.gallery(raw, name, TEXT)
        )
        found[f"{name} modality gap"] = modality_gap(items, texts)
        found[f"{name} alignment"] = alignment(items, texts, pairs.edges)
        found[f"{name} uniformity"] = uniformity(items)
    return {key: value for key, value in found.items() if value is not None}
