"""Evaluation: honest figures of a space, always with their split, floor and chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from textanchor.config import versions
from textanchor.data.pairs import read_pairs
from textanchor.errors import InputError
from textanchor.evaluation.held_out import ALL_PAIRS, HELD_OUT, Judged, judged
from textanchor.evaluation.map import Map, tsne_map
from textanchor.evaluation.probes import Probe, class_like, probes
from textanchor.evaluation.tables import Row, alignment_rows, differences, emergent_rows
from textanchor.evaluation.unseen import ZeroShot, zero_shot
from textanchor.records import PairedLatents, Pairs
from textanchor.space import Space

PROBED = 5000  # items a modality; ten fits and thirty regressions on more would take hours


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All figures of one evaluation. `table` and `metrics` give them as plain values."""

    main: str
    judged: Judged
    rows: tuple[Row, ...]
    probes: tuple[Probe, ...]
    zero_shot: tuple[ZeroShot, ...]
    map: Map | None
    notes: tuple[str, ...]
    seed: int

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of `alignment` (items against texts) or `emergent` (modalities against each other)."""
        return [
            {"space": row.space, "split": row.split, "query": row.query, "gallery": row.gallery, **row.figures}
            for row in self.rows
            if row.table == name
        ]

    def metrics(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "space": self.main,
            "notes": list(self.notes),
            "excluded": dict(self.judged.excluded),
            "alignment": self.table("alignment"),
            "emergent": self.table("emergent"),
            "differences": differences(list(self.rows), self.main),
            "probes": [asdict(probe) for probe in self.probes],
            "zero-shot": [asdict(one) for one in self.zero_shot],
            "map": self.map and {"method": "t-SNE", "points": len(self.map.ids), "5-NN accuracy": self.map.knn},
            "skipped": [asdict(one) for one in self.judged.skipped],
            "seed": self.seed,
            "versions": versions(),
        }


def evaluate(
    space: Space,
    pairs: Pairs | str | Path,
    *,
    name: str = "space",
    against: Mapping[str, Space] | None = None,
    include_train: bool = False,
    probe: bool = True,
    unseen_classes: int = 0,
    map_: bool = True,
    seed: int = 0,
    progress: bool = False,
) -> Evaluation:
    """Measure a space on the pairs that it has not seen, by content or group.

    `against` names other spaces, with the same anchor and encoders, for the same table. `include_train` adds rows on the
    training data, labelled as no evidence, and probes on all pairs, labelled so. Probes fit anew inside each of their folds.
    `unseen_classes` is how many classes are held out in each of ten draws of `zero_shot`, which fits anew too; 0 for none.
    Raises `LeakError` if nothing unseen remains, `InputError` if the modalities do not fit.
    """
    held = pairs if isinstance(pairs, Pairs) else read_pairs(pairs)
    spaces = {name: space, **(against or {})}
    if len(spaces) != 1 + len(against or {}):
        raise InputError(f"two compared spaces are called '{name}'; give them different names")
    found = judged(spaces.values(), held, include_train=include_train, progress=progress)
    rows = [
        row
        for label, part in found.parts.items()
        for called, one in spaces.items()
        for rows_of in (alignment_rows, emergent_rows)
        for row in rows_of(called, one, label, part)
    ]
    work = _refitted(space, held, found, include_train=include_train, seed=seed) if probe or unseen_classes else []
    done, notes = _probes(space, work, seed=seed, progress=progress) if probe else ((), [])
    unseen = (
        [
            one
            for _, pairs, named in work
            if pairs.modality in space.modalities
            for one in zero_shot(pairs, aligners=(named,), classes=unseen_classes, seed=seed)
        ]
        if unseen_classes
        else []
    )
    drawn = tsne_map(space, found.parts[HELD_OUT], seed=seed) if map_ and found.parts[HELD_OUT] else None
    return Evaluation(
        main=name,
        judged=found,
        rows=tuple(rows),
        probes=done,
        zero_shot=tuple(unseen),
        map=drawn,
        notes=(*_split_notes(space, found), *_unjudged(space, held, found, rows), *notes),
        seed=seed,
    )


def _split_notes(space: Space, found: Judged) -> list[str]:
    fit = space.provenance.get("fit", {})
    notes = [f"fitted with the split: {fit.get('split', 'unknown')}", *fit.get("notes", [])]
    gone = ", ".join(f"{count} {side}" for side, count in found.excluded.items() if count)
    return [*notes, f"left out because the space has seen them: {gone}"] if gone else notes


def _unjudged(space: Space, held: Pairs, found: Judged, rows: Sequence[Row]) -> list[str]:
    """What a reader would miss in the tables, and why it is not there."""
    known = [name for name in held.modalities if name in space.kinds]
    gone = [
        f"no held-out {name}: the space has seen all that could be read" for name in known if name not in found.parts[HELD_OUT]
    ]
    foreign = [f"no figure for {name}: the space has no such modality" for name in held.modalities if name not in known]
    pairs = list(permutations(found.parts[HELD_OUT], 2))
    judged_ = {(row.query, row.gallery) for row in rows if row.table == "emergent" and row.split == HELD_OUT}
    apart = [f"no {one}->{other} figure: they share no held-out text" for one, other in pairs if (one, other) not in judged_]
    return [*gone, *foreign, *apart]


def _refitted(
    space: Space, held: Pairs, found: Judged, *, include_train: bool, seed: int
) -> list[tuple[str, PairedLatents, str]]:
    """What figures are taken of that fit anew: split label, pairs of one modality, and the space's aligner for it.

    Unseen items, and on request all; of many a random part.
    """
    labelled = [(HELD_OUT, name, pairs) for name, pairs in found.parts[HELD_OUT].items()]
    if include_train:
        everything = judged([space], held, include_train=False, progress=False, for_refit=True).parts[HELD_OUT]
        labelled += [(ALL_PAIRS, name, pairs) for name, pairs in everything.items()]
    made = []
    for split, modality, pairs in labelled:
        report = space.modalities[modality].report if modality in space.modalities else {"asked": ""}
        part = pairs.take(np.sort(np.random.default_rng(seed).permutation(len(pairs.items))[:PROBED]))
        made.append((split, part if len(part.items) < len(pairs.items) else pairs, str(report.get("aligner", report["asked"]))))
    return made


def _probes(
    space: Space, work: Sequence[tuple[str, PairedLatents, str]], *, seed: int, progress: bool
) -> tuple[tuple[Probe, ...], list[str]]:
    """Probes of every modality whose texts are classes; each fold fits anew."""
    done: list[Probe] = []
    notes: list[str] = []
    for split, pairs, named in tqdm(work, desc="probes", unit="modality", disable=None if progress else True):
        modality = pairs.modality
        if modality not in space.modalities:
            notes.append(f"no probe of {modality}: it is composed of others and has no projector of its own")
        elif why := class_like(pairs):
            notes.append(f"no probe of {modality} ({split}): {why}")
        else:
            if len(pairs.items) == PROBED:
                notes.append(f"probes of {modality} ({split}): a random {PROBED} items")
            done += probes(pairs, split=split, aligner_name=named, seed=seed)
    return tuple(done), notes
