"""Encoders: frozen models of one modality, named by one line such as `hub:facebook/dinov2-small@layer=-3,pool=mean`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from textanchor import registry
from textanchor.errors import InputError
from textanchor.records import Vectors

BATCH = 32  # items a call, unless the encoder says otherwise


@runtime_checkable
class Encoder(Protocol):
    """Decoded items of one modality to latents. Order and batching change no vector by more than 1e-4.

    That is all that is asked of an encoder. One whose model wants prepared inputs may be `Staged` as well; `batch` (items a
    call, default 32) and `name` (for people) are optional.
    """

    modality: str
    dim: int
    fingerprint: str
    """Changes with the weights, the preprocessing and every option; never with a local path."""

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """Latents of decoded items. *Shape:* [len(batch), dim], float32, finite."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """One kind of latent that comes out of a pass: one vector an item or, `ragged`, several, as float16 [n_i, dim]."""

    name: str
    dim: int
    fingerprint: str
    ragged: bool = False


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


def encode_staged(encoder: Staged, batch: Sequence[Any]) -> Vectors:
    """`Encoder.encode` of a staged encoder with one pooled output."""
    (found,) = encoder.forward([encoder.prepare(value) for value in batch])
    return np.asarray(found, dtype=np.float32)


class _Plain:
    """An encoder of one method as a staged one that prepares nothing."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.outputs = (Output(name="", dim=encoder.dim, fingerprint=encoder.fingerprint),)

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


def alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """Places of equal keys, such as the shapes of inputs that a model can take together."""
    places: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return list(places.values())


def batch_size(encoder: Encoder) -> int:
    """Items a call."""
    return int(getattr(encoder, "batch", BATCH))


@dataclass(frozen=True, kw_only=True)
class Spec:
    """An encoder's name taken apart: `scheme:argument@key=value,...`, and what stands behind a `+`."""

    scheme: str
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    inner: str = ""

    def option(self, key: str, default: str, *, among: Sequence[str] = ()) -> str:
        """One option. Raises `InputError` if it is not among the known values."""
        value = self.options.get(key, default)
        if among and value not in among:
            raise InputError(f"encoder option {key}={value}: expected one of {', '.join(among)}")
        return value

    def number(self, key: str, default: int | None = None) -> int | None:
        """One whole-number option, or None. Raises `InputError`."""
        if key not in self.options:
            return default
        try:
            return int(self.options[key])
        except ValueError:
            raise InputError(f"encoder option {key}={self.options[key]}: expected a whole number") from None

    def seconds(self, key: str) -> float | None:
        """One option that is a length in seconds, or None. Raises `InputError`."""
        if key not in self.options:
            return None
        try:
            value = float(self.options[key])
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise InputError(f"encoder option {key}={self.options[key]}: expected seconds above 0")
        return value

    def only(self, *known: str) -> None:
        """Raise `InputError` for an option that this encoder does not have."""
        for key in self.options:
            if key not in known:
                raise InputError(f"encoder {self.scheme} has no option '{key}' (known: {', '.join(known) or 'none'})")


def parse(text: str) -> Spec:
    """Take an encoder's name apart; a bare model id is a sentence-transformers model."""
    outer, plus, inner = text.partition("+")
    if plus and outer.partition("@")[0] in registry.names("encoder"):
        return replace(parse(outer), inner=inner)
    body, at, tail = text.rpartition("@")
    options: dict[str, str] = {}
    if at and all("=" in part for part in tail.split(",")):
        options = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in tail.split(","))}
    else:
        body = text
    scheme, colon, argument = body.partition(":")
    if not colon:
        known = {"signal", *registry.names("encoder")}
        scheme, argument = (body, "") if body in known else ("st", body)
    return Spec(scheme=scheme, argument=argument, options=options)


def canonical(text: str) -> str:
    """The same name with a local folder made absolute, so that it means the same from another working directory."""
    spec = parse(text)
    argument = spec.argument
    if argument and Path(argument).expanduser().exists():
        argument = str(Path(argument).expanduser().resolve())
    options = ",".join(f"{key}={value}" for key, value in spec.options.items())
    inner = f"+{canonical(spec.inner)}" if spec.inner else ""
    return spec.scheme + (f":{argument}" if argument else "") + (f"@{options}" if options else "") + inner


def make(text: str, modality: str, *, device: str = "auto") -> Encoder:
    """Load an encoder for a modality. Raises `UnknownNameError`, `InputError` or `MissingError`.

    Options that cut long items into windows (`window`, `hop`, `windows`) are understood for every encoder.
    """
    from textanchor.encoders.windowed import WINDOWS, windowed

    spec = parse(text)
    scheme = f"signal-{modality}" if spec.scheme == "signal" else spec.scheme
    plain = replace(spec, options={key: value for key, value in spec.options.items() if key not in WINDOWS})
    made: Encoder = windowed(registry.load("encoder", scheme)(plain, modality, pick_device(device)), spec)
    if made.modality != modality:
        raise InputError(f"encoder '{text}' is for {made.modality}, not for {modality}")
    return made


def make_single(text: str, modality: str, *, device: str = "auto", tokens: bool = False) -> Encoder:
    """`make`, for callers who need one vector an item, or with `tokens` one latent of either kind. Else `InputError`."""
    made = make(text, modality, device=device)
    found = outputs(made)
    if len(found) != 1 or (found[0].ragged and not tokens):
        given = "tokens" if len(found) == 1 else f"{len(found)} latents"
        raise InputError(
            f"encoder '{text}' gives {given} an item, and {'one latent' if tokens else 'one vector'} is needed: "
            "name one layer and one pool; `textanchor encode` keeps them all in the cache"
        )
    return made


def pick_device(told: str) -> str:
    """`auto` is CUDA or MPS where present, else CPU; anything else must exist. Raises `InputError`."""
    import torch

    if told == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if (told.startswith("cuda") and not torch.cuda.is_available()) or (told == "mps" and not torch.backends.mps.is_available()):
        raise InputError(f"device '{told}' is not on this machine; use --device cpu or leave it out")
    return told
