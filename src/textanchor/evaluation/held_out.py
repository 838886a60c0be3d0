"""What may be judged: pairs that no compared space has seen, as latents and vectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from textanchor.errors import InputError, LeakError
from textanchor.latents.engine import contents
from textanchor.latents.pairing import paired
from textanchor.records import Item, PairedLatents, Pairs, Skipped
from textanchor.runtime import settled
from textanchor.space import Space
from textanchor.space.preparing import embed_texts

HELD_OUT, TRAINING = "held-out", "on training data (no evidence)"
ALL_PAIRS = "all pairs, seen ones too"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The pairs' latents by split label and modality, their items, and what was left out."""

    parts: Mapping[str, Mapping[str, PairedLatents]]
    items: Mapping[str, Item]
    excluded: Mapping[str, int]
    skipped: tuple[Skipped, ...]


def judged(spaces: Collection[Space], pairs: Pairs, *, include_train: bool, progress: bool, for_refit: bool = False) -> Judged:
    """Encode the pairs and tell apart what any of the spaces has seen, by content and by group.

    `for_refit` calls everything held out: the caller fits a projector of its own inside each of its splits.

    All spaces must share the anchor and, per modality, the encoder, so that one table compares fits and nothing else.
    Raises `LeakError` if nothing unseen remains and training rows were not asked for.
    """
    first = next(iter(spaces))
    modalities = [name for name in pairs.modalities if all(name in space.kinds for space in spaces)]
    if not modalities:
        raise InputError(f"the pairs hold {', '.join(pairs.modalities)}; the space has {', '.join(first.kinds)}")
    for space in spaces:
        same = all(space.latent_fingerprint(name) == first.latent_fingerprint(name) for name in modalities)
        if space.anchor_fingerprint != first.anchor_fingerprint or not same:
            raise InputError("compared spaces must have one anchor and the same encoders; fit them so, or evaluate one by one")
        if space.wording != first.wording:
            raise InputError("compared spaces must word their texts alike (--template, --synonyms); evaluate them one by one")
    hashes, unread = contents(pairs.items, settled(None, {"progress": progress}))
    sides = {item: "" if for_refit else _seen(spaces, pairs, hashes, item) for item in hashes}
    wanted = {HELD_OUT: {item for item, side in sides.items() if not side}}
    if include_train:
        wanted[TRAINING] = {item for item, side in sides.items() if side == "train"}
    texts = tuple(dict.fromkeys(pair.text for pair in pairs.rows))
    parts: dict[str, dict[str, PairedLatents]] = {label: {} for label in wanted}
    skipped = [*pairs.skipped, *unread]
    for modality in modalities:
        inside = {label: [i for i in pairs.only(modality).items if i.id in ids] for label, ids in wanted.items()}
        items = [item for held in inside.values() for item in held]
        if not items:
            continue
        anchors = embed_texts(first, texts, modality=modality, wording=first.wording, progress=progress)
        found = first.encoded(items, modality, known=hashes, progress=progress)
        skipped.extend(found.skipped)
        readable = set(found.latents.ids)
        for label, ids in wanted.items():
            if ids & readable:
                parts[label][modality] = paired(pairs, modality, found.latents, texts, anchors, ids & readable)
    if not parts[HELD_OUT] and not include_train:
        raise LeakError(
            f"all {len(hashes)} readable items were seen when the space was fitted; give other pairs, "
            "or add --include-train for rows that are labelled as no evidence"
        )
    excluded = {side: sum(held == side for held in sides.values()) for side in ("train", "val")}
    return Judged(parts=parts, items={i.id: i for i in pairs.items}, excluded=excluded, skipped=tuple(skipped))


def _seen(spaces: Collection[Space], pairs: Pairs, hashes: Mapping[str, str], item: str) -> str:
    """ "train", "val" or "" for an item, by any of the spaces; training wins."""
    groups = pairs.groups.get(item, ())
    sides = {space.seen.contents.get(hashes[item], "") for space in spaces}
    sides |= {space.seen.groups.get(group, "") for space in spaces for group in groups}
    return max(sides, key=("", "val", "train").index)
