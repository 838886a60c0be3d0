"""A space from loose items and loose texts: nobody says which belong together, their structure does or does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textanchor.aligners import Aligner, aligner
from textanchor.data.pairs import read_loose
from textanchor.data.splits import Split
from textanchor.errors import AbstainedError, InputError, ItemError, NothingUsableError
from textanchor.latents.engine import contents
from textanchor.projectors import Kept
from textanchor.records import Pairs, Setting
from textanchor.records.items import first_of
from textanchor.runtime import Reading, Runtime, Splitting
from textanchor.space.composition import DEFAULTS, expanded
from textanchor.space.fitted import Fitted
from textanchor.space.fitting import counts, seen
from textanchor.space.preparing import Encoding, Prepared, Sides, base_of, encoder_names
from textanchor.space.saved_again import held
from textanchor.space.space import Space
from textanchor.space.story import Recipe, Story

STRUCTURE, NOTHING = "structure", "nothing to split"


def from_structure(data: object, by: str, encoding: Encoding, *, seed: int, reading: Reading | None, runtime: Runtime) -> Space:
    """What `start(by="structure")` does: rows that a split puts on another side than train are left alone.

    Raises `AbstainedError` with the modality whose structure is not enough.
    """
    fitter = aligner(by)
    if data is None:
        raise InputError(f"by={by} needs data: a table whose rows have an item without a text, or a text without an item")
    ready = _prepared(read_loose(data, reading=reading), encoding, seed, runtime)
    found = {modality: ready.sides(modality, by_names=False) for modality in ready.encoders}
    sides = {modality: one for modality, one in found.items() if one is not None}
    if not sides:
        raise NothingUsableError(f"no item of {ready.given.source} could be encoded: {'; '.join(ready.absent)}")
    new = {modality: _fitted(fitter, by, modality, one, ready) for modality, one in sides.items()}
    return ready.base.with_modalities(new, seen=seen(ready, held(ready)), story=_story(ready, new, by))


def _prepared(given: Pairs, encoding: Encoding, seed: int, runtime: Runtime) -> Prepared:
    """Everything on train that no split keeps from it; nothing is encoded yet. Raises `ItemError` where that is strict."""
    singles = tuple(single for single in given.singles if single.split in (None, "train"))
    plans = {**DEFAULTS, **({"video": encoding.video} if encoding.video else {})}
    pairs = expanded(replace(given, singles=singles), plans)
    hashes, unread = contents(pairs.lone_items, runtime)
    if runtime.strict and (bad := (*pairs.skipped, *unread)):
        raise ItemError(bad[0].item, bad[0].reason)
    if not hashes:
        raise NothingUsableError(f"no item of {given.source} could be read{first_of(unread)}")
    modalities = tuple(dict.fromkeys(item.modality for item in pairs.lone_items if item.id in hashes))
    none: frozenset[str] = frozenset()
    return Prepared(
        given=given,
        pairs=pairs,
        plans=plans,
        hashes=hashes,
        split=Split(
            train=frozenset(hashes), val=none, test=none, name=NOTHING, lone_texts=dict.fromkeys(pairs.lone_texts, "train")
        ),
        base=base_of(encoding.anchor, runtime),
        encoders=encoder_names(modalities, encoding.encoders),
        wording=encoding.wording,
        splitting=Splitting(seed=seed),
        runtime=runtime,
        skipped=[*pairs.skipped, *unread],
    )


def _fitted(fitter: Aligner, by: str, modality: str, sides: Sides, ready: Prepared) -> Fitted:
    seed = ready.splitting.seed
    try:
        fit = fitter.fit(sides.task(device=ready.device, seed=seed))
    except AbstainedError as why:
        raise AbstainedError(f"{modality}: {why}") from None
    return Fitted(
        encoder=ready.encoders[modality],
        fingerprint=sides.fingerprint,
        projector=Kept.of(fit.projector),
        view=fit.view,
        choice=replace(fit.choice, chosen_on="nothing"),
        asked=by,
        seed=seed,
        wording=ready.wording,
    )


def _story(ready: Prepared, new: Mapping[str, Fitted], by: str) -> Story:
    return Story(
        source=ready.given.source,
        data=ready.data,
        split=ready.split.name,
        notes=("no pair was seen", *ready.absent),
        counts={modality: counts(ready, modality) for modality in new},
        skipped=tuple(ready.skipped),
        recipe=Recipe(anchor=ready.base.anchor, encoders=ready.encoders, aligner=by, splitting=ready.splitting),
        remarks=tuple(_remark(modality, fitted.choice.notes) for modality, fitted in new.items()),
    )


def _remark(modality: str, notes: Mapping[str, Setting]) -> str:
    return (
        f"{modality}: no pair was seen; answers of restarts agree to {notes['agreement']} (by chance "
        f"{notes['agreement by chance']}), which is necessary and not sufficient: measure it with pairs before you trust it"
    )
