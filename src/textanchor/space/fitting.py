"""From pairs to a space: read, split, encode once, fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np

from textanchor.aligners import aligner as make_aligner
from textanchor.data.decoding import PART
from textanchor.data.pairs import group_key
from textanchor.data.wording import Wording
from textanchor.errors import NothingUsableError
from textanchor.progress import Silent
from textanchor.projectors import Kept
from textanchor.records import Choice, Task, Vectors
from textanchor.runtime import Reading, Runtime, SimpleSplit, Splitting, settled, settled_split
from textanchor.space.balancing import BALANCE, balanced, checked
from textanchor.space.examples import examples
from textanchor.space.fitted import Fitted
from textanchor.space.foreign import foreign
from textanchor.space.items import TEXT, as_items
from textanchor.space.keeping import Former, by_sums, checked_way, consistent, former, memory, with_former
from textanchor.space.memory import Remembered
from textanchor.space.preparing import Encoding, Prepared, Sides, check_enough, prepare
from textanchor.space.remarks import after_fit, before_fit
from textanchor.space.saved_again import Held, across, held, repeated, saved_again, seen_contents, sentence
from textanchor.space.seen import Seen
from textanchor.space.space import Space
from textanchor.space.story import Counted, Recipe, Story


def fit(
    pairs: object,
    *,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    aligner: str = "auto",
    into: Space | None = None,
    video: str | None = None,
    wording: Wording | None = None,
    shared_view: bool = False,
    balance: float = BALANCE,
    keep: str = "auto",
    reading: Reading | None = None,
    splitting: Splitting | None = None,
    runtime: Runtime | None = None,
    announce: Callable[[str], None] | None = None,
    **simple: Unpack[SimpleSplit],
) -> Space:
    """Fit a space, or add the pairs' modalities to the space `into` without touching its anchor.

    `pairs` is a table, a folder, or what else `read_pairs` takes: a data frame, a data set, a list of (item, text), (X, y).
    Only the train side is fitted, only validation selects, and the test side is not even encoded, only decoded, to tell whether
    it holds what train holds. `encoders` maps modalities to encoder names; the rest take their reader's default. Videos are
    taken apart into frames and sounds by the plan `video` (default `uniform:4+sound`), each paired with the text.
    `wording` says how texts are put into words (`textanchor.wording`); the space keeps it for its evaluations. With
    `shared_view` every view's statistics come from the texts of all modalities. Rows with only an item or only a text are
    counted, split like the rest, and given to the aligner as unpaired data.
    How pairs are read stands in the record `reading` (columns, root, globs; see `Reading`). How they are split and work is
    done stands in the records `splitting` and `runtime`, or in keywords: `seed`, `fractions`,
    `resplit`, `split_name`, `device`, `cache`, `engine`, `workers`, `offline`, `limits`, `strict`, `progress`.
    The last of the result's `stories` says the split, what was skipped and what is remarkable of the pairs and the fit
    (`remarks`, each of which `announce` is called with as soon as it is known), `modalities[...].choice` what was chosen.
    Raises `InputError`, `LeakError`, `UnknownNameError`, `MissingError` or `NothingUsableError`; with `strict` also
    `ItemError` for the first unreadable item.
    """
    fitter = make_aligner(aligner)
    encoding = Encoding(anchor=anchor, encoders=encoders or {}, video=video, wording=wording or Wording())
    split = settled_split(splitting, simple)
    ready = prepare(
        pairs, encoding, split, settled(runtime or (into.runtime if into else None), simple), into=into, reading=reading
    )
    ready = consistent(ready, checked_way(keep))
    remarks = [_announced(str(remark), announce) for remark in before_fit(ready)]
    sides = {modality: ready.sides(modality, tokens=fitter.ragged, by_names=fitter.by_names) for modality in ready.encoders}
    origins = ready.pairs.origins
    usable = {modality: balanced(one, origins, checked(balance)) for modality, one in sides.items() if one is not None}
    if not usable:
        raise NothingUsableError(f"no item of {ready.pairs.source} could be fitted: {'; '.join(ready.absent)}")
    everything = held(ready)
    again = saved_again(ready, everything)
    if across(again):
        remarks.append(_announced(f"{sentence(again)}; {_next_step(ready)}", announce))
    new: dict[str, Fitted] = {}
    memories: list[Remembered] = []
    usable = dict(ready.learnable(usable))
    old = {modality: former(ready, modality, keep) for modality in usable}
    remarks += [_announced(one.said, announce) for one in old.values() if one.said]
    all_sides = {modality: with_former(own, old[modality], origins, balance) for modality, own in usable.items()}
    for modality, task in tasks(all_sides, device=ready.device, seed=split.seed, shared_view=shared_view).items():
        check_enough(modality, task.train)
        summed = old[modality].way == "statistics"
        fitted = by_sums(ready, modality, old[modality], task, balance) if summed else fitter.fit(task)
        memories += memory(ready, modality, old[modality], usable[modality].train.joined(usable[modality].val))
        said = after_fit(modality, len(task.val.items) if task.val else 0, fitted.choice.naming)
        remarks += [_announced(str(remark), announce) for remark in said]
        new[modality] = Fitted(
            encoder=ready.encoders[modality],
            fingerprint=usable[modality].fingerprint,
            projector=Kept.of(fitted.projector),
            view=fitted.view,
            choice=with_foreign(fitted.choice, ready),
            asked=aligner,
            seed=split.seed,
            wording=ready.wording,
            examples=examples(fitted.projector, task.train, seed=split.seed),
        )
    recipe = Recipe(
        anchor=ready.base.anchor,
        encoders=ready.encoders,
        aligner=aligner,
        splitting=ready.splitting,
        video=video,
        shared_view=shared_view,
        wording=ready.wording,
    )
    composed = {name: ready.plans[name] for name in ready.given.modalities if name in ready.plans}
    story = _story(ready, usable, recipe, again, [*remarks])
    story = replace(story, notes=(*story.notes, *(note for one in old.items() if (note := _kept(*one)))))
    known = seen(ready, everything)
    return ready.base.with_modalities(new, seen=known, story=story, plans=composed, memory=memories)


def with_foreign(choice: Choice, ready: Prepared) -> Choice:
    """The choice with vectors of texts that fit nothing, beside its validation pairs."""
    if choice.unseen is None:
        return choice
    items = as_items(foreign(), TEXT)
    vectors = ready.base.embed_all(items, runtime=replace(ready.runtime, progress=Silent())).vectors
    return replace(choice, unseen=replace(choice.unseen, foreign=vectors))


def tasks(
    sides: Mapping[str, Sides], *, device: str, seed: int, shared_view: bool = False, refit: bool = True
) -> dict[str, Task]:
    """What an aligner is given of each modality; with `shared_view` the other modalities' training texts too."""
    found = {}
    for modality, own in sides.items():
        others: list[Vectors] = [one.train.anchors for name, one in sides.items() if name != modality]
        texts = np.concatenate(others) if shared_view and others else None
        found[modality] = own.task(device=device, seed=seed, refit=refit, view_texts=texts)
    return found


def _kept(modality: str, old: Former) -> str:
    """What the fit kept of what was there."""
    names = ", ".join(one.table for one in old.tables)
    return f"{modality}: {names} kept by {old.way}" if old.tables else ""


def _announced(remark: str, announce: Callable[[str], None] | None) -> str:
    if announce is not None:
        announce(remark)
    return remark


def _next_step(ready: Prepared) -> str:
    place = ready.pairs.place or "PAIRS"
    return f"give them one group: textanchor doctor {place} --merged grouped.csv, then fit grouped.csv with --resplit"


def _story(
    ready: Prepared, sides: Mapping[str, Sides], recipe: Recipe, again: Sequence[Sequence[Held]], remarks: Sequence[str]
) -> Story:
    notes = [f"{count} held-out items are others of an earlier side saved again"] if (count := repeated(again)) else []
    return Story(
        source=ready.pairs.source,
        data=ready.data,
        split=ready.split.name,
        notes=(*ready.split.notes, *ready.absent, *notes),
        counts={modality: counts(ready, modality) for modality in sides},
        skipped=tuple(ready.skipped),
        recipe=recipe,
        remarks=tuple(remarks),
    )


def counts(ready: Prepared, modality: str) -> dict[str, Counted]:
    """What each side of the split holds of a modality, with and without a partner."""
    own = ready.pairs.only(modality)
    by_side = {}
    for side in ("train", "val", "test"):
        rows = [pair for pair in own.rows if pair.item.id in getattr(ready.split, side)]
        lone = [single for single in own.singles if ready.split.single_side(single) == side]
        by_side[side] = Counted(
            items=len({pair.item.id for pair in rows}),
            texts=len({pair.text for pair in rows}),
            groups=len({pair.group or pair.item.id for pair in rows}),
            lone_items=sum(single.item is not None for single in lone),
            lone_texts=sum(single.item is None for single in lone),
        )
    return by_side


def seen(ready: Prepared, everything: Sequence[Held]) -> Seen:
    """What was fitted and selected on. Groups are remembered only where the split keeps them apart; a named exception shares
    them by definition."""
    contents: dict[str, str] = {}
    groups: dict[str, str] = {}
    rows = [(pair.item, pair.group) for pair in ready.pairs.rows]
    rows += [(single.item, single.group) for single in ready.pairs.singles if single.item is not None]
    for item, group in rows:
        side = ready.split.side(item.id)
        if side in ("train", "val"):
            content = ready.hashes[item.id]
            contents[content] = side
            if PART in content:  # the whole file is seen when a part of it is
                contents[content.partition(PART)[0]] = side
            if group and ready.split.keeps_group(item.id):
                groups[group_key(ready.pairs, group)] = side
    return Seen(contents=contents, groups=groups, decoded=seen_contents(everything))
