"""Fits that are made anew inside an evaluation, each on a part of the pairs that it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from textanchor.aligners import aligner
from textanchor.encoders import head_of, pick_device
from textanchor.evaluation.held_out import ALL_PAIRS, HELD_OUT, Judged, all_pairs
from textanchor.evaluation.partnerless import apart_from, partnerless
from textanchor.judging import Outcome, trial
from textanchor.records import Named, PairedLatents, Pairs, Task, Unpaired
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.names import named

PROBED = 5000  # items a modality; ten fits and thirty regressions on more would take hours


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """How fits are made anew: by which aligner, with what has no partner and names that are known, on which device and seed."""

    aligner: str
    unpaired: Unpaired = field(default_factory=Unpaired)
    named: Named | None = None
    device: str = "cpu"
    seed: int = 0

    def fit(self, train: PairedLatents, val: PairedLatents | None, *, test: PairedLatents) -> Outcome:
        """Fitted on train and validation; what stands in a group or under a text of `test` is no unpaired data either."""
        unpaired = apart_from(self.unpaired, test)
        task = Task(train=train, val=val, unpaired=unpaired, named=self.named, device=self.device, seed=self.seed)
        return trial(self.aligner, {train.modality: task})


@dataclass(frozen=True, kw_only=True)
class Refit:
    """Pairs of one modality under a split's label, and how to fit on them; `fitted` is False for a composed modality.

    `sampled` says that they are a random part of more.
    """

    split: str
    pairs: PairedLatents
    fresh: Fresh
    fitted: bool
    sampled: bool


def refits(space: Space, table: Pairs, judged: Judged, runtime: Runtime, *, everything: bool, seed: int) -> list[Refit]:
    """Unseen pairs by modality and, with `everything`, all pairs; of many a random part. Each by the space's own aligner."""
    labelled: list[tuple[str, Mapping[str, PairedLatents]]] = [(HELD_OUT, judged.pairs[HELD_OUT])]
    if everything:
        labelled.append((ALL_PAIRS, all_pairs(space, table, runtime)))
    fresh = _fresh(space, table, runtime, seed)
    return [_refit(split, pairs, fresh.get(modality), seed) for split, own in labelled for modality, pairs in own.items()]


def _fresh(space: Space, table: Pairs, runtime: Runtime, seed: int) -> dict[str, Fresh]:
    unpaired, device = partnerless(space, table, runtime), pick_device(runtime.device)
    return {
        modality: Fresh(
            aligner=fitted.aligner,
            unpaired=unpaired.get(modality, Unpaired()),
            named=_named(space, modality, runtime) if aligner(fitted.aligner).by_names else None,
            device=device,
            seed=seed,
        )
        for modality, fitted in space.modalities.items()
    }


def _named(space: Space, modality: str, runtime: Runtime) -> Named | None:
    head = head_of(space.encoder(modality))
    return None if head is None else named(space, head, modality, runtime)


def _refit(split: str, pairs: PairedLatents, fresh: Fresh | None, seed: int) -> Refit:
    many = len(pairs.items) > PROBED
    rows = np.sort(np.random.default_rng(seed).permutation(len(pairs.items))[:PROBED])
    return Refit(
        split=split,
        pairs=pairs.take(rows) if many else pairs,
        fresh=fresh or Fresh(aligner="", seed=seed),
        fitted=fresh is not None,
        sampled=many,
    )
