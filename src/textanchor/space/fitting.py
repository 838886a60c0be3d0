"""From pairs to a space: read, split, encode once, fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from textanchor.aligners import aligner as make_aligner
from textanchor.config import DEFAULT_ANCHOR, provenance
from textanchor.data.contents import PART
from textanchor.data.pairs import read_pairs
from textanchor.data.readers import reader
from textanchor.data.splits import FRACTIONS, Split, split
from textanchor.encoders import canonical
from textanchor.encoders import make_single as make
from textanchor.errors import InputError, ItemError, NothingUsableError
from textanchor.files import digest
from textanchor.latents.engine import contents, encode
from textanchor.latents.pairing import paired
from textanchor.latents.ray_engine import prefill
from textanchor.records import Item, PairedLatents, Pairs, Unpaired, Vectors
from textanchor.space import Space
from textanchor.space.composition import DEFAULTS, expanded
from textanchor.space.holdings import Fitted, Seen
from textanchor.space.items import TEXT


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
    engine: str = "local",
    strict: bool = False,
    progress: bool = False,
) -> Space:
    """Fit a space, or add the pairs' modalities to the space `into` without touching its anchor.

    `pairs` is a table, a folder or `read_pairs`' result. Only the train side is fitted, only validation selects, and the test
    side is not even encoded. `encoders` maps modalities to encoder names; the rest take their reader's default.
    Videos are taken apart into frames and sounds by the plan `video` (default `uniform:4+sound`), each paired with the text.
    `engine="ray"` encodes with Ray's workers; the result is the same.
    The result's `provenance["fit"]` says the split, what was skipped and what each modality's aligner chose.
    Raises `InputError`, `LeakError`, `UnknownNameError`, `MissingError` or `NothingUsableError`; with `strict` also
    `ItemError` for the first unreadable item.
    """
    given = pairs if isinstance(pairs, Pairs) else read_pairs(pairs)
    plans = {**DEFAULTS, **({"video": video} if video else {})}
    held = expanded(given, plans)
    chosen = _encoder_names(held, encoders or {})
    fitter = make_aligner(aligner)
    if into is not None and anchor is not None and canonical(anchor) != into.anchor:
        raise InputError(f"the space's anchor is {into.anchor} and never changes; leave out --anchor or fit a new space")
    hashes, unread = contents(held.items, progress=progress)
    if strict and (unread or held.skipped):
        first = (*held.skipped, *unread)[0]
        raise ItemError(first.item, first.reason)
    if not hashes:
        raise NothingUsableError(f"no item of {held.source} could be read; the first: {unread[0].item}: {unread[0].reason}")
    sides = split(held, hashes, fractions=fractions, seed=seed, ignore_predefined=resplit)
    base = into or _empty(anchor or DEFAULT_ANCHOR, cache=cache, device=device)
    texts = tuple(dict.fromkeys(pair.text for pair in held.rows if sides.side(pair.item.id) in ("train", "val")))
    anchors = embed_texts(base, texts, progress=progress)
    new, skipped, counts = {}, [*held.skipped, *unread], {}
    absent: list[str] = []
    for modality, name in chosen.items():
        encoder = make(name, modality, device=device)
        items = [item for item in held.only(modality).items if item.id in hashes and item.id in sides.train | sides.val]
        prefill(items, name, modality, engine=engine, cache=base.cache, device=device, progress=progress)
        found = encode(items, encoder, cache=base.cache, known=hashes, strict=strict, progress=progress)
        skipped.extend(one for one in found.skipped if not one.absent)
        if found.skipped and all(one.absent for one in found.skipped) and not len(found.latents):
            absent.append(f"no {modality}: none of {len(found.skipped)} files has such a part")
            continue
        if gone := sum(one.absent for one in found.skipped):
            absent.append(f"{gone} files have no {modality} part")
        if not len(found.latents):
            last = skipped[-1]
            raise NothingUsableError(f"no {modality} item for fitting could be read; the last: {last.item}: {last.reason}")
        train, val = (paired(held, modality, found.latents, texts, anchors, ids) for ids in (sides.train, sides.val))
        _enough(modality, train)
        done = fitter.fit(train, val if len(val.items) else None, Unpaired(), seed=seed)
        report = {"asked": aligner, "seed": seed, **done.report}
        new[modality] = Fitted(
            encoder=name, fingerprint=encoder.fingerprint, projector=done.projector, view=done.view, report=report
        )
        counts[modality] = _counts(held, sides, modality)
    if not new:
        raise NothingUsableError(f"no item of {held.source} could be fitted: {'; '.join(absent)}")
    story = {
        "source": held.source,
        "data": digest(*(f"{hashes.get(pair.item.id)} {pair.text}" for pair in held.rows)),
        "split": sides.name,
        "notes": [*sides.notes, *absent],
        "counts": counts,
        "skipped": [{"item": one.item, "reason": one.reason} for one in skipped],
    }
    settings = provenance(
        anchor=base.anchor, encoders=chosen, aligner=aligner, seed=seed, fractions=list(fractions), resplit=resplit
    )
    seen = _seen(held, hashes, sides)
    composed = {name: plans[name] for name in given.modalities if name in plans}
    return base.with_modalities(new, seen=seen, provenance={"fit": story, **settings}, compositions=composed)


def embed_texts(space: Space, texts: Sequence[str], *, progress: bool = False) -> Vectors:
    """The anchor's vectors of distinct texts, through the cache. *Shape:* [len(texts), d]."""
    items = [Item(id=text, modality=TEXT, value=text) for text in texts]
    return space.encoded(items, TEXT, strict=True, progress=progress).latents.vectors


def _empty(anchor: str, *, cache: str | Path | None, device: str) -> Space:
    name = canonical(anchor)
    made = make(name, TEXT, device=device)
    space = Space(
        anchor=name,
        anchor_fingerprint=made.fingerprint,
        modalities={},
        seen=Seen(),
        provenance={},
        cache=cache,
        device=device,
    )
    space.adopt(TEXT, made)
    return space


def _encoder_names(pairs: Pairs, told: Mapping[str, str]) -> dict[str, str]:
    for modality in told:
        if modality not in pairs.modalities:
            raise InputError(f"--encoder {modality}=...: the pairs hold {', '.join(pairs.modalities)}, no {modality}")
    return {name: canonical(told.get(name) or reader(name).default_encoder) for name in pairs.modalities}


def _enough(modality: str, train: PairedLatents) -> None:
    if len(train.texts) < 2:
        raise InputError(
            f"{modality}: {len(train.items)} training items with {len(train.texts)} distinct text; at least 2 texts are needed"
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
