"""From pairs to a space: read, split, encode once, fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textanchor.aligners import aligner as make_aligner
from textanchor.config import provenance
from textanchor.data.contents import PART
from textanchor.data.splits import FRACTIONS, Split
from textanchor.data.wording import Wording
from textanchor.errors import NothingUsableError
from textanchor.records import Pairs, Task
from textanchor.space import Space
from textanchor.space.holdings import Fitted, Seen
from textanchor.space.preparing import check_enough, prepare


def fit(
    pairs: Pairs | str | Path,
    *,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    aligner: str = "auto",
    into: Space | None = None,
    seed: int = 0,
    fractions: Sequence[float] = FRACTIONS,
    resplit: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    video: str | None = None,
    wording: Wording | None = None,
    shared_view: bool = False,
    engine: str = "local",
    strict: bool = False,
    progress: bool = False,
) -> Space:
    """Fit a space, or add the pairs' modalities to the space `into` without touching its anchor.

    `pairs` is a table, a folder or `read_pairs`' result. Only the train side is fitted, only validation selects, and the test
    side is not even encoded. `encoders` maps modalities to encoder names; the rest take their reader's default.
    Videos are taken apart into frames and sounds by the plan `video` (default `uniform:4+sound`), each paired with the text.
    `wording` says how texts are put into words (`textanchor.wording`); the space keeps it for its evaluations. With
    `shared_view` every view's statistics come from the texts of all modalities. `engine="ray"` encodes with Ray's workers; the
    result is the same.
    The result's `provenance["fit"]` says the split, what was skipped and what each modality's aligner chose.
    Raises `InputError`, `LeakError`, `UnknownNameError`, `MissingError` or `NothingUsableError`; with `strict` also
    `ItemError` for the first unreadable item.
    """
    fitter = make_aligner(aligner)
    ready = prepare(
        pairs,
        anchor=anchor,
        encoders=encoders,
        into=into,
        seed=seed,
        fractions=fractions,
        resplit=resplit,
        cache=cache,
        device=device,
        video=video,
        wording=wording,
        engine=engine,
        strict=strict,
        progress=progress,
    )
    held, base = ready.pairs, ready.base
    parts = {modality: ready.parts(modality, ("train", "val"), tokens=fitter.ragged) for modality in ready.encoders}
    new, counts = {}, {}
    for modality, sides in parts.items():
        if sides is None:
            continue
        train, val = sides["train"], sides["val"]
        check_enough(modality, train)
        others = [one["train"].anchors for name, one in parts.items() if one is not None and name != modality]
        view_texts = np.concatenate(others) if shared_view and others else None
        done = fitter.fit(Task(train=train, val=val if len(val.items) else None, view_texts=view_texts, seed=seed))
        new[modality] = Fitted(
            encoder=ready.encoders[modality],
            fingerprint=ready.fingerprints[modality],
            projector=done.projector,
            view=done.view,
            report={"asked": aligner, "seed": seed, **done.choice.described()},
        )
        counts[modality] = _counts(held, ready.split, modality)
    if not new:
        raise NothingUsableError(f"no item of {held.source} could be fitted: {'; '.join(ready.absent)}")
    story = {
        "source": held.source,
        "data": ready.data,
        "split": ready.split.name,
        "notes": [*ready.split.notes, *ready.absent],
        "counts": counts,
        "skipped": ready.left_out(),
    }
    settings = provenance(
        anchor=base.anchor,
        encoders=dict(ready.encoders),
        aligner=aligner,
        seed=seed,
        fractions=list(fractions),
        resplit=resplit,
        shared_view=shared_view,
        split_name=held.split_name,
        video=video,
        wording=ready.wording.described(),
    )
    composed = {name: ready.plans[name] for name in ready.given.modalities if name in ready.plans}
    return base.with_modalities(
        new,
        seen=_seen(held, ready.hashes, ready.split),
        provenance={"fit": story, **settings},
        compositions=composed,
        wording=ready.wording,
    )


def _counts(pairs: Pairs, sides: Split, modality: str) -> dict[str, dict[str, int]]:
    rows = pairs.only(modality).rows
    return {
        side: {
            "items": len({pair.item.id for pair in rows if pair.item.id in ids}),
            "texts": len({pair.text for pair in rows if pair.item.id in ids}),
            "groups": len({pair.group or pair.item.id for pair in rows if pair.item.id in ids}),
        }
        for side, ids in (("train", sides.train), ("val", sides.val), ("test", sides.test))
    }


def _seen(pairs: Pairs, hashes: Mapping[str, str], sides: Split) -> Seen:
    """Groups are remembered only where the split keeps them apart; a named exception shares them by definition."""
    contents_: dict[str, str] = {}
    groups: dict[str, str] = {}
    for pair in pairs.rows:
        side = sides.side(pair.item.id)
        if side in ("train", "val"):
            content = hashes[pair.item.id]
            contents_[content] = side
            if PART in content:  # the whole file is seen when a part of it is
                contents_[content.partition(PART)[0]] = side
            if pair.group and not sides.shares_groups:
                groups[pair.group] = side
    return Seen(contents=contents_, groups=groups)
