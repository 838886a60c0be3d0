"""The doctor: what a careful colleague would say of pairs before anything is trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from textanchor.data.pairs import read_pairs
from textanchor.data.splits import FRACTIONS
from textanchor.data.wording import Wording
from textanchor.doctor.curve import Curve, curve
from textanchor.doctor.duplicates import Near, copies, merged, near, near_duplicates
from textanchor.doctor.findings import Finding
from textanchor.doctor.layers import Layer, layers
from textanchor.doctor.reach import Reached, compared
from textanchor.doctor.texts import texts
from textanchor.errors import LeakError
from textanchor.records import PairedLatents, Pairs
from textanchor.space.preparing import Prepared, prepare

MORE, FEW = 300, 20


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Findings by modality (`all` for the table), what simple fits reach, the encoder's layers, and the learning curve.

    `merged`, where asked for, is the table with one group for items that are nearly the same: `fit(merged, resplit=True)`.
    """

    findings: Mapping[str, Sequence[Finding]]
    reached: Mapping[str, Sequence[Reached]]
    layers: Mapping[str, Sequence[Layer]]
    curves: Mapping[str, Curve]
    merged: Pairs | None = None

    @property
    def leaks(self) -> list[Finding]:
        """What would make held-out figures wrong."""
        return [one for held in self.findings.values() for one in held if one.level == "leak"]

    def metrics(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "findings": [
                {"modality": name, "level": one.level, "topic": one.topic, "text": one.text}
                for name, held in self.findings.items()
                for one in held
            ],
            "reached": [
                {"modality": name, "aligner": one.name, "score": one.score, "R@1": one.recall, "R@1 interval": one.interval}
                for name, held in self.reached.items()
                for one in held
            ],
            "layers": [{"modality": name, **one.row()} for name, held in self.layers.items() for one in held],
            "curves": {
                name: {"sizes": one.sizes, "R@1": one.recalls, "more": one.more, "gain": one.gain, "interval": one.interval}
                for name, one in self.curves.items()
            },
        }


def diagnose(
    pairs: Pairs | str | Path,
    *,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    seed: int = 0,
    fractions: Sequence[float] = FRACTIONS,
    resplit: bool = False,
    more: int = MORE,
    merge: bool = False,
    wording: Wording | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> Diagnosis:
    """Look at pairs: duplicates, leakage, texts, classes, the anchor's floor, the encoder's layers, and what fits will reach.

    Fits are made on train and judged on validation; test is not encoded, unless `merge` asks for near-duplicates of all
    sides to be brought together (`Diagnosis.merged`). `more` is the number of further pairs whose gain is
    extrapolated. An encoder that names several layers has all of them compared. A predefined split that leaks is reported, and
    the rest of the diagnosis uses a split of its own. Raises what `fit` raises for unusable input.
    """
    held = pairs if isinstance(pairs, Pairs) else read_pairs(pairs)
    how: dict[str, Any] = {
        "anchor": anchor, "seed": seed, "fractions": fractions, "wording": wording, "cache": cache, "device": device,
        "progress": progress,
    }  # fmt: skip
    told = dict(encoders or {})
    found: dict[str, list[Finding]] = {"all": []}
    try:
        ready = prepare(held, encoders=told, resplit=resplit, **how)
    except LeakError as why:
        found["all"].append(Finding(level="leak", topic="split", text=str(why)))
        ready = prepare(held, encoders=told, resplit=True, **how)
    found["all"] += _table(ready)
    several: dict[str, Sequence[Layer]] = {}
    reach: dict[str, Sequence[Reached]] = {}
    curves: dict[str, Curve] = {}
    alike: dict[str, Near] = {}
    for modality in tqdm(list(ready.encoders), desc="look", unit="modality", disable=None if progress else True):
        several[modality], parts = layers(ready, modality, ("train", "val", "test") if merge else ("train", "val"))
        if parts is None:
            continue
        alike[modality] = near(parts)
        found[modality] = [*texts(parts["train"].joined(parts["val"])), near_duplicates(alike[modality])]
        more_found, reach[modality], told_curve = _prospects(parts, more=more, seed=seed)
        found[modality] += more_found
        if told_curve is not None:
            curves[modality] = told_curve
    joined = merged(ready.given, tuple(alike.values())) if merge else None
    return Diagnosis(findings=found, reached=reach, layers=several, curves=curves, merged=joined)


def _table(ready: Prepared) -> list[Finding]:
    """What concerns the whole table."""
    found = []
    if ready.skipped:
        first = ready.skipped[0]
        text = f"{len(ready.skipped)} rows or items cannot be used, the first: {first.item}: {first.reason}"
        found.append(Finding(level="warning", topic="reading", text=text))
    found += list(copies(ready.pairs, ready.hashes))
    shared = ready.split.shares_groups
    note = "; ".join((ready.split.name, *ready.split.notes))
    found.append(Finding(level="warning" if shared else "note", topic="split", text=note))
    if not any(pair.group for pair in ready.given.rows):
        text = "no `group` column: where several items come from one source (a speaker, a recording), name it, or splits leak"
        found.append(Finding(level="note", topic="groups", text=text))
    return found


def _prospects(
    parts: Mapping[str, PairedLatents], *, more: int, seed: int
) -> tuple[list[Finding], list[Reached], Curve | None]:
    train, val = parts["train"], parts["val"]
    if len(val.items) < 2 or len(train.texts) < 2:
        text = f"{len(train.items)} training and {len(val.items)} validation items: too few to fit and judge anything"
        return [Finding(level="warning", topic="size", text=text)], [], None
    found, said = compared(train, val, seed=seed)
    findings = [Finding(level="note", topic="network", text=said)]
    if len(val.items) < FEW:
        text = f"{len(val.items)} validation items: every figure here is coarse"
        findings.append(Finding(level="warning", topic="size", text=text))
    top = max(found[:-1], key=lambda one: one.score)
    drawn = curve(train, val, top, more=more, seed=seed)
    findings.append(Finding(level="note", topic="more pairs", text=drawn.text))
    return findings, found, drawn
