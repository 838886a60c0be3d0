"""What may be judged: pairs that no compared space has seen, as latents and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from textanchor.data.pairs import group_key
from textanchor.errors import InputError, LeakError
from textanchor.latents.copies import decoded_contents, whole_contents
from textanchor.latents.engine import contents
from textanchor.latents.paired_latents import paired
from textanchor.records import Item, Pair, PairedLatents, Pairs, Skipped
from textanchor.records.showing import short
from textanchor.runtime import Runtime
from textanchor.space import TEXT, Space
from textanchor.space.composition import expanded
from textanchor.space.seen import SIDES
from textanchor.space.texts import embed_texts

HELD_OUT, TRAINING = "held-out", "on training data (no evidence)"
ALL_PAIRS = "all pairs, seen ones too"

Labelled = Mapping[str, Set[str]]  # split label -> item ids


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Pairs as latents by split label and modality, their items by id, and what was left out."""

    __repr__ = short

    pairs: Mapping[str, Mapping[str, PairedLatents]]
    items: Mapping[str, Item]
    excluded: Mapping[str, int]
    skipped: tuple[Skipped, ...]


def judged(spaces: Sequence[Space], table: Pairs, runtime: Runtime, *, include_train: bool) -> Judged:
    """Encode the pairs and tell apart what any of the spaces has seen, by content and by group.

    All spaces must share the anchor and, per modality, the encoder, so that one table compares fits and nothing else.
    Raises `LeakError` if nothing unseen remains and training rows were not asked for.
    """
    modalities = _comparable(spaces, table)
    hashes, unread = contents(table.items, runtime)
    sides = {item: _seen_by_any(spaces, table, item, content) for item, content in hashes.items()}
    sides |= _saved_again(spaces, table, modalities, {item for item, side in sides.items() if not side}, hashes, runtime)
    labelled = {HELD_OUT: {item for item, side in sides.items() if not side}}
    if include_train:
        labelled[TRAINING] = {item for item, side in sides.items() if side == "train"}
    pairs, skipped = encoded(spaces[0], table, modalities, labelled, runtime, hashes=hashes)
    if not pairs[HELD_OUT] and not include_train:
        raise LeakError(
            f"all {len(hashes)} readable items were seen when the space was fitted; give other pairs, "
            "or add --include-train for rows that are labelled as no evidence"
        )
    return Judged(
        pairs=pairs,
        items={item.id: item for item in table.items},
        excluded={side: list(sides.values()).count(side) for side in ("train", "val")},
        skipped=(*table.skipped, *unread, *skipped),
    )


def _saved_again(
    spaces: Sequence[Space],
    table: Pairs,
    modalities: Sequence[str],
    unseen: Set[str],
    hashes: Mapping[str, str],
    runtime: Runtime,
) -> dict[str, str]:
    """Sides of those items that hold, once decoded, what a space has seen in other files."""
    known = [space.seen.decoded for space in spaces if space.seen.decoded]
    items = [item for item in table.items if item.id in unseen and item.modality in modalities]
    if not known or not items:
        return {}
    for modality in modalities:  # which decodes them, so that it need not be done twice
        spaces[0].encoded([item for item in items if item.modality == modality], modality, known=hashes, runtime=runtime)
    parts = expanded(
        Pairs(rows=tuple(Pair(item=item, text="") for item in items)),
        {kind: own.plan for kind, own in spaces[0].compositions.items()},
    ).items
    more, _ = contents([part for part in parts if part.id not in hashes], runtime)
    held = whole_contents(parts, decoded_contents(parts, {**hashes, **more}, runtime))
    sides = {name: max((own.get(content, "") for own in known), key=SIDES.index) for name, (content, _) in held.items()}
    return {name: side for name, side in sides.items() if side}


def all_pairs(space: Space, table: Pairs, runtime: Runtime) -> Mapping[str, PairedLatents]:
    """Every readable pair by modality, seen or not: for who fits anew inside splits of their own."""
    hashes, _ = contents(table.items, runtime)
    pairs, _ = encoded(space, table, _comparable([space], table), {ALL_PAIRS: set(hashes)}, runtime, hashes=hashes)
    return pairs[ALL_PAIRS]


def encoded(
    space: Space,
    table: Pairs,
    modalities: Sequence[str],
    labelled: Labelled,
    runtime: Runtime,
    *,
    hashes: Mapping[str, str],
) -> tuple[dict[str, dict[str, PairedLatents]], list[Skipped]]:
    """Pairs under each label by modality, those that are empty left out; and items that could not be encoded."""
    texts = tuple(dict.fromkeys(pair.text for pair in table.rows))
    pairs: dict[str, dict[str, PairedLatents]] = {label: {} for label in labelled}
    skipped: list[Skipped] = []
    for modality in modalities:
        own = table.only(modality).items
        items = [item for ids in labelled.values() for item in own if item.id in ids]
        if not items:
            continue
        anchors = embed_texts(space, texts, modality=modality, wording=space.wording(modality), runtime=runtime)
        latents = space.encoded(items, modality, known=hashes, runtime=runtime)
        skipped += latents.skipped
        for label, ids in labelled.items():
            readable = ids & set(latents.latents.ids)
            if readable:
                pairs[label][modality] = paired(table, modality, latents.latents, texts, anchors, readable)
    return pairs, skipped


def _comparable(spaces: Sequence[Space], table: Pairs) -> list[str]:
    """Modalities of the table that all spaces know. Raises `InputError` for none, or for spaces that do not go together."""
    first = spaces[0]
    modalities = [name for name in table.modalities if all(name in space.kinds for space in spaces)]
    if not modalities:
        raise InputError(f"the pairs hold {', '.join(table.modalities)}; the space has {', '.join(first.kinds)}")
    for space in spaces[1:]:
        if not all(_same_encoder(space, first, name) for name in (TEXT, *modalities)):
            raise InputError("compared spaces must have one anchor and the same encoders; fit them so, or evaluate one by one")
        if any(space.wording(name) != first.wording(name) for name in modalities):
            raise InputError("compared spaces must word their texts alike (--template, --synonyms); evaluate them one by one")
    return modalities


def _same_encoder(one: Space, other: Space, modality: str) -> bool:
    """By what the spaces say, or by the encoders themselves: an old space may hold a former fingerprint of the same weights."""
    if one.latent_fingerprint(modality) == other.latent_fingerprint(modality):
        return True
    mine, others = one.compositions.get(modality), other.compositions.get(modality)
    if mine is None and others is None:
        return one.encoder(modality).fingerprint == other.encoder(modality).fingerprint
    if mine is None or others is None or mine.parts != others.parts:
        return False
    return all(_same_encoder(one, other, kind) for kind in mine.kinds)


def _seen_by_any(spaces: Sequence[Space], table: Pairs, item: str, content: str) -> str:
    """ "train", "val" or "" for an item, by any of the spaces and any of its groups; training wins."""
    return max((seen(space, table, content, table.groups.get(item, ())) for space in spaces), key=SIDES.index)


def seen(space: Space, table: Pairs, content: str, groups: Sequence[str]) -> str:
    """ "train", "val" or "" for what has a content hash and groups of this table."""
    return space.seen.side(content, [group_key(table, group) for group in groups], groups)
