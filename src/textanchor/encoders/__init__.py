"""Encoders: frozen models of one modality, named by one line such as `hub:facebook/dinov2-small@layer=-3,pool=mean`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from textanchor import registry
from textanchor.errors import InputError
from textanchor.records import Vectors


@runtime_checkable
class Encoder(Protocol):
    """Decoded items of one modality to latents. Order and batching change no vector by more than 1e-4."""

    modality: str
    dim: int
    fingerprint: str
    """Changes with the weights, the preprocessing and every option; never with a local path."""

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """Latents of decoded items. *Shape:* [len(batch), dim], float32, finite."""


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

    def only(self, *known: str) -> None:
        """Raise `InputError` for an option that this encoder does not have."""
        for key in self.options:
            if key not in known:
                raise InputError(f"encoder {self.scheme} has no option '{key}' (known: {', '.join(known) or 'none'})")


def parse(text: str) -> Spec:
    """Take an encoder's name apart; a bare model id is a sentence-transformers model."""
    outer, plus, inner = text.partition("+")
    if plus and outer in registry.names("encoder"):
        return Spec(scheme=outer, inner=inner)
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
    if spec.inner:
        return f"{spec.scheme}+{canonical(spec.inner)}"
    argument = spec.argument
    if argument and Path(argument).expanduser().exists():
        argument = str(Path(argument).expanduser().resolve())
    options = ",".join(f"{key}={value}" for key, value in spec.options.items())
    return spec.scheme + (f":{argument}" if argument else "") + (f"@{options}" if options else "")


def make(text: str, modality: str, *, device: str = "auto") -> Encoder:
    """Load an encoder for a modality. Raises `UnknownNameError`, `InputError` or `MissingError`."""
    spec = parse(text)
    scheme = f"signal-{modality}" if spec.scheme == "signal" else spec.scheme
    made: Encoder = registry.load("encoder", scheme)(spec, modality, pick_device(device))
    if made.modality != modality:
        raise InputError(f"encoder '{text}' is for {made.modality}, not for {modality}")
    return made


def pick_device(told: str) -> str:
    """`auto` is CUDA or MPS where present, else CPU; anything else must exist. Raises `InputError`."""
    import torch

    if told == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if (told.startswith("cuda") and not torch.cuda.is_available()) or (told == "mps" and not torch.backends.mps.is_available()):
        raise InputError(f"device '{told}' is not on this machine; use --device cpu or leave it out")
    return told
