"""A space: the anchor, and for each modality an encoder and a side of the geometry. It embeds anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from textanchor.data.wording import Wording
from textanchor.encoders import Encoder, make
from textanchor.errors import InputError, NothingUsableError
from textanchor.files import located
from textanchor.latents.engine import Encoded, encode, stream
from textanchor.latents.ray_engine import prefill
from textanchor.metrics.calibration import Probabilities
from textanchor.progress import Silent
from textanchor.records import Item, Pooled, Skipped, Vectors
from textanchor.runtime import Runtime
from textanchor.space.composition import CHUNK, DEFAULTS, compositions
from textanchor.space.embedded import Embedded, gathered, interleaved
from textanchor.space.fitted import Fitted
from textanchor.space.geometry import Geometry
from textanchor.space.items import TEXT, as_items, batched
from textanchor.space.seen import Seen
from textanchor.space.sides import sides
from textanchor.space.story import Story

if TYPE_CHECKING:
    from textanchor.space.memory import Remembered


class Space:
    """Embeds texts by its anchor and items of its modalities by encoder and projector, all into one vector space.

    `anchor` and each `Fitted.encoder` are encoder names; models are loaded when first needed, and refused if their
    fingerprint is not the one that was fitted with. `plans` maps modalities that are made of others, such as video, to
    which parts are taken. How vectors are compared is the `geometry`'s. A space may be used by several threads.
    """

    def __init__(
        self,
        *,
        anchor: str,
        anchor_fingerprint: str,
        modalities: Mapping[str, Fitted],
        runtime: Runtime,
        seen: Seen | None = None,
        stories: Sequence[Story] = (),
        plans: Mapping[str, str] | None = None,
        memory: Sequence[Remembered] = (),
    ) -> None:
        self.anchor, self.anchor_fingerprint = anchor, anchor_fingerprint
        self.modalities = dict(modalities)
        self.seen = seen or Seen()
        self.stories = tuple(stories)
        self.memory = tuple(memory)
        self.plans = {**DEFAULTS, **(plans or {})}
        self.runtime = runtime
        self.place: Path | None = None  # the folder that it was loaded from
        self.compositions = compositions(self.plans, self.modalities)
        self.geometry = Geometry(sides({name: one.side for name, one in self.modalities.items()}, self.compositions))
        self._encoders: dict[str, Encoder] = {}
        self._loading = Lock()

    def __repr__(self) -> str:
        fitted = ", ".join(f"{name} by {one.encoder}" for name, one in self.modalities.items())
        return f"Space(anchor {self.anchor}; {fitted or 'no modality yet'})"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Modalities that can be embedded beside text: those fitted, and those composed of them."""
        return self.geometry.modalities

    @property
    def dim(self) -> int:
        """Length of every vector in the space."""
        return self.encoder(TEXT).dim

    def wording(self, modality: str) -> Wording:
        """How texts that a modality is compared with are put into words: as when it was fitted, or its first part was."""
        of = self.compositions[modality].kinds[0] if modality in self.compositions else modality
        return self.modalities[of].wording if of in self.modalities else Wording()

    def latent_fingerprint(self, modality: str) -> str:
        """What latents of a modality depend on. Raises `InputError` for a modality that the space does not have."""
        if modality in self.compositions:
            return self.compositions[modality].fingerprint({name: one.fingerprint for name, one in self.modalities.items()})
        return self._model(modality)[1]

    def encoder(self, modality: str) -> Encoder:
        """The encoder of a modality, or the anchor for `text`. Raises `InputError` if it is not the one fitted with."""
        name, fingerprint = self._model(modality)
        with self._loading:
            if modality not in self._encoders:
                encoder = make(name, modality, self.runtime)
                if fingerprint not in (encoder.fingerprint, *getattr(encoder, "formerly", ())):
                    raise InputError(
                        f"encoder {name} is not the one that the space was fitted with "
                        f"(fingerprint {encoder.fingerprint[:12]}, expected {fingerprint[:12]}); "
                        "name the right model or fit anew"
                    )
                self._encoders[modality] = encoder
            return self._encoders[modality]

    def replace_encoder(self, modality: str, name: str) -> None:
        """Take a modality's encoder from another place, such as another folder; it must be the same model."""
        if modality == TEXT:
            self.anchor = name
        elif modality in self.modalities:
            self.modalities[modality] = replace(self.modalities[modality], encoder=name)
        else:
            raise InputError(f"the space has no modality '{modality}' (it has: {', '.join((TEXT, *self.modalities))})")
        self._encoders.pop(modality, None)
        self.encoder(modality)

    def adopt(self, modality: str, encoder: Encoder) -> None:
        """Use an encoder that is loaded already; the caller has checked that it is the right one."""
        self._encoders[modality] = encoder

    def embed(self, items: Any, *, modality: str | None = None, compared_with: str | None = None) -> Vectors:
        """Vectors of texts, files or values. *Shape:* [n, d], rows as given, float32; of an empty list [0, d].

        `items` is one item or a sequence. A str is a text, with a warning where a file has that name; with `modality` it is the
        file, or what that modality's reader accepts. A `Path` is a file, and bytes are one's content, with `modality`. A PIL
        image is an image, and so is an array or tensor of floats in [0, 1] or bytes, [h, w] or with channels first or last.
        `(samples, rate)` or a `Waveform` is a sound, a `Series` or with `modality` an array is a series, an `Item` is itself.
        Raw vectors are returned; with `compared_with="image"`, as they are compared with images, of length 1.
        Raises `ItemError` for an item that cannot be read, `InputError` for a modality that the space does not have.
        """
        known = as_items(items, modality)
        if compared_with is not None and compared_with not in self.kinds:
            raise InputError(f"no modality '{compared_with}' to compare with: the space has {', '.join(self.kinds) or 'none'}")
        names, raw = [TEXT if modality is None else modality], np.empty((0, self.dim), dtype=np.float32)
        if known:
            embedded = self.embed_all(known, store=False, runtime=replace(self.runtime, strict=True, progress=Silent()))
            names, raw = [item.modality for item in embedded.items], embedded.vectors
        if compared_with is None:
            return raw
        kinds = np.array(names[: len(raw)])
        between = self.geometry.between
        parts = {name: between(name, compared_with).query_unit(raw[kinds == name]) for name in dict.fromkeys(names)}
        return interleaved(parts, kinds, compared_with)

    def search(self, query: Any, collection: object, **how: Any) -> list[Any]:
        """What `textanchor.search` finds: the items of a collection that are nearest to a query, best first."""
        found: list[Any] = import_module("textanchor.collections").search(self, query, collection, **how)  # it stands on spaces
        return found

    def classify(self, items: Any, texts: Sequence[str], *, modality: str | None = None) -> Probabilities:
        """Which of some texts says best what an item is: see `textanchor.classify`. *Shape:* [items, texts]."""
        from textanchor.space.classifying import classify

        return classify(self, items, texts, modality=modality)

    def embed_all(self, items: Sequence[Item], *, store: bool = True, runtime: Runtime | None = None) -> Embedded:
        """Raw vectors of many items of any modalities; what cannot be read is skipped and named, or raises `ItemError` where
        the runtime is strict. Raises `NothingUsableError` if nothing remains.
        """
        items = [self._known(item) for item in items]
        kinds = {kind: [item for item in items if item.modality == kind] for kind in dict.fromkeys(i.modality for i in items)}
        parts = (self.stream(own, kind, store=store, total=len(own), runtime=runtime) for kind, own in kinds.items())
        embedded = gathered(items, chain.from_iterable(parts))
        if not embedded.items:
            first = embedded.skipped[0] if embedded.skipped else Skipped(item="no item", reason="nothing was given")
            count = len(embedded.skipped)
            raise NothingUsableError(f"nothing could be embedded; the first of {count}: {first.item}: {first.reason}")
        return embedded

    def stream(
        self,
        items: Iterable[Item],
        modality: str,
        *,
        store: bool = True,
        total: int | None = None,
        runtime: Runtime | None = None,
    ) -> Iterator[Embedded]:
        """Raw vectors of any number of items of one modality, a chunk at a time; memory does not grow with the items."""
        runtime = runtime or self.runtime
        if modality in self.compositions:
            yield from self._stream_composed(items, modality, runtime, store=store, total=total)
            return
        for chunk in stream(items, self.encoder(modality), runtime, store=store, total=total):
            (latents,) = chunk.latents
            yield Embedded(
                items=chunk.items,
                vectors=self.geometry.project(modality, latents.vectors if isinstance(latents, Pooled) else latents),
                contents=latents.contents,
                skipped=chunk.skipped,
                cached=chunk.cached,
                new=chunk.new,
            )

    def prefill(self, items: Iterable[Item], modality: str, *, runtime: Runtime | None = None) -> int:
        """Encode what the cache lacks by the runtime's engine, so that `stream` finds it there; how many items were new.

        The engine `local` does nothing. Raises `MissingError` without Ray.
        """
        runtime = runtime or self.runtime
        if runtime.engine == "local":
            return 0
        composed = self.compositions.get(modality)
        pieces: Mapping[str, Iterable[Item]] = composed.pieces(items) if composed else {modality: items}
        new = sum(prefill(own, self._model(kind)[0], kind, runtime) for kind, own in pieces.items())
        return -(-new // len(composed.parts)) if composed else new

    def encoded(
        self,
        items: Sequence[Item],
        modality: str,
        *,
        runtime: Runtime | None = None,
        known: Mapping[str, str] | None = None,
        store: bool = True,
    ) -> Encoded:
        """Latents of items of one modality through the cache; `known` are content hashes that the caller has already."""
        runtime = runtime or self.runtime
        if modality not in self.compositions:
            return encode(items, self.encoder(modality), runtime, known=known, store=store)
        composed = self.compositions[modality]
        composed.check_files(items)
        lenient = replace(runtime, strict=False)
        encoded = {kind: self.encoded(own, kind, runtime=lenient, store=store) for kind, own in composed.pieces(items).items()}
        widths = {kind: self.encoder(kind).dim for kind in composed.kinds}
        return composed.assembled(items, encoded, widths, self.latent_fingerprint(modality), strict=runtime.strict)

    def with_modalities(
        self,
        new: Mapping[str, Fitted],
        *,
        seen: Seen | None = None,
        story: Story | None = None,
        plans: Mapping[str, str] | None = None,
        memory: Sequence[Remembered] = (),
    ) -> Space:
        """A space with more (or refitted) modalities, of which `memory` is remembered; the anchor and its vectors stay."""
        extended = Space(
            anchor=self.anchor,
            anchor_fingerprint=self.anchor_fingerprint,
            modalities={**self.modalities, **new},
            runtime=self.runtime,
            seen=self.seen.merged(seen) if seen else self.seen,
            stories=(*self.stories, story) if story else self.stories,
            plans={**self.plans, **(plans or {})},
            memory=(*(one for one in self.memory if one.modality not in new), *memory),
        )
        extended._encoders = {name: encoder for name, encoder in self._encoders.items() if name not in new}
        return extended

    @staticmethod
    def load(folder: str | Path, **how: Any) -> Space:
        """The space of a folder: `textanchor.load`."""
        from textanchor.space.storage import load

        return load(folder, **how)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the space as a folder of safetensors and JSON. Raises `InputError` if it exists, unless `overwrite`."""
        from textanchor.space.storage import save

        return save(self, located(folder), overwrite=overwrite)

    def _stream_composed(
        self, items: Iterable[Item], modality: str, runtime: Runtime, *, store: bool, total: int | None
    ) -> Iterator[Embedded]:
        """Whole items, 512 at a time."""
        quiet = replace(runtime, progress=Silent())
        with runtime.progress.bar(f"encode {modality}", total=total) as bar:
            for batch in batched(items, CHUNK):
                encoded = self.encoded(batch, modality, runtime=quiet, store=store)
                by_id = {item.id: item for item in batch}
                yield Embedded(
                    items=tuple(by_id[name] for name in encoded.latents.ids),
                    vectors=self.geometry.project(modality, encoded.vectors),
                    contents=encoded.latents.contents,
                    skipped=encoded.skipped,
                    cached=encoded.cached,
                    new=encoded.new,
                )
                bar.advance(len(batch))

    def _model(self, modality: str) -> tuple[str, str]:
        """Name and fingerprint of a modality's encoder. Raises `InputError` for one that the space does not have."""
        if modality == TEXT:
            return self.anchor, self.anchor_fingerprint
        if modality not in self.modalities:
            self.geometry.side(modality)
            raise InputError(f"{modality} is composed of others and has no encoder of its own")
        return self.modalities[modality].encoder, self.modalities[modality].fingerprint

    def _known(self, item: Item) -> Item:
        """A document is a plain text to a space that never fitted documents."""
        plain = item.modality == "document" and "document" not in self.modalities
        return replace(item, modality=TEXT) if plain else item
