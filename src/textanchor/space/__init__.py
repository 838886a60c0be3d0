"""A space: the anchor, and for each modality an encoder, a projector and a view. It embeds anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.data.wording import Wording
from textanchor.encoders import Encoder, make
from textanchor.errors import InputError, NothingUsableError
from textanchor.latents.engine import Encoded, encode, stream
from textanchor.latents.ray_engine import prefill
from textanchor.projectors import project
from textanchor.records import Item, Pooled, Ragged, Skipped, Vectors, View
from textanchor.runtime import Runtime, settled
from textanchor.space.composition import DEFAULTS, Composition
from textanchor.space.holdings import Embedded, Fitted, Seen
from textanchor.space.items import TEXT, as_items
from textanchor.views import as_item, as_peer, as_query, as_text, item_gallery, text_gallery, unit


class Space:
    """Embeds texts by its anchor and items of its modalities by encoder and projector, all into one vector space.

    `anchor` and each `Fitted.encoder` are encoder names; models are loaded when first needed, and refused if their
    fingerprint is not the one that was fitted with. `compositions` maps modalities that are made of others, such as video, to
    plans of which parts are taken.
    """

    def __init__(
        self,
        *,
        anchor: str,
        anchor_fingerprint: str,
        modalities: Mapping[str, Fitted],
        seen: Seen,
        provenance: Mapping[str, Any],
        compositions: Mapping[str, str] | None = None,
        wording: Wording | None = None,
        cache: str | Path | None = None,
        device: str = "auto",
    ) -> None:
        plans = {**DEFAULTS, **(compositions or {})}
        self.compositions = {name: Composition(modality=name, plan=plan) for name, plan in plans.items()}
        self.anchor = anchor
        self.anchor_fingerprint = anchor_fingerprint
        self.modalities = dict(modalities)
        self.seen = seen
        self.wording = wording or Wording()
        self.provenance = dict(provenance)
        self.cache = cache
        self.device = device
        self._encoders: dict[str, Encoder] = {}

    def __repr__(self) -> str:
        held = ", ".join(f"{name} by {fitted.encoder}" for name, fitted in self.modalities.items())
        return f"Space(anchor {self.anchor}; {held or 'no modality yet'})"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Modalities that can be embedded beside text: those fitted, and those composed of them."""
        return (*self.modalities, *(name for name in self.compositions if self._composed(name)))

    @property
    def dim(self) -> int:
        """Length of every vector in the space."""
        return self.encoder(TEXT).dim

    def latent_fingerprint(self, modality: str) -> str:
        """What latents of a modality depend on. Raises `InputError` for a modality that the space does not have."""
        if composed := self._composed(modality):
            return composed.fingerprint(self)
        return self._fitted(modality).fingerprint

    def encoder(self, modality: str) -> Encoder:
        """The encoder of a modality, or the anchor for `text`. Raises `InputError` if it is not the one fitted with."""
        if modality not in self._encoders:
            fitted = self._fitted(modality) if modality != TEXT else None
            name, fingerprint = (fitted.encoder, fitted.fingerprint) if fitted else (self.anchor, self.anchor_fingerprint)
            made = make(name, modality, device=self.device)
            if made.fingerprint != fingerprint:
                raise InputError(
                    f"encoder {name} is not the one that the space was fitted with (fingerprint {made.fingerprint[:12]}, "
                    f"expected {fingerprint[:12]}); name the right model or fit anew"
                )
            self._encoders[modality] = made
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

    def view(self, modality: str) -> View | None:
        """The view under which a modality is compared; None is the raw cosine."""
        if composed := self._composed(modality):
            return composed.view(self)
        return self.modalities[modality].view if modality in self.modalities else None

    def embed(self, items: Any, *, modality: str | None = None, view: str | None = None) -> Vectors:
        """Vectors of texts, files or values. *Shape:* [n, d], rows as given, float32.

        `items` is one item or a sequence: a str is a text (or, with `modality`, what that modality's reader accepts), a
        `Path` is a file, a PIL image is an image, `(samples, rate)` or a `Waveform` is a sound, an `Item` is itself.
        Raw vectors are returned; with `view="image"`, as they are compared with images, and of length 1.
        Raises `ItemError` for an item that cannot be read, `InputError` for a modality that the space does not have.
        """
        found = self.embed_all(as_items(items, modality), strict=True, store=False)
        if view is None:
            return found.vectors
        if view not in self.kinds:
            raise InputError(f"no view '{view}': the space has {', '.join(self.kinds) or 'no modality'}")
        out = np.zeros_like(found.vectors)
        for name in {item.modality for item in found.items}:
            rows = [row for row, item in enumerate(found.items) if item.modality == name]
            out[rows] = self.compared(found.vectors[rows], name, view)
        return out

    def embed_all(self, items: Sequence[Item], *, strict: bool = False, store: bool = True, progress: bool = False) -> Embedded:
        """Raw vectors of many items of any modalities; what cannot be read is skipped and named unless `strict`.

        Raises `NothingUsableError` if nothing remains.
        """
        items = [self._known(item) for item in items]
        held: dict[str, tuple[np.ndarray, str]] = {}
        skipped: list[Skipped] = []
        for modality in dict.fromkeys(item.modality for item in items):
            part = [item for item in items if item.modality == modality]
            for done in self.stream(part, modality, strict=strict, store=store, total=len(part), progress=progress):
                rows = zip(done.vectors, done.contents, strict=True)
                held.update((item.id, row) for item, row in zip(done.items, rows, strict=True))
                skipped.extend(done.skipped)
        kept = tuple(item for item in items if item.id in held)
        if not kept:
            first = skipped[0] if skipped else Skipped(item="no item", reason="nothing was given")
            raise NothingUsableError(f"nothing could be embedded; the first of {len(skipped)}: {first.item}: {first.reason}")
        return Embedded(
            items=kept,
            vectors=np.stack([held[item.id][0] for item in kept]),
            contents=tuple(held[item.id][1] for item in kept),
            skipped=tuple(skipped),
        )

    def stream(
        self,
        items: Iterable[Item],
        modality: str,
        *,
        strict: bool = False,
        store: bool = True,
        total: int | None = None,
        progress: bool = False,
    ) -> Iterator[Embedded]:
        """Raw vectors of any number of items of one modality, a chunk at a time; memory does not grow with the items."""
        if composed := self._composed(modality):
            yield from composed.stream(self, items, strict=strict, store=store, total=total, progress=progress)
            return
        runtime = self._runtime(strict=strict, progress=progress)
        for chunk in stream(items, self.encoder(modality), runtime, store=store, total=total):
            (latents,) = chunk.latents
            yield Embedded(
                items=chunk.items,
                vectors=self.project(modality, latents.vectors if isinstance(latents, Pooled) else latents),
                contents=latents.contents,
                skipped=chunk.skipped,
                cached=chunk.cached,
                new=chunk.new,
            )

    def prefill(self, items: Iterable[Item], modality: str, *, engine: str, progress: bool = False) -> int:
        """Encode what the cache lacks by another engine, so that `stream` finds it there; how many items were new.

        `local` does nothing. Raises `InputError` for an unknown engine, `MissingError` without Ray.
        """
        if engine == "local":
            return 0
        composed = self._composed(modality)
        pieces: Mapping[str, Iterable[Item]] = composed.pieces(self, items) if composed else {modality: items}
        runtime = self._runtime(engine=engine, progress=progress)
        new, each = 0, len(composed.parts(self)) if composed else 1
        for kind, held in pieces.items():
            name = self.modalities[kind].encoder if kind in self.modalities else self.anchor
            new += prefill(held, name, kind, runtime)
        return -(-new // each)

    def _runtime(self, **how: Any) -> Runtime:
        return settled(None, {"cache": self.cache, "device": self.device, **how})

    def encoded(self, items: Sequence[Item], modality: str, **how: Any) -> Encoded:
        """Latents of items of one modality through this space's cache."""
        if composed := self._composed(modality):
            return composed.encoded(self, items, **how)
        keywords = {name: how.pop(name) for name in ("known", "store") if name in how}
        return encode(items, self.encoder(modality), self._runtime(**how), **keywords)

    def project(self, modality: str, latents: Vectors | Ragged) -> Vectors:
        """Latents to raw vectors; the anchor's are vectors already."""
        if not isinstance(latents, Ragged):
            if composed := self._composed(modality):
                return composed.project(self, latents)
            if modality == TEXT:
                return latents
        if not len(latents):
            return np.empty((0, self.dim), dtype=np.float32)
        return project(self.modalities[modality].projector, latents)

    def compared(self, vectors: Vectors, modality: str, other: str) -> Vectors:
        """Raw vectors of one modality as they are when compared with another, of length 1."""
        if modality == TEXT:
            return unit(vectors) if other == TEXT else as_text(self.view(other), vectors)
        if other in (TEXT, modality):
            return as_item(self.view(modality), vectors)
        return as_peer(self.view(modality), self.view(other), vectors)

    def query(self, vectors: Vectors, modality: str, other: str) -> Vectors:
        """`compared` vectors that ask a gallery of another modality; the inner product is the score."""
        return as_query(self._between(modality, other), self.compared(vectors, modality, other))

    def gallery(self, vectors: Vectors, modality: str, other: str) -> Vectors:
        """`compared` vectors that another modality asks: with its hubness bias as one more dimension where the view has one."""
        mapped = self.compared(vectors, modality, other)
        return (text_gallery if modality == TEXT else item_gallery)(self._between(modality, other), mapped)

    def _between(self, one: str, other: str) -> View | None:
        """The view whose hubness correction counts: it is measured between a modality and texts, and nowhere else."""
        return self.view(other if one == TEXT else one) if (one == TEXT) != (other == TEXT) else None

    def with_modalities(
        self,
        new: Mapping[str, Fitted],
        *,
        seen: Seen,
        provenance: Mapping[str, Any],
        compositions: Mapping[str, str] | None = None,
        wording: Wording | None = None,
    ) -> Space:
        """A space with more (or refitted) modalities; the anchor and its vectors are untouched."""
        made = Space(
            anchor=self.anchor,
            anchor_fingerprint=self.anchor_fingerprint,
            modalities={**self.modalities, **new},
            seen=self.seen.merged(seen),
            provenance=provenance,
            compositions={**{name: held.plan for name, held in self.compositions.items()}, **(compositions or {})},
            wording=self.wording.joined(wording),
            cache=self.cache,
            device=self.device,
        )
        made._encoders = {name: held for name, held in self._encoders.items() if name not in new}
        return made

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the space as a folder of safetensors and JSON. Raises `InputError` if it exists, unless `overwrite`."""
        from textanchor.space.storage import save

        return save(self, Path(folder).expanduser(), overwrite=overwrite)

    def _composed(self, modality: str) -> Composition | None:
        """How a modality is composed, if it has no projector of its own and the space has any of its parts."""
        held = self.compositions.get(modality)
        return held if held and modality not in self.modalities and held.parts(self) else None

    def _fitted(self, modality: str) -> Fitted:
        if modality not in self.modalities:
            known = ", ".join((TEXT, *self.kinds))
            raise InputError(f"the space has no modality '{modality}' (it has: {known}); add it: textanchor fit --into")
        return self.modalities[modality]

    def _known(self, item: Item) -> Item:
        """A document is a plain text to a space that never fitted documents."""
        plain = item.modality == "document" and "document" not in self.modalities
        return replace(item, modality=TEXT) if plain else item
