"""What an evaluation gives, as records and as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textanchor.config import versions
from textanchor.evaluation.held_out import Judged
from textanchor.evaluation.map import TextMap
from textanchor.evaluation.probes import Probe
from textanchor.evaluation.tables import Row, gains
from textanchor.evaluation.unseen import ZeroShot

FEW = 4  # figures in a line


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All figures of one evaluation. `table` and `metrics` give them as plain values."""

    main: str
    judged: Judged
    rows: tuple[Row, ...]
    probes: tuple[Probe, ...]
    zero_shot: tuple[ZeroShot, ...]
    map: TextMap | None
    notes: tuple[str, ...]
    seed: int

    def __repr__(self) -> str:
        own = [row for row in self.rows if row.space == self.main]
        told = [f"{row.ranking.name} R@1 {row.ranking.recall(1):.3f}" for row in own if row.ranking.recall(1) is not None]
        more = [f"{len(told) - FEW} more"] if len(told) > FEW else []
        return f"Evaluation({self.main}: {', '.join([*told[:FEW], *more]) or 'nothing held out'})"

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of `alignment` (items against texts) or `emergent` (modalities against each other)."""
        return [row.described() for row in self.rows if row.table == name]

    def metrics(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "space": self.main,
            "notes": list(self.notes),
            "excluded": dict(self.judged.excluded),
            "alignment": self.table("alignment"),
            "emergent": self.table("emergent"),
            "differences": [gain.described() for gain in gains(self.rows, self.main)],
            "probes": [probe.row() for probe in self.probes],
            "zero-shot": [one.row() for one in self.zero_shot],
            "map": self.map and {"method": "t-SNE", "points": len(self.map.ids), **self.map.figures()},
            "skipped": [asdict(one) for one in self.judged.skipped],
            "seed": self.seed,
            "versions": versions(),
        }
