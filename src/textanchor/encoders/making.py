"""Encoders by name: the factory behind a name is called with its options, bound by its signature."""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import replace
from typing import Any

from textanchor import registry
from textanchor.encoders.naming import suited
from textanchor.encoders.protocol import Encoder, outputs
from textanchor.encoders.windowed import WINDOWS, windowed
from textanchor.errors import InputError
from textanchor.grammar import Call
from textanchor.runtime import Runtime
from textanchor.settings import bound

ACCELERATORS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg", "/dev/dri/renderD128")  # of Linux


def make(text: str, modality: str, runtime: Runtime) -> Encoder:
    """Load an encoder for a modality. Raises `UnknownNameError`, `InputError` or `MissingError`.

    Options that cut long items into windows (`window`, `hop`, `windows`) are understood for every encoder.
    """
    call = suited(text, modality)
    windows = {key: value for key, value in call.settings.items() if key in WINDOWS}
    plain = replace(call, settings={key: value for key, value in call.settings.items() if key not in WINDOWS})
    whole = _one_window(plain, modality, replace(runtime, device=pick_device(runtime.device)))
    arguments = bound(windowed, windows, given={"encoder": whole}, place=f"encoder {call.name}", text=True)
    encoder = windowed(*arguments.args, **arguments.kwargs)
    if encoder.modality != modality:
        raise InputError(f"encoder '{text}' is for {encoder.modality}, not for {modality}")
    return encoder


def make_single(text: str, modality: str, runtime: Runtime, *, tokens: bool = False) -> Encoder:
    """`make`, for callers who need one vector an item, or with `tokens` one latent of either kind. Else `InputError`."""
    encoder = make(text, modality, runtime)
    kinds = outputs(encoder)
    if len(kinds) != 1 or (kinds[0].ragged and not tokens):
        given = "tokens" if len(kinds) == 1 else f"{len(kinds)} latents"
        raise InputError(
            f"encoder '{text}' gives {given} an item, and {'one latent' if tokens else 'one vector'} is needed: "
            "name one layer and one pool; `textanchor encode` keeps them all in the cache"
        )
    return encoder


def _one_window(call: Call, modality: str, runtime: Runtime) -> Encoder:
    factory = registry.load("encoder", f"signal-{modality}" if call.name == "signal" else call.name)
    given: dict[str, Any] = {"argument": call.argument, "modality": modality, "runtime": runtime}
    if "inner" in inspect.signature(factory).parameters:
        given["inner"] = call.inner
    elif call.inner:
        raise InputError(f"encoder {call.name} wraps no other, and '{call.inner}' stands behind its +")
    place, more = f"encoder {call.name}", WINDOWS if modality in ("audio", "series") else ()
    arguments = bound(factory, call.settings, given=given, place=place, unknown=" has no option", text=True, also=more)
    encoder: Encoder = factory(*arguments.args, **arguments.kwargs)
    return encoder


def pick_device(name: str) -> str:
    """`auto` is CUDA or MPS where present, else CPU; anything else must exist. Raises `InputError`.

    Where the system has no accelerator at all nobody is asked: importing torch takes longer than a search.
    """
    if name == "cpu" or (name == "auto" and sys.platform == "linux" and not any(map(os.path.exists, ACCELERATORS))):
        return "cpu"
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = name.partition(":")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (kind == "cuda" and int(number or 0) >= count) or (kind == "mps" and not torch.backends.mps.is_available()):
        there = f"; it has {count} of cuda" if kind == "cuda" and count else ""
        raise InputError(f"device '{name}' is not on this machine{there}; use --device cpu or leave it out")
    return name
