"""A space measured on the pairs that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

from textanchor.data.pairs import read_pairs
from textanchor.errors import InputError
from textanchor.evaluation.evaluation import Evaluation
from textanchor.evaluation.held_out import HELD_OUT, judged
from textanchor.evaluation.map import text_map
from textanchor.evaluation.notes import split_notes, unjudged
from textanchor.evaluation.probes import all_probes
from textanchor.evaluation.refits import refits
from textanchor.evaluation.tables import rows
from textanchor.evaluation.unseen import zero_shot
from textanchor.records import Pairs
from textanchor.runtime import Reading, Runtime, Simple, settled
from textanchor.space import Space


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
    reading: Reading | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Evaluation:
    """Measure a space on the pairs that it has not seen, by content or group.

    `against` names other spaces, with the same anchor and encoders, for the same table. `include_train` adds rows on the
    training data, labelled as no evidence, and probes on all pairs, labelled so. Probes fit anew inside each of their folds.
    `unseen_classes` is how many classes are held out in each of ten draws of `zero_shot`, which fits anew too; 0 for none.
    How pairs are read stands in the record `reading`, as for `fit`.
    How work is done stands in the record `runtime`, the space's own by default, or in keywords as for `fit`.
    Raises `LeakError` if nothing unseen remains, `InputError` if the modalities do not fit.
    """
    table = pairs if isinstance(pairs, Pairs) else read_pairs(pairs, reading=reading)
    work = settled(runtime or space.runtime, simple)
    spaces = {name: space, **(against or {})}
    if len(spaces) != 1 + len(against or {}):
        raise InputError(f"two compared spaces are called '{name}'; give them different names")
    known = judged(tuple(spaces.values()), table, work, include_train=include_train)
    held_out = known.pairs[HELD_OUT]
    lines = tuple(rows(spaces, known))
    again = refits(space, table, known, work, everything=include_train, seed=seed) if probe or unseen_classes else []
    probes, probe_notes = all_probes(again, work.progress) if probe else ((), [])
    named = [refit for refit in again if refit.fitted] if unseen_classes else []
    return Evaluation(
        main=name,
        judged=known,
        rows=lines,
        probes=probes,
        zero_shot=tuple(one for refit in named for one in zero_shot(refit.pairs, [refit.fresh], classes=unseen_classes)),
        map=text_map(space.geometry, held_out, seed=seed) if map_ and held_out else None,
        notes=(*split_notes(space, known), *unjudged(space, table, known, lines), *probe_notes),
        seed=seed,
    )
