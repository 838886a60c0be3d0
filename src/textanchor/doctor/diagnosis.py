"""What a diagnosis is: findings, and the figures behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from textanchor.doctor.alignability import Alignability
from textanchor.doctor.closed_forms import Reached
from textanchor.doctor.curve import Curve
from textanchor.doctor.findings import Finding
from textanchor.doctor.layers import Layer
from textanchor.records import Pairs
from textanchor.records.showing import counted


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Findings by modality (`all` for the table), what simple fits reach, the encoder's layers, the learning curve, and whether
    the modality can be aligned at all.

    `merged`, where asked for, is the table with one group for items that are nearly the same: `fit(merged, resplit=True)`.
    """

    findings: Mapping[str, Sequence[Finding]]
    reached: Mapping[str, Sequence[Reached]]
    layers: Mapping[str, Sequence[Layer]]
    curves: Mapping[str, Curve]
    alignability: Mapping[str, Alignability] = field(default_factory=dict)
    merged: Pairs | None = None

    def __repr__(self) -> str:
        best = {modality: max(fits, key=lambda fit: fit.recall) for modality, fits in self.reached.items() if fits}
        told = [f"{modality} R@1 {fit.recall:.3f} by {fit.name}" for modality, fit in best.items()]
        return f"Diagnosis({'; '.join([counted(finding.level for finding in self._all()) or 'no finding', *told])})"

    @property
    def leaks(self) -> list[Finding]:
        """What would make held-out figures wrong."""
        return [finding for finding in self._all() if finding.level == "leak"]

    def metrics(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "findings": [
                {"modality": modality, "level": finding.level, "topic": finding.topic, "text": finding.text}
                for modality, findings in self.findings.items()
                for finding in findings
            ],
            "reached": [{"modality": modality, **fit.row()} for modality, fits in self.reached.items() for fit in fits],
            "layers": [{"modality": modality, **layer.row()} for modality, layers in self.layers.items() for layer in layers],
            "curves": {modality: curve.row() for modality, curve in self.curves.items()},
            "alignability": {modality: seen.row() for modality, seen in self.alignability.items()},
        }

    def _all(self) -> Iterator[Finding]:
        for findings in self.findings.values():
            yield from findings
