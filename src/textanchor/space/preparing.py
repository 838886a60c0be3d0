"""From pairs to latents joined with anchor vectors: read, split, encode once. Fitting, the bench and the doctor start here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from textanchor import registry
from textanchor.config import DEFAULT_ANCHOR
from textanchor.data.enough import with_enough
from textanchor.data.joining import read_tables
from textanchor.data.pairs import group_key
from textanchor.data.readers import reader
from textanchor.data.splits import Split, split
from textanchor.data.wording import Wording
from textanchor.encoders import canonical, head_of, make_single, pick_device, suited
from textanchor.errors import InputError, ItemError, NothingUsableError
from textanchor.files import digest
from textanchor.latents.engine import contents, encode
from textanchor.latents.paired_latents import paired, unpaired
from textanchor.latents.ray_engine import prefill
from textanchor.records import Head, Item, Latents, Named, PairedLatents, Pairs, Skipped, Task, Unpaired, Vectors
from textanchor.runtime import Reading, Runtime, Splitting
from textanchor.space.composition import DEFAULTS, expanded
from textanchor.space.items import TEXT
from textanchor.space.names import named
from textanchor.space.space import Space
from textanchor.space.texts import embed_texts


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What turns items and texts into latents: the anchor, encoders by modality, the parts of videos, the texts' wording.

    What is not named is the default: the installed anchor, each reader's own encoder, `uniform:4+sound`.
    """

    anchor: str | None = None
    encoders: Mapping[str, str] = field(default_factory=dict)
    video: str | None = None
    wording: Wording = field(default_factory=Wording)


@dataclass(frozen=True, kw_only=True)
class Sides:
    """One modality's pairs on the sides of a split that were asked for, and what has no partner beside train."""

    pairs: Mapping[str, PairedLatents]
    unpaired: Unpaired = field(default_factory=Unpaired)
    named: Named | None = None
    fingerprint: str = ""

    @property
    def train(self) -> PairedLatents:
        """What is fitted."""
        return self.pairs["train"]

    @property
    def val(self) -> PairedLatents:
        """What chooses; it may be empty."""
        return self.pairs["val"]

    def task(self, *, device: str, seed: int, refit: bool = True, view_texts: Vectors | None = None) -> Task:
        """What an aligner is given."""
        val = self.val if len(self.val.items) else None
        return Task(
            train=self.train,
            val=val,
            unpaired=self.unpaired,
            named=self.named,
            view_texts=view_texts,
            device=device,
            seed=seed,
            refit=refit,
        )


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Pairs that are read, hashed and split; latents come when they are asked for.

    `given` are the pairs as read, `pairs` those with videos taken apart; `skipped` and `absent` grow as items are encoded.
    """

    given: Pairs
    pairs: Pairs
    plans: Mapping[str, str]
    hashes: Mapping[str, str]
    split: Split
    base: Space
    encoders: Mapping[str, str]
    wording: Wording
    splitting: Splitting
    runtime: Runtime
    skipped: list[Skipped] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def device(self) -> str:
        """Where gradient training runs."""
        return pick_device(self.runtime.device)

    @property
    def data(self) -> str:
        """One hash of what the items hold and which texts they have."""
        rows = [f"{self.hashes.get(pair.item.id)} {pair.text}" for pair in self.pairs.rows]
        for single in self.pairs.singles:
            content = self.hashes.get(single.item.id) if single.item is not None else None
            rows.append(f"single {content} {single.text}")
        return digest(*rows)

    def group_keys(self, item: str) -> tuple[str, ...]:
        """The groups of an item, with the table that they belong to."""
        return tuple(group_key(self.pairs, group) for group in self.pairs.groups.get(item, ()))

    def with_encoding(self, encoding: Encoding) -> Prepared:
        """The same pairs, hashes and split with another anchor or other encoders; an anchor that is there stays loaded."""
        same = canonical(encoding.anchor or DEFAULT_ANCHOR) == self.base.anchor
        return replace(
            self,
            base=self.base if same else base_of(encoding.anchor, self.runtime),
            encoders=encoder_names(self.pairs.modalities, encoding.encoders),
            wording=encoding.wording,
            skipped=list(self.skipped),
            absent=list(self.absent),
        )

    def sides(
        self, modality: str, names: Sequence[str] = ("train", "val"), *, tokens: bool = False, by_names: bool = True
    ) -> Sides | None:
        """A modality's pairs on each of the sides, encoded through the cache; None if no file has such a part.

        Without `by_names` nobody asks what the encoder's classifier knows.
        Raises `NothingUsableError` if nothing could be read.
        """
        encoder = make_single(self.encoders[modality], modality, self.runtime, tokens=tokens)
        items = self.items(modality, names)
        prefill(items, self.encoders[modality], modality, self.runtime)
        encoded = encode(items, encoder, self.runtime, known=self.hashes)
        if not self.noted(modality, encoded.skipped, len(encoded.latents)):
            return None
        return self.joined(modality, names, encoded.latents, head=head_of(encoder) if by_names else None)

    def joined(self, modality: str, names: Sequence[str], latents: Latents, *, head: Head | None = None) -> Sides:
        """Latents of a modality's items on some sides, joined with their texts, and what the encoder's classifier knows."""
        texts = self.texts(modality, names)
        anchors = self.embed_texts(texts, modality)
        sides = {side: paired(self.pairs, modality, latents, texts, anchors, getattr(self.split, side)) for side in names}
        return Sides(
            pairs=sides,
            unpaired=self._unpaired(modality, latents),
            named=None if head is None else named(self.base, head, modality, self.runtime),
            fingerprint=latents.fingerprint,
        )

    def learnable(self, sides: Mapping[str, Sides]) -> Mapping[str, Sides]:
        """The modalities whose training items have two texts, if there is one; the others are noted and left out."""
        kept = {modality: one for modality, one in sides.items() if len(one.train.texts) > 1}
        if not kept:
            return sides
        for modality in sides.keys() - kept.keys():
            self.absent.append(f"{modality} is left out: its training items have one text, at least 2 are needed")
        return kept

    def items(self, modality: str, names: Sequence[str]) -> list[Item]:
        """Readable items of a modality on some sides; on train those without a text too."""
        wanted = {item for side in names for item in getattr(self.split, side)}
        own = self.pairs.only(modality)
        items = [item for item in own.items if item.id in self.hashes and item.id in wanted]
        if "train" in names:
            items += [item for item in own.lone_items if item.id in self.hashes and item.id in self.split.train]
        return items

    def texts(self, modality: str, names: Sequence[str]) -> tuple[str, ...]:
        """Distinct texts of a modality on some sides, in order of first appearance."""
        rows = self.pairs.only(modality).rows
        return tuple(dict.fromkeys(pair.text for pair in rows if self.split.side(pair.item.id) in names))

    def embed_texts(self, texts: Sequence[str], modality: str) -> Vectors:
        """Anchor vectors of texts, in the words in which they are compared with a modality."""
        return embed_texts(self.base, texts, modality=modality, wording=self.wording, runtime=self.runtime)

    def _unpaired(self, modality: str, latents: Latents) -> Unpaired:
        lone = unpaired(self.pairs, modality, latents, self.split)
        return replace(lone, anchors=self.embed_texts(lone.texts, modality)) if lone.texts else lone

    def noted(self, modality: str, skipped: Sequence[Skipped], count: int) -> bool:
        """Keep what was left out; False if no file has such a part. Raises `NothingUsableError` if nothing could be read."""
        self.skipped.extend(one for one in skipped if not one.absent)
        absent = sum(one.absent for one in skipped)
        if skipped and absent == len(skipped) and not count:
            self.absent.append(f"no {modality}: none of {absent} files has such a part")
            return False
        if absent:
            self.absent.append(f"{absent} files have no {modality} part")
        if not count and len(self.encoders) > 1:
            self.absent.append(f"{modality} is left out: none of its {len(skipped)} items could be read")
            return False
        if not count:
            last = self.skipped[-1] if self.skipped else Skipped(item="none", reason="no item on these sides of the split")
            raise NothingUsableError(f"no {modality} item for fitting could be read; the last: {last.item}: {last.reason}")
        return True


def prepare(
    pairs: object,
    encoding: Encoding,
    splitting: Splitting,
    runtime: Runtime,
    *,
    into: Space | None = None,
    reading: Reading | None = None,
) -> Prepared:
    """Read, hash and split pairs; see `fit` for the settings. Nothing is encoded yet."""
    given = read_tables(pairs, split_name=splitting.name, reading=reading)
    plans = {**DEFAULTS, **({"video": encoding.video} if encoding.video else {})}
    taken_apart = expanded(given, plans)
    encoders = encoder_names(taken_apart.modalities, encoding.encoders, into)
    anchor = encoding.anchor
    if into is not None and anchor is not None and canonical(anchor) != into.anchor:
        raise InputError(f"the space's anchor is {into.anchor} and never changes; leave out --anchor or fit a new space")
    hashes, unread = contents([*taken_apart.items, *taken_apart.lone_items], runtime)
    if runtime.strict and (unread or taken_apart.skipped):
        first = (*taken_apart.skipped, *unread)[0]
        raise ItemError(first.item, first.reason)
    if not hashes:
        raise NothingUsableError(
            f"no item of {taken_apart.source} could be read; the first: {unread[0].item}: {unread[0].reason}"
        )
    taken_apart, lacking = with_enough(taken_apart, hashes, splitting)
    encoders = {name: spec for name, spec in encoders.items() if name in taken_apart.modalities}
    return Prepared(
        given=given,
        pairs=taken_apart,
        plans=plans,
        hashes=hashes,
        split=split(taken_apart, hashes, splitting),
        base=into or base_of(anchor, runtime),
        encoders=encoders,
        wording=encoding.wording,
        splitting=replace(splitting, name=given.split_name),
        runtime=runtime,
        skipped=[*taken_apart.skipped, *unread],
        absent=[*lacking],
    )


def check_enough(modality: str, train: PairedLatents) -> None:
    """Raises `InputError` unless the training items have two different texts: nothing is learned from one."""
    if len(train.texts) < 2:
        raise InputError(
            f"{modality}: {len(train.items)} training items with {len(train.texts)} distinct text; at least 2 texts are needed"
        )


def base_of(anchor: str | None, runtime: Runtime) -> Space:
    """A space of an anchor and no modality yet."""
    name = canonical(anchor or DEFAULT_ANCHOR)
    encoder = make_single(name, TEXT, runtime)
    space = Space(anchor=name, anchor_fingerprint=encoder.fingerprint, modalities={}, runtime=runtime)
    space.adopt(TEXT, encoder)
    return space


def encoder_names(modalities: Sequence[str], told: Mapping[str, str], into: Space | None = None) -> dict[str, str]:
    """What was said; else what the space that is added to has for a modality; else its reader's default.

    Raises `InputError` for an encoder of a modality that is not there, or that does not suit its own.
    """
    for modality in told:
        if modality not in modalities:
            raise InputError(f"--encoder {modality}=...: the pairs hold {', '.join(modalities)}, no {modality}")
        suited(told[modality], modality)
    there = {} if into is None else {name: fitted.encoder for name, fitted in into.modalities.items()}
    return {name: canonical(told.get(name) or there.get(name) or default_encoder(name)) for name in modalities}


def default_encoder(modality: str) -> str:
    """The encoder of a modality that nobody named. Raises `InputError` where no reader says."""
    if modality in registry.names("reader"):
        return reader(modality).default_encoder
    raise InputError(
        f"{modality} has no reader, so nothing says what encodes it; name its encoder, such as "
        f"{modality}=vectors@dim=<length> for vectors made elsewhere"
    )
