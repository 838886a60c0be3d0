"""Names of parts: what is built in, and what other packages add through entry points.

A part is one file and one line here, or one entry point (group `textanchor.<kind>`) in somebody else's package.
Looking up a name imports that part and no other.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from textanchor.errors import InputError, UnknownNameError

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "reader": {
        "text": "textanchor.data.readers.text:TextReader",
        "document": "textanchor.data.readers.text:document_reader",
        "image": "textanchor.data.readers.image:ImageReader",
        "audio": "textanchor.data.readers.audio:AudioReader",
        "video": "textanchor.data.readers.video:VideoReader",
        "series": "textanchor.data.readers.series:SeriesReader",
    },
    "encoder": {
        "st": "textanchor.encoders.sentence:make",
        "signal-image": "textanchor.encoders.signal_image:make",
        "signal-audio": "textanchor.encoders.signal_audio:make",
        "signal-series": "textanchor.encoders.signal_series:make",
        "hub": "textanchor.encoders.hub:make",
        "onnx": "textanchor.encoders.onnx:make",
        "timm": "textanchor.encoders.timm:make",
        "open_clip": "textanchor.encoders.open_clip:make",
        "spectrogram": "textanchor.encoders.spectrogram:make",
    },
    "projector": {
        "linear": "textanchor.projectors.linear:Linear",
        "mlp": "textanchor.projectors.mlp:MLP",
        "kernel": "textanchor.projectors.kernel:Kernel",
    },
    "loss": {
        "mse": "textanchor.losses.mse:MSE",
        "bank": "textanchor.losses.bank:BankSoftmax",
    },
    "aligner": {
        "auto": "textanchor.aligners.auto:Auto",
        "seed": "textanchor.aligners.gradient:Seed",
        "ridge": "textanchor.aligners.ridge:Ridge",
        "kernel-ridge": "textanchor.aligners.kernel_ridge:KernelRidge",
        "bank": "textanchor.aligners.gradient:Bank",
    },
    "index": {
        "exact": "textanchor.index.exact:Exact",
    },
    "sample": {
        "digits": "textanchor.data.samples.digits:write",
        "mnist-fsdd": "textanchor.data.samples.mnist_fsdd:write",
    },
}
KINDS = tuple(BUILT_IN)


@lru_cache
def _foreign(kind: str) -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"textanchor.{kind}"):
        other = BUILT_IN[kind].get(point.name) or (point.name in found and found[point.name].value)
        if other and other != point.value:
            raise InputError(
                f"{kind} '{point.name}' is registered twice: by {other} and by {point.value}; "
                "uninstall one of the two packages or have it choose another name"
            )
        found[point.name] = point
    return found


def names(kind: str) -> tuple[str, ...]:
    """All names of one kind, built-in ones first; imports nothing."""
    return (*BUILT_IN[kind], *(name for name in _foreign(kind) if name not in BUILT_IN[kind]))


def load(kind: str, name: str) -> Any:
    """The part of that kind and name. Raises `UnknownNameError` with the nearest names."""
    foreign = _foreign(kind)
    if name in foreign:
        return foreign[name].load()
    if name in BUILT_IN[kind]:
        module, _, attribute = BUILT_IN[kind][name].partition(":")
        return getattr(import_module(module), attribute)
    near = difflib.get_close_matches(name, names(kind), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise UnknownNameError(f"no {kind} is called '{name}'{hint} (known: {', '.join(sorted(names(kind)))})")
