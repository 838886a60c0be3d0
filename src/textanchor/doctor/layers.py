"""Which of an encoder's layers is nearest to the texts, before and after a closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.aligners import aligner
from textanchor.encoders import make, outputs
from textanchor.latents.engine import stream
from textanchor.latents.pairing import paired, representatives
from textanchor.metrics.agreement import linear_cka, mutual_knn
from textanchor.records import PairedLatents, Task
from textanchor.runtime import Runtime
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


def layers(
    ready: Prepared, modality: str, sides: Sequence[str] = ("train", "val")
) -> tuple[list[Layer], dict[str, PairedLatents] | None]:
    """All pooled outputs of the encoder, encoded in one pass, and the pairs of the best by ridge; of one output, that one.

    Pairs of `sides`, train and val among them. No pairs where no file has such a part.
    """
    name = ready.encoders[modality]
    encoder = make(name, modality, Runtime(device=ready.base.device))
    outs = outputs(encoder)
    if len(outs) == 1:
        parts = ready.parts(modality, sides)
        return ([_layer(outs[0].name or name, parts, fitted=False)] if parts else []), parts
    wanted = {side: getattr(ready.split, side) for side in sides}
    items = [
        item
        for item in ready.pairs.only(modality).items
        if item.id in ready.hashes and any(item.id in ids for ids in wanted.values())
    ]
    runtime = settled(None, {"cache": ready.base.cache, "device": ready.base.device, "progress": ready.progress})
    chunks = list(stream(items, encoder, runtime, known=ready.hashes))
    texts = ready.texts(modality, sides)
    anchors = embed_texts(ready.base, texts, modality=modality, wording=ready.wording, progress=ready.progress)
    found = []
    for place, out in enumerate(outs):
        held = [chunk.latents[place] for chunk in chunks]
        if out.ragged or not sum(map(len, held)):
            continue
        latents = held[0]
        for other in held[1:]:
            latents = latents.joined(other)  # type: ignore[arg-type]
        parts = {side: paired(ready.pairs, modality, latents, texts, anchors, ids) for side, ids in wanted.items()}
        found.append((_layer(out.name, parts, fitted=True), parts))
    if not found:
        return [], ready.parts(modality, sides)  # which says what is wrong
    best = max(found, key=lambda one: one[0].score or 0.0)
    return [layer for layer, _ in found], best[1]


def _layer(name: str, parts: Mapping[str, PairedLatents], *, fitted: bool) -> Layer:
    train, val = parts["train"], parts["val"]
    left, right = representatives(train)
    judged = fitted and len(val.items) > 1 and len(train.texts) > 1
    fit = aligner("ridge").fit(Task(train=train, val=val, refit=False)) if judged else None
    return Layer(
        name=name,
        dim=train.pooled.shape[1],
        knn=mutual_knn(left, right),
        cka=linear_cka(left, right),
        score=fit.choice.score if fit else None,
    )
