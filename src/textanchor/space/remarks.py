"""What a careful colleague would say of pairs and of a fit, each in one line; `fit` and the doctor say the same."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from textanchor.data.decoding import decode
from textanchor.data.sources import own_table
from textanchor.data.wording import class_name
from textanchor.encoders import Encoder, Tokenizing, parse
from textanchor.errors import ItemError
from textanchor.records import Item, Naming, Pair, Pairs
from textanchor.runtime import Limits
from textanchor.space.items import TEXT
from textanchor.space.languages import foreign
from textanchor.space.preparing import Prepared

FEW = 20  # validation items from which a figure is more than a guess
NUMBERS = 0.2  # share of the labels that are bare numbers
SEVERAL = 0.2  # share of items under several labels from which these are tags and no contradictions
READ = 3000  # texts that are looked at, at most
MULTILINGUAL = "intfloat/multilingual-e5-small"
SMALL, LOOKED_AT = 40, 9  # pixels of the shorter side; pictures
FLOORS: Mapping[str, tuple[str, str]] = {
    "image": ("which does for digits and icons", "image=efficientnet-lite0"),
    "audio": ("which does for single spoken words and tones", "audio=hub:laion/larger_clap_general"),
}
_NUMBER = re.compile(r"(?:(?:class|label|category|cluster|target|id|n) ?)?[-+]?\d+(?:[.,]\d+)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One line about a modality, or about the table where none is named."""

    topic: str
    text: str
    modality: str = ""

    def __str__(self) -> str:
        return f"{self.modality}: {self.text}" if self.modality else self.text


def before_fit(ready: Prepared) -> list[Remark]:
    """What can be said before anything is encoded; a line that is true of several modalities stands once."""
    found = [*underscores(ready.given), *nested_folders(ready.given)]
    for modality in ready.encoders:
        rows = ready.pairs.only(modality).rows
        texts = tuple(dict.fromkeys(pair.text for pair in rows))
        own = [*floor(modality, ready.encoders[modality]), *small_pictures(ready, modality)]
        if are_classes(rows):
            own += [*copies(rows, ready.hashes), *bare_numbers(texts)]
        own += [*about_texts(ready, modality, texts), *long_documents(ready, modality)]
        found += [replace(remark, modality=modality) for remark in own]
    merged: dict[str, Remark] = {}
    for remark in found:
        known = merged.get(remark.text)
        merged[remark.text] = replace(known, modality=f"{known.modality}, {remark.modality}") if known else remark
    return list(merged.values())


def after_fit(modality: str, items: int, naming: Naming | None) -> Iterator[Remark]:
    """What validation says: whether it is too small, and whether the fit stands out from chance."""
    if items < FEW:
        count = "one item judges" if items == 1 else f"{items or 'no'} items judge"
        yield Remark(topic="validation", text=f"{count} on validation: any figure of so few is a guess", modality=modality)
    if naming is not None and at_chance(naming):
        shown = f"R@1 {naming.recall:.3f} [{naming.low:.3f}, {naming.high:.3f}] of {naming.items} items"
        text = f"validation cannot be told from chance: {shown}, and the largest class alone reaches {naming.largest_class:.3f}"
        yield Remark(topic="validation", text=f"{text}; look at the texts, and at another encoder", modality=modality)


def at_chance(naming: Naming) -> bool:
    """Whether always answering the same might do as well; where texts hardly repeat, only if ranks are random too."""
    largest, count = naming.largest_class, naming.items
    beaten = naming.low > largest or naming.recall > largest + 1.96 * (largest * (1 - largest) / count) ** 0.5
    captions = largest * count < 2
    ranked = naming.passed_over < 0.5 - 1.96 * (1 / 12 / count) ** 0.5  # the mean of so many uniform numbers
    return not (beaten or (captions and ranked))


def are_classes(rows: Sequence[Pair]) -> bool:
    """Whether texts stand with two items or more on average."""
    return 2 * len({pair.text for pair in rows}) <= len({(pair.item.id, pair.text) for pair in rows})


def underscores(pairs: Pairs) -> Iterator[Remark]:
    """Names that a table joins with underscores, which were taken out as they are of folders' names."""
    if pairs.renamed:
        new, old = next(iter(pairs.renamed.items()))
        names = "1 name" if len(pairs.renamed) == 1 else f"{len(pairs.renamed)} names"
        yield Remark(topic="names", text=f"underscores were taken out of {names}: '{old[:60]}' is '{new[:60]}'")


def nested_folders(pairs: Pairs) -> Iterator[Remark]:
    """Folders below those that became classes, if they look like classes themselves: each lies in one class alone."""
    place = pairs.place
    if place is None or not place.is_dir() or own_table(place):
        return
    below: dict[str, set[str]] = defaultdict(set)
    for pair in pairs.rows:
        folders = pair.item.id.split("/")[:-1]
        level = next((level for level, name in enumerate(folders) if class_name(name) == pair.text), None)
        if level is not None and len(folders) > level + 1:
            below[pair.text].add(folders[level + 1])
    uses = Counter(name for names in below.values() for name in names)
    if any(len(names) > 1 for names in below.values()) and 2 * sum(count > 1 for count in uses.values()) < len(uses):
        top, names = max(below.items(), key=lambda entry: len(entry[1]))
        lower = ", ".join(f"'{name}'" for name in sorted(names)[:3])
        text = f"folders lie in folders: '{top}' was taken as the class, and {lower} below it count for nothing"
        yield Remark(topic="folders", text=f"{text}; if those are the classes, give the folder that holds them, or a table")


def copies(rows: Sequence[Pair], hashes: Mapping[str, str]) -> Iterator[Remark]:
    """Equal contents under different class names, one of which must be wrong; not where items have several on purpose."""
    labels: dict[str, set[str]] = defaultdict(set)
    of: dict[str, dict[str, str]] = defaultdict(dict)
    for pair in rows:
        if pair.item.id in hashes:
            labels[pair.item.id].add(pair.text)
            of[hashes[pair.item.id]].setdefault(pair.text, pair.item.id)
    tags = sum(len(own) > 1 for own in labels.values()) > SEVERAL * max(1, len(labels))
    wrong = [
        held
        for held in of.values()
        if len(held) > 1 and not (tags and all(labels[item] >= set(held) for item in held.values()))
    ]
    if wrong:
        (one, first), (other, second) = list(wrong[0].items())[:2]
        what = "1 content stands" if len(wrong) == 1 else f"{len(wrong)} contents stand"
        example = f"'{first[-60:]}' is '{one[:40]}' and '{second[-60:]}' is '{other[:40]}'"
        yield Remark(topic="copies", text=f"{what} under two labels, one of them wrong: {example}")


def bare_numbers(labels: Sequence[str]) -> Iterator[Remark]:
    """Labels that say nothing to a text model."""
    numbers = [label for label in labels if _NUMBER.fullmatch(label.strip())]
    if len(numbers) > 1 and len(numbers) >= NUMBERS * len(labels):
        shown = ", ".join(f"'{label}'" for label in numbers[:3])
        text = f"{len(numbers)} of {len(labels)} labels are bare numbers ({shown}), which mean nothing to the anchor"
        yield Remark(topic="labels", text=f"{text}; name what they stand for, in the table or by --synonyms")


def floor(modality: str, encoder: str) -> Iterator[Remark]:
    """Features that need no weights, where a pretrained encoder could be named."""
    if parse(encoder).name in ("signal", f"signal-{modality}") and modality in FLOORS:
        what, better = FLOORS[modality]
        text = f"`signal` needs no weights and is a floor, {what}; a pretrained encoder does better, such as --encoder {better}"
        yield Remark(topic="encoder", text=text)


def small_pictures(ready: Prepared, modality: str) -> Iterator[Remark]:
    """Pictures of few pixels that go through a network made for photos."""
    if modality != "image" or ready.encoders[modality].startswith("signal"):
        return
    first = [item for item in ready.items(modality, ("train",)) if item.id in ready.hashes][:LOOKED_AT]
    sides = sorted(min(size) for item in first if (size := _size(item, ready.runtime.limits)))
    if sides and sides[len(sides) // 2] <= SMALL:
        text = f"pictures of {sides[len(sides) // 2]} pixels are no photos, which {ready.encoders[modality]} was made for"
        yield Remark(topic="encoder", text=f"{text}; --encoder image=signal may do better: measure both")


def _size(item: Item, limits: Limits) -> tuple[int, int] | None:
    try:
        return tuple(decode(item, limits).size)
    except ItemError:
        return None  # it is skipped, and named, where it is encoded


def about_texts(ready: Prepared, modality: str, texts: Sequence[str]) -> Iterator[Remark]:
    """What the anchor makes of texts, as far as its tokens tell: those that it cuts off, and words that it does not know."""
    anchor = ready.base.encoder(TEXT)
    cut = cut_off(anchor, [(text, *ready.wording.phrasings(text, modality)) for text in texts])
    yield from _length(anchor, cut, len(texts))
    if isinstance(anchor, Tokenizing) and (why := foreign(texts[:READ], anchor)):
        better = f"--anchor {MULTILINGUAL}"
        yield Remark(topic="language", text=f"{why}: its vectors say little of them; name a multilingual one, such as {better}")


def long_documents(ready: Prepared, modality: str) -> Iterator[Remark]:
    """Items that are texts themselves, where the anchor is their encoder."""
    if modality == "document" and ready.encoders[modality] == ready.base.anchor:
        items = ready.items(modality, ("train", "val"))[:READ]
        texts = [text for item in items if (text := _said(item, ready.runtime.limits))]
        anchor = ready.base.encoder(TEXT)
        yield from _length(anchor, cut_off(anchor, [(text,) for text in texts]), len(texts), what="document")


def _said(item: Item, limits: Limits) -> str:
    try:
        return str(decode(item, limits))
    except ItemError:
        return ""  # it is skipped, and named, where it is encoded


def _length(anchor: Encoder, cut: Sequence[str], count: int, what: str = "text") -> Iterator[Remark]:
    if cut and isinstance(anchor, Tokenizing):
        few = f"1 of {count} {what}s is" if len(cut) == 1 else f"{len(cut)} of {count} {what}s are"
        text = f"{few} longer than the {anchor.longest} tokens that the anchor reads, such as '{cut[0][:40]}...'"
        yield Remark(topic="length", text=f"{text}; what stands beyond is cut off and counts for nothing")


def cut_off(anchor: Encoder, texts: Sequence[Sequence[str]]) -> list[str]:
    """The first of each text's phrasings, if the anchor does not read all of one of them."""
    if not isinstance(anchor, Tokenizing):
        return []
    long = [held for held in texts if any(len(phrase.encode()) > anchor.longest - 2 for phrase in held)][
        :READ
    ]  # a byte a token
    return [held[0] for held in long if any(len(row) > anchor.longest - 2 for row in anchor.pieces(held))]
