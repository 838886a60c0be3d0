"""Which of an encoder's layers is nearest to the texts, before and after a closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textanchor.doctor.sampling import enough, sampled
from textanchor.encoders import Encoder, make, outputs
from textanchor.encoders.protocol import encode_staged, staged
from textanchor.judging import trial
from textanchor.latents.engine import encode, stream
from textanchor.latents.paired_latents import representatives
from textanchor.metrics.agreement import linear_cka, mutual_knn
from textanchor.records import Skipped, Vectors
from textanchor.space.preparing import Prepared, Sides


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


@dataclass(frozen=True, kw_only=True)
class Layered:
    """What was measured of an encoder's layers, and the pairs of the best; None where no file has such a part."""

    layers: Sequence[Layer]
    sides: Sides | None


def layered(ready: Prepared, modality: str, names: Sequence[str] = ("train", "val")) -> Layered:
    """All pooled outputs of the encoder and the pairs of the best by ridge; of one output, that one.

    The encoder runs once, and what it gives goes to the store; from there one layer at a time is taken. `names` are sides of
    the split, train and val among them.
    """
    encoder = make(ready.encoders[modality], modality, ready.runtime)
    pooled = [place for place, output in enumerate(outputs(encoder)) if not output.ragged]
    if len(outputs(encoder)) == 1 or not pooled:  # tokens alone: `sides` says what is wrong
        sides = ready.sides(modality, names)
        name = outputs(encoder)[0].name or ready.encoders[modality]
        return Layered(layers=[_layer(name, sides, score=None)] if sides else [], sides=sides)
    if not _passed(ready, modality, names, encoder):
        return Layered(layers=[], sides=None)
    layers = [_measured(ready, modality, names, OneOutput(encoder, place)) for place in pooled]
    best = max(range(len(layers)), key=lambda row: layers[row].score or 0.0)
    return Layered(layers=layers, sides=_sides(ready, modality, names, OneOutput(encoder, pooled[best])))


class OneOutput:
    """One of an encoder's outputs, as an encoder of its own."""

    def __init__(self, encoder: Encoder, place: int) -> None:
        self._whole, self._place = staged(encoder), place
        output = self._whole.outputs[place]
        self.outputs = (output,)
        self.modality, self.dim, self.fingerprint = encoder.modality, output.dim, output.fingerprint
        for optional in ("batch", "seconds", "name"):
            if hasattr(encoder, optional):
                setattr(self, optional, getattr(encoder, optional))

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Any) -> Any:
        """The model's inputs of one item."""
        return self._whole.prepare(value)

    def forward(self, inputs: Sequence[Any]) -> list[Any]:
        """One entry: the output's."""
        return [self._whole.forward(inputs)[self._place]]


def _passed(ready: Prepared, modality: str, names: Sequence[str], encoder: Encoder) -> bool:
    """Bring all layers of all items into the store; False if no file has such a part."""
    count, skipped = 0, list[Skipped]()
    for chunk in stream(ready.items(modality, names), encoder, ready.runtime, known=ready.hashes):
        count += len(chunk.items)
        skipped += chunk.skipped
    return ready.noted(modality, skipped, count)


def _measured(ready: Prepared, modality: str, names: Sequence[str], encoder: OneOutput) -> Layer:
    sides = _sides(ready, modality, names, encoder)
    return _layer(encoder.outputs[0].name, sides, score=_ridge(sides, ready.device))


def _sides(ready: Prepared, modality: str, names: Sequence[str], encoder: OneOutput) -> Sides:
    latents = encode(ready.items(modality, names), encoder, ready.runtime, known=ready.hashes).latents
    return ready.joined(modality, names, latents)


def _ridge(sides: Sides, device: str) -> float | None:
    """Ridge's validation score; None where there is too little to fit or judge."""
    if not enough(sides):
        return None
    modality = sides.train.modality
    task = sampled(sides, seed=0).task(device=device, seed=0, refit=False)
    return trial("ridge", {modality: task}).fits[modality].choice.score


def _layer(name: str, sides: Sides, *, score: float | None) -> Layer:
    left, right = representatives(sides.train)
    return Layer(
        name=name,
        dim=sides.train.pooled.shape[1],
        knn=mutual_knn(left, right),
        cka=linear_cka(left, right),
        score=score,
    )
