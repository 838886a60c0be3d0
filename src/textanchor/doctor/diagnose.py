"""Looking at pairs: everything is worked out once, and every registered check says what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Unpack

from textanchor import registry
from textanchor.data.pairs import read_pairs
from textanchor.data.sides import SIDES
from textanchor.data.wording import Wording
from textanchor.doctor.alignability import alignability
from textanchor.doctor.closed_forms import Reached, closed_best, compared
from textanchor.doctor.curve import Curve, curve
from textanchor.doctor.diagnosis import Diagnosis
from textanchor.doctor.examined import Check, Examined
from textanchor.doctor.findings import TABLE, Finding
from textanchor.doctor.layers import Layered, layered
from textanchor.doctor.merging import merged
from textanchor.doctor.near import near
from textanchor.doctor.sampling import enough, sampled
from textanchor.errors import LeakError
from textanchor.progress import tracked
from textanchor.records import Pairs
from textanchor.runtime import Reading, Runtime, SimpleSplit, Splitting, settled, settled_split
from textanchor.space.preparing import Encoding, Prepared, prepare
from textanchor.space.saved_again import held, saved_again


def diagnose(
    pairs: object,
    *,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    more: int | None = None,
    merge: bool = False,
    wording: Wording | None = None,
    reading: Reading | None = None,
    splitting: Splitting | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[SimpleSplit],
) -> Diagnosis:
    """Look at pairs: duplicates, leakage, texts, classes, the anchor's floor, the encoder's layers, and what fits will reach,
    and whether the two spaces can be aligned at all.

    Fits are made on train and judged on validation; test is encoded only to tell whether it holds what the others hold, or
    nearly. `merge` brings such items of all sides together (`Diagnosis.merged`). `more` is the number of further pairs whose
    gain is extrapolated: 300, or as many as there are. An encoder that names several layers has all compared. A predefined
    split that leaks is reported, and the rest of the diagnosis uses a split of its own. Of many pairs fits take a random
    20,000 to learn from and 5,000 to judge.
    How pairs are read stands in the record `reading`; how they are split and work is done stands in the records `splitting` and
    `runtime`, or in keywords as for `fit`. Raises what `fit` raises for unusable input.
    """
    encoding = Encoding(anchor=anchor, encoders=encoders or {}, wording=wording or Wording())
    split = settled_split(splitting, simple)
    table = read_pairs(pairs, split_name=split.name, reading=reading)
    ready, refused = _prepared(table, encoding, split, settled(runtime, simple))
    examined = examine(ready, more=more, refused=refused)
    return Diagnosis(
        findings=findings(examined),
        reached=examined.reached,
        layers=examined.layers,
        curves=examined.curves,
        alignability=examined.alignability,
        merged=merged(ready.given, tuple(examined.near.values()), examined.again) if merge else None,
    )


def examine(ready: Prepared, *, more: int | None = None, refused: str = "") -> Examined:
    """Latents and near-duplicates of every modality on all sides of the split, and fits on train and validation."""
    seed, device = ready.splitting.seed, ready.device
    looks: dict[str, Layered] = {}
    for modality in tracked(ready.runtime.progress, list(ready.encoders), "look", total=len(ready.encoders), unit="modality"):
        looks[modality] = layered(ready, modality, SIDES)
    sides = {modality: look.sides for modality, look in looks.items() if look.sides is not None}
    fitted = {modality: sampled(own, seed=seed) for modality, own in sides.items()}
    reached: dict[str, list[Reached]] = {}
    curves: dict[str, Curve] = {}
    for modality, own in fitted.items():
        if enough(own):
            reached[modality] = compared(own, device=device, seed=seed)
            best = closed_best(reached[modality])
            total = len(sides[modality].train.items)
            curves[modality] = curve(own, best, more=more, total=total, device=device, seed=seed)
    everything = held(ready)
    same = {one.name: one.content for one in everything}
    return Examined(
        ready=ready,
        sides=sides,
        fitted=fitted,
        layers={modality: look.layers for modality, look in looks.items()},
        near={modality: near(own.pairs, same=same, seed=seed) for modality, own in sides.items()},
        reached={modality: reached.get(modality, []) for modality in sides},
        curves=curves,
        alignability={
            modality: alignability(own, reached.get(modality, []), device=device, seed=seed) for modality, own in fitted.items()
        },
        again=saved_again(ready, everything),
        refused=refused,
    )


def findings(examined: Examined) -> dict[str, list[Finding]]:
    """What every registered check says, built-in ones first, by modality."""
    remarks: dict[str, list[Finding]] = {modality: [] for modality in (TABLE, *examined.sides)}
    for name in registry.names("check"):
        check: Check = registry.load("check", name)
        for finding in check(examined):
            remarks.setdefault(finding.modality, []).append(finding)
    return remarks


def _prepared(pairs: Pairs, encoding: Encoding, splitting: Splitting, runtime: Runtime) -> tuple[Prepared, str]:
    """Ready pairs, by a split of their own where the table's leaks; and why it does."""
    try:
        return prepare(pairs, encoding, splitting, runtime), ""
    except LeakError as why:
        return prepare(pairs, encoding, replace(splitting, resplit=True), runtime), str(why)
