"""Items that hold the same once they are decoded, in files whose bytes differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from textanchor.data.decoding import PART
from textanchor.files import digest
from textanchor.latents.decoded import Decoded, as_hash
from textanchor.latents.engine import encode
from textanchor.records import Item
from textanchor.runtime import Runtime


def decoded_contents(items: Sequence[Item], hashes: Mapping[str, str], runtime: Runtime) -> dict[str, str]:
    """A hash of what each readable item holds once decoded, by id; of items in memory and texts their content's.

    What was encoded before is only looked up, anything else is decoded. `hashes` are content hashes of the items.
    """
    decoded = {item.id: hashes[item.id] for item in items if item.path is None and item.id in hashes}
    by_modality: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.path is not None and item.id in hashes:
            by_modality[item.modality].append(item)
    for modality, own in by_modality.items():
        marks = encode(own, Decoded(modality), replace(runtime, strict=False), known=hashes)
        decoded.update((name, as_hash(row)) for name, row in zip(marks.latents.ids, marks.vectors, strict=True))
    return decoded


def whole_contents(items: Sequence[Item], decoded: Mapping[str, str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What each whole item holds, and the ids of its parts: of a video its frames and its sound, of any other item itself."""
    parts: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.id in decoded:
            parts[whole_name(item)].append(item)
    return {
        name: (
            decoded[own[0].id] if not own[0].part else digest(*(f"{item.part} {decoded[item.id]}" for item in own)),
            tuple(item.id for item in own),
        )
        for name, own in parts.items()
    }


def whole_name(item: Item) -> str:
    """The id of the item that a part is of."""
    return item.id.removesuffix(f"{PART}{item.part.partition(':')[2]}") if item.part else item.id
