"""What an encoder is: one method, or two steps so that workers prepare while the model computes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from textanchor.records import Head, Vectors

BATCH = 32  # items a call, unless the encoder says otherwise


@runtime_checkable
class Encoder(Protocol):
    """Decoded items of one modality to latents. Order and batching change no vector by more than 1e-4; threads may share one.

    That is all that is asked of an encoder. One whose model wants prepared inputs may be `Staged` as well; `batch` (items a
    call, default 32), `name` (for people), `formerly` (fingerprints that older versions gave the same latents), `head` (a
    `Head`, where the model is a classifier whose classes have names) and `network` (a `networks.Network`, which exports hold)
    are optional.
    """

    modality: str
    dim: int
    fingerprint: str
    """Changes with the weights, the preprocessing and every option; never with a local path."""

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """Latents of decoded items. *Shape:* [len(batch), dim], float32, finite."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """One kind of latent that comes out of a pass: one vector an item or, `ragged`, several, as float16 [n_i, dim].

    `formerly` are fingerprints that older versions gave the very same latents, so that what they stored is still found.
    """

    name: str
    dim: int
    fingerprint: str
    ragged: bool = False
    formerly: tuple[str, ...] = ()


@runtime_checkable
class Tokenizing(Protocol):
    """A text encoder that can say how it reads: of what pieces, and how many."""

    @property
    def longest(self) -> int:
        """Tokens of a text that it takes, its prompt's left out and two for the ends counted; the rest is cut off."""

    def pieces(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The tokens of each text, all of them and without ends; "" is one that it does not know."""


@runtime_checkable
class Staged(Protocol):
    """An encoder in two steps, so that workers prepare while the model computes; it may keep several outputs of a pass."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What comes out of a pass."""

    def prepare(self, value: Any) -> Any:
        """What the model takes, from one decoded item; runs in threads. Raises `ValueError` with a one-line reason."""

    def forward(self, inputs: Sequence[Any]) -> list[Any]:
        """One entry an output: vectors [n, dim], or n arrays [n_i, dim] if it is ragged."""


class _Plain:
    """An encoder of one method as a staged one that prepares nothing."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        formerly = tuple(getattr(encoder, "formerly", ()))
        self.outputs = (Output(name="", dim=encoder.dim, fingerprint=encoder.fingerprint, formerly=formerly),)

    def prepare(self, value: Any) -> Any:
        return value

    def forward(self, inputs: Sequence[Any]) -> list[Any]:
        return [self._encoder.encode(inputs)]


def staged(encoder: Encoder) -> Staged:
    """Any encoder in two steps, so that nobody else need tell the kinds apart."""
    return encoder if isinstance(encoder, Staged) else _Plain(encoder)


def outputs(encoder: Encoder) -> tuple[Output, ...]:
    """What a pass of this encoder gives."""
    return staged(encoder).outputs


def encode_staged(encoder: Staged, batch: Sequence[Any]) -> Vectors:
    """`Encoder.encode` of a staged encoder with one pooled output."""
    (vectors,) = encoder.forward([encoder.prepare(value) for value in batch])
    return np.asarray(vectors, dtype=np.float32)


def batch_size(encoder: Encoder) -> int:
    """Items a call."""
    return int(getattr(encoder, "batch", BATCH))


def head_of(encoder: Encoder) -> Head | None:
    """What the encoder's classifier makes of its latents; None for an encoder that knows no names."""
    head: Head | None = getattr(encoder, "head", None)
    return head


def alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """Places of equal keys, such as the shapes of inputs that a model can take together."""
    places: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return list(places.values())


def derived(output: Output, by: Callable[[str], str], **changes: Any) -> Output:
    """The output of an encoder that makes something of another's: each of its fingerprints goes through `by`."""
    return replace(output, fingerprint=by(output.fingerprint), formerly=tuple(map(by, output.formerly)), **changes)
