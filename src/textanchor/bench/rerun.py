"""Repeating what an output folder says it came from, and comparing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textanchor.bench import compare
from textanchor.bench.folder import FACTS as BENCH
from textanchor.bench.folder import facts_of, outcomes
from textanchor.bench.plan import Grid
from textanchor.data.pairs import read_pairs
from textanchor.data.wording import wording
from textanchor.errors import InputError
from textanchor.records import Pairs
from textanchor.space.fitting import fit
from textanchor.space.storage import FACTS as SPACE
from textanchor.space.storage import fingerprint, load

CLOSE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Whether a repeated folder came out the same, and where not."""

    same: bool
    compared: int
    differences: tuple[str, ...]


def rerun(
    folder: str | Path,
    *,
    output: str | Path | None = None,
    pairs: str | Path | None = None,
    modality: str | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> Repeat:
    """Fit a space or run a bench again with the settings that its folder holds; the result goes to `output`, or is only
    compared.

    `pairs` says where the pairs are; a space keeps only their name, which is looked for here; other data is named as a
    difference. Raises `InputError` for a folder that is neither.
    """
    place = Path(folder).expanduser()
    how = {"cache": cache, "device": device, "progress": progress}
    if (place / BENCH).is_file():
        return _bench(place, output, pairs, modality, how)
    if (place / SPACE).is_file():
        return _space(place, output, pairs, modality, how)
    raise InputError(f"{place} holds neither {SPACE} nor {BENCH}; expected a folder that `textanchor fit` or `bench` wrote")


def _space(
    place: Path, output: str | Path | None, told: str | Path | None, modality: str | None, how: Mapping[str, Any]
) -> Repeat:
    before = load(place)
    story, settings = before.provenance.get("fit", {}), before.provenance.get("settings", {})
    if "split_name" not in settings:
        raise InputError(f"{place} was fitted by an older textanchor that did not write down all settings; fit it again")
    again = fit(
        _pairs(told or story["source"], settings["split_name"], modality),
        anchor=settings["anchor"],
        encoders=settings["encoders"],
        aligner=settings["aligner"],
        seed=settings["seed"],
        fractions=settings["fractions"],
        resplit=settings["resplit"],
        shared_view=settings["shared_view"],
        video=settings["video"],
        wording=wording(**settings["wording"]),
        **how,
    )
    if output is not None:
        again.save(output)
    differences = []
    if again.provenance["fit"]["data"] != story["data"]:
        differences.append("the data: the pairs or their contents changed")
    for name, fitted in again.modalities.items():
        old = before.modalities.get(name)
        if old is None or fingerprint(before, only=name) != fingerprint(again, only=name):
            was = old.report.get("score") if old else None
            differences.append(f"{name}: validation score {was} before, {fitted.report.get('score')} now")
    return Repeat(same=not differences, compared=len(again.modalities), differences=tuple(differences))


def _bench(
    place: Path, output: str | Path | None, told: str | Path | None, modality: str | None, how: Mapping[str, Any]
) -> Repeat:
    facts = facts_of(place)
    with tempfile.TemporaryDirectory() as work:
        target = Path(output).expanduser() if output is not None else Path(work) / "bench"
        for one in facts["grids"]:
            again = compare(
                _pairs(told or one["pairs"], one["split_name"], modality),
                target,
                Grid(**one["grid"]),
                trials=one["trials"],
                split_seed=one["split_seed"],
                fractions=one["fractions"],
                resplit=one["resplit"],
                wording=wording(**one["wording"]),
                **how,
            )
            if again.facts["data"] != facts["data"]:
                return Repeat(same=False, compared=0, differences=("the data: the pairs or their contents changed",))
        new = {one.run.id: one for one in outcomes(target, "val")}
    found = []
    old = outcomes(place, "val")
    for was in old:
        now = new.get(was.run.id)
        if now is None:
            found.append(f"{was.run.aligner}, seed {was.run.seed}: not among the repeated runs")
        elif off := [key for key, value in was.figures.items() if abs(now.figures.get(key, 2e9) - value) > CLOSE]:
            key = off[0]
            found.append(
                f"{was.run.aligner}, seed {was.run.seed}: {key} {was.figures[key]:.6f} before, {now.figures.get(key)} now"
            )
    return Repeat(same=not found, compared=len(old), differences=tuple(found))


def _pairs(source: str | Path | None, split_name: str | None, modality: str | None) -> Pairs:
    if source is None:
        raise InputError("the pairs were made in memory; write them to a table and say where it is: --pairs FILE")
    if not Path(source).expanduser().exists():
        raise InputError(f"the pairs '{source}' are not here; say where they are: --pairs FILE")
    return read_pairs(source, split_name=split_name, modality=modality)
