"""What runs are measured on: all modalities of the pairs, as latents under one anchor and one choice of encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textanchor.bench.plan import Conditions
from textanchor.data.splits import check_apart
from textanchor.errors import InputError
from textanchor.latents.paired_latents import representatives
from textanchor.metrics.agreement import linear_cka, mutual_knn
from textanchor.records import PairedLatents, Task
from textanchor.space.fitting import tasks
from textanchor.space.items import TEXT
from textanchor.space.preparing import Prepared, Sides, check_enough


@dataclass(frozen=True, kw_only=True)
class World:
    """Each modality's sides, and how gradient training runs."""

    sides: Mapping[str, Sides]
    conditions: Conditions
    device: str = "cpu"

    def tasks(self, *, seed: int, refit: bool) -> dict[str, Task]:
        """What an aligner is given."""
        shared = self.conditions.shared_view
        return tasks(self.sides, device=self.device, seed=seed, shared_view=shared, refit=refit)

    def side(self, name: str) -> dict[str, PairedLatents]:
        """The pairs of one side of the split, by modality."""
        return {modality: own.pairs[name] for modality, own in self.sides.items()}


def world(ready: Prepared, names: Sequence[str], *, tokens: bool, shared_view: bool) -> World:
    """Encode sides of the split. Raises `LeakError` if they overlap, `InputError` if the last, or validation, is empty."""
    sides = {}
    for modality in ready.encoders:
        own = ready.sides(modality, names, tokens=tokens)
        if own is None:
            continue
        if not len(own.val.items) or not len(own.pairs[names[-1]].items):
            raise InputError(f"{modality}: no item on the {names[-1]} side; give --fractions with a share for it")
        check_enough(modality, own.train)
        check_apart(own.pairs, shares_groups=ready.split.shares_groups)
        sides[modality] = own
    if not sides:
        raise InputError(f"nothing to compare: {'; '.join(ready.absent)}")
    fingerprints = {TEXT: ready.base.anchor_fingerprint, **{modality: own.fingerprint for modality, own in sides.items()}}
    conditions = Conditions(wording=ready.wording.described(), shared_view=shared_view, fingerprints=fingerprints)
    return World(sides=sides, conditions=conditions, device=ready.device)


def agreement(pairs: PairedLatents) -> dict[str, float | None]:
    """How much latents and their texts are alike before anything is fitted."""
    left, right = representatives(pairs)
    return {"mutual 10-NN": mutual_knn(left, right), "CKA": linear_cka(left, right)}
