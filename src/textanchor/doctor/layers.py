"""Which of an encoder's layers is nearest to the texts, before and after a closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from textanchor.aligners import aligner
from textanchor.encoders import make, outputs, parse
from textanchor.latents.engine import stream
from textanchor.latents.pairing import paired, representatives
from textanchor.metrics.agreement import linear_cka, mutual_knn
from textanchor.records import PairedLatents, Pooled, Unpaired
from textanchor.space.preparing import Prepared, embed_texts


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One output of an encoder: agreement with the texts before any fit; where there are several, ridge's validation score."""

    name: str
    dim: int
    knn: float | None
    cka: float | None
    score: float | None

    def row(self) -> dict[str, Any]:
        """Plain figures."""
        return {"layer": self.name, "dim": self.dim, "mutual 10-NN": self.knn, "CKA": self.cka, "ridge score": self.score}


def layers(ready: Prepared, modality: str) -> tuple[list[Layer], Prepared]:
    """All pooled outputs of the encoder, encoded in one pass, and a preparation that goes on with the best by ridge.

    An encoder of one output is that one row.
    """
    name = ready.encoders[modality]
    encoder = make(name, modality, device=ready.base.device)
    outs = outputs(encoder)
    sides = {side: getattr(ready.split, side) for side in ("train", "val")}
    items = [
        item
        for item in ready.pairs.only(modality).items
        if item.id in ready.hashes and any(item.id in ids for ids in sides.values())
    ]
    chunks = list(stream(items, encoder, cache=ready.base.cache, known=ready.hashes, progress=ready.progress))
    texts = ready.texts(modality, ("train", "val"))
    anchors = embed_texts(ready.base, texts, modality=modality, wording=ready.wording, progress=ready.progress)
    found = []
    for place, out in enumerate(outs):
        held = [chunk.latents[place] for chunk in chunks]
        if out.ragged or not held or not sum(map(len, held)):
            continue
        latents = held[0]
        for other in held[1:]:
            latents = latents.joined(other)  # type: ignore[arg-type]
        assert isinstance(latents, Pooled)
        parts = {side: paired(ready.pairs, modality, latents, texts, anchors, ids) for side, ids in sides.items()}
        found.append(_layer(out.name or name, parts, fitted=len(outs) > 1))
    if len(outs) > 1 and found:
        best = max(found, key=lambda one: one.score or 0.0)
        ready = replace(ready, encoders={**ready.encoders, modality: _named(name, best.name)})
    return found, ready


def _layer(name: str, parts: Mapping[str, PairedLatents], *, fitted: bool) -> Layer:
    train, val = parts["train"], parts["val"]
    left, right = representatives(train)
    judged = fitted and len(val.items) > 1 and len(train.texts) > 1
    fit = aligner("ridge").fit(train, val, Unpaired(), seed=0, refit=False) if judged else None
    return Layer(
        name=name,
        dim=train.pooled.shape[1],
        knn=mutual_knn(left, right),
        cka=linear_cka(left, right),
        score=float(fit.report["score"]) if fit else None,
    )


def _named(encoder: str, output: str) -> str:
    """The encoder with the options of one of its outputs, such as `layer=3,pool=mean`."""
    spec = parse(encoder)
    options = {**spec.options, **dict(part.split("=", 1) for part in output.split(",") if "=" in part)}
    told = ",".join(f"{key}={value}" for key, value in options.items())
    return spec.scheme + (f":{spec.argument}" if spec.argument else "") + (f"@{told}" if told else "")
