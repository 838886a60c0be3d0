"""From pairs to latents joined with anchor vectors: read, split, encode once. Fitting, the bench and the doctor start here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from textanchor.config import DEFAULT_ANCHOR
from textanchor.data.pairs import read_pairs
from textanchor.data.readers import reader
from textanchor.data.splits import FRACTIONS, Split, split
from textanchor.data.wording import Wording
from textanchor.encoders import canonical, make_single
from textanchor.errors import InputError, ItemError, NothingUsableError
from textanchor.files import digest
from textanchor.latents.engine import contents, encode
from textanchor.latents.pairing import paired
from textanchor.latents.ray_engine import prefill
from textanchor.records import Item, PairedLatents, Pairs, Skipped, Vectors
from textanchor.runtime import settled
from textanchor.space import Space
from textanchor.space.composition import DEFAULTS, expanded
from textanchor.space.holdings import Seen
from textanchor.space.items import TEXT
from textanchor.views import unit


@dataclass(kw_only=True)
class Prepared:
    """Pairs that are read and split; latents come when they are asked for. `fingerprints` are those of the encoders used."""

    given: Pairs
    pairs: Pairs
    plans: Mapping[str, str]
    hashes: Mapping[str, str]
    split: Split
    base: Space
    encoders: Mapping[str, str]
    wording: Wording
    skipped: list[Skipped]
    absent: list[str] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    engine: str = "local"
    strict: bool = False
    progress: bool = False

    def parts(self, modality: str, sides: Sequence[str], *, tokens: bool = False) -> dict[str, PairedLatents] | None:
        """A modality's pairs on each of the sides, encoded through the cache; None if no file has such a part.

        Raises `NothingUsableError` if nothing could be read.
        """
        name = self.encoders[modality]
        encoder = make_single(name, modality, device=self.base.device, tokens=tokens)
        self.fingerprints[modality] = encoder.fingerprint
        wanted = {item for side in sides for item in getattr(self.split, side)}
        items = [item for item in self.pairs.only(modality).items if item.id in self.hashes and item.id in wanted]
        how = {"cache": self.base.cache, "device": self.base.device, "engine": self.engine}
        runtime = settled(None, {**how, "strict": self.strict, "progress": self.progress})
        prefill(items, name, modality, runtime)
        found = encode(items, encoder, runtime, known=self.hashes)
        self.skipped.extend(one for one in found.skipped if not one.absent)
        if found.skipped and all(one.absent for one in found.skipped) and not len(found.latents):
            self.absent.append(f"no {modality}: none of {len(found.skipped)} files has such a part")
            return None
        if gone := sum(one.absent for one in found.skipped):
            self.absent.append(f"{gone} files have no {modality} part")
        if not len(found.latents):
            last = self.skipped[-1] if self.skipped else Skipped(item="none", reason="no item on these sides of the split")
            raise NothingUsableError(f"no {modality} item for fitting could be read; the last: {last.item}: {last.reason}")
        texts = self.texts(modality, sides)
        anchors = embed_texts(self.base, texts, modality=modality, wording=self.wording, progress=self.progress)
        return {side: paired(self.pairs, modality, found.latents, texts, anchors, getattr(self.split, side)) for side in sides}

    @property
    def data(self) -> str:
        """One hash of what the items hold and which texts they have."""
        return digest(*(f"{self.hashes.get(pair.item.id)} {pair.text}" for pair in self.pairs.rows))

    def left_out(self) -> list[dict[str, str]]:
        """What was skipped, JSON-ready."""
        return [{"item": one.item, "reason": one.reason} for one in self.skipped]

    def texts(self, modality: str, sides: Sequence[str]) -> tuple[str, ...]:
        """Distinct texts of a modality on some sides, in order of first appearance."""
        rows = self.pairs.only(modality).rows
        return tuple(dict.fromkeys(pair.text for pair in rows if self.split.side(pair.item.id) in sides))


def prepare(
    pairs: Pairs | str | Path,
    *,
    anchor: str | None = None,
    encoders: Mapping[str, str] | None = None,
    into: Space | None = None,
    seed: int = 0,
    fractions: Sequence[float] = FRACTIONS,
    resplit: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    video: str | None = None,
    wording: Wording | None = None,
    engine: str = "local",
    strict: bool = False,
    progress: bool = False,
) -> Prepared:
    """Read and split pairs; see `fit` for the settings. Nothing is encoded yet."""
    given = pairs if isinstance(pairs, Pairs) else read_pairs(pairs)
    plans = {**DEFAULTS, **({"video": video} if video else {})}
    held = expanded(given, plans)
    names = _encoder_names(held, encoders or {})
    if into is not None and anchor is not None and canonical(anchor) != into.anchor:
        raise InputError(f"the space's anchor is {into.anchor} and never changes; leave out --anchor or fit a new space")
    hashes, unread = contents(held.items, settled(None, {"progress": progress}))
    if strict and (unread or held.skipped):
        first = (*held.skipped, *unread)[0]
        raise ItemError(first.item, first.reason)
    if not hashes:
        raise NothingUsableError(f"no item of {held.source} could be read; the first: {unread[0].item}: {unread[0].reason}")
    sides = split(held, hashes, fractions=fractions, seed=seed, ignore_predefined=resplit)
    return Prepared(
        given=given,
        pairs=held,
        plans=plans,
        hashes=hashes,
        split=sides,
        base=into or empty(anchor or DEFAULT_ANCHOR, cache=cache, device=device),
        encoders=names,
        wording=wording or Wording(),
        skipped=[*held.skipped, *unread],
        engine=engine,
        strict=strict,
        progress=progress,
    )


def check_enough(modality: str, train: PairedLatents) -> None:
    """Raises `InputError` unless the training items have two different texts: nothing is learned from one."""
    if len(train.texts) < 2:
        raise InputError(
            f"{modality}: {len(train.items)} training items with {len(train.texts)} distinct text; at least 2 texts are needed"
        )


def embed_texts(
    space: Space, texts: Sequence[str], *, modality: str = TEXT, wording: Wording | None = None, progress: bool = False
) -> Vectors:
    """The anchor's vectors of distinct texts, through the cache. *Shape:* [len(texts), d].

    With a wording, the unit mean of the unit vectors of a text's phrasings.
    """
    told = [wording.phrasings(text, modality) if wording else (text,) for text in texts]
    distinct = tuple(dict.fromkeys(phrase for one in told for phrase in one))
    items = [Item(id=phrase, modality=TEXT, value=phrase) for phrase in distinct]
    vectors = space.encoded(items, TEXT, strict=True, progress=progress).vectors
    if all(len(one) == 1 for one in told):
        place = {phrase: row for row, phrase in enumerate(distinct)}
        return vectors[[place[one[0]] for one in told]]
    rows = dict(zip(distinct, unit(vectors), strict=True))
    return unit(np.stack([np.mean([rows[phrase] for phrase in one], axis=0) for one in told]))


def empty(anchor: str, *, cache: str | Path | None, device: str) -> Space:
    """A space of an anchor and no modality yet."""
    name = canonical(anchor)
    made = make_single(name, TEXT, device=device)
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
