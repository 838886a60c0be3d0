"""Names of parts: what is built in, and what other packages add through entry points.

A part is one file and one line here, or one entry point (group `textanchor.<kind>`) in somebody else's package.
Looking up a name imports that part and no other.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from textanchor.errors import InputError, UnknownNameError
from textanchor.settings import checked

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
        "residual-mlp": "textanchor.projectors.residual_mlp:ResidualMLP",
        "mixture": "textanchor.projectors.mixture:Mixture",
        "attention": "textanchor.projectors.attention:Attention",
        "kernel": "textanchor.projectors.kernel:Kernel",
        "relative": "textanchor.projectors.relative:Relative",
        "residual": "textanchor.projectors.residual:Residual",
    },
    "loss": {
        "mse": "textanchor.losses.mse:MSE",
        "cosine": "textanchor.losses.cosine:Cosine",
        "info-nce": "textanchor.losses.info_nce:InfoNCE",
        "supcon": "textanchor.losses.supcon:SupCon",
        "bank": "textanchor.losses.bank:BankSoftmax",
        "siglip": "textanchor.losses.siglip:SigLIP",
        "triplet": "textanchor.losses.triplet:Triplet",
        "relational": "textanchor.losses.relational:Relational",
        "uniformity": "textanchor.losses.uniformity:Uniformity",
        "decorrelation": "textanchor.losses.decorrelation:Decorrelation",
        "sum": "textanchor.losses.weighted:WeightedSum",
    },
    "view": {
        "raw": "textanchor.views.raw:raw",
        "centring": "textanchor.views.centring:centring",
        "whitening": "textanchor.views.whitening:whitening",
        "all-but-the-top": "textanchor.views.all_but_the_top:all_but_the_top",
        "canonical": "textanchor.views.canonical:canonical",
    },
    "hubness": {
        "csls": "textanchor.views.hubness:csls",
        "dis": "textanchor.views.hubness:dis",
        "nnn": "textanchor.views.hubness:nnn",
    },
    "aligner": {
        "auto": "textanchor.aligners.auto:Auto",
        "seed": "textanchor.aligners.gradient:seed_recipe",
        "ridge": "textanchor.aligners.ridge:Ridge",
        "kernel-ridge": "textanchor.aligners.kernel_ridge:KernelRidge",
        "cca": "textanchor.aligners.cca:cca",
        "kernel-cca": "textanchor.aligners.cca:kernel_cca",
        "csa": "textanchor.aligners.cca:csa",
        "procrustes": "textanchor.aligners.procrustes:Procrustes",
        "asif": "textanchor.aligners.asif:ASIF",
        "gradient": "textanchor.aligners.gradient:Gradient",
        "bank": "textanchor.aligners.gradient:bank",
    },
    "index": {
        "exact": "textanchor.collections.exact:Exact",
        "faiss": "textanchor.collections.faiss:Faiss",
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


def take_apart(spec: str) -> tuple[str, dict[str, Any]]:
    """Name and settings of a part written as a call, such as `gradient(loss=info-nce(temperature=0.05), epochs=40)`.

    Settings are numbers, booleans, None, lists of numbers, or names and calls of other parts, which stay text.
    Raises `InputError`.
    """
    example = "expected a name or a call such as kernel-ridge(width=1, view=canonical)"
    try:
        found = ast.parse(re.sub(r"(?<=[a-zA-Z])-(?=[a-zA-Z])", "_", spec.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"'{spec}' is no part; {example}") from None
    called = found.func if isinstance(found, ast.Call) else found
    if not isinstance(called, ast.Name) or (isinstance(found, ast.Call) and found.args):
        raise InputError(f"'{spec}' is no part; {example}")
    told = found.keywords if isinstance(found, ast.Call) else []
    return called.id.replace("_", "-"), {str(one.arg): _setting(one.value, spec) for one in told}


def _setting(node: ast.expr, spec: str) -> Any:
    if isinstance(node, ast.Name | ast.Call):
        words = {"true": True, "false": False}
        return words.get(node.id, node.id.replace("_", "-")) if isinstance(node, ast.Name) else _written(node, spec)
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise InputError(f"'{spec}': {ast.unparse(node)} is no setting; expected a number, a name or a call") from None


def _written(node: ast.Call, spec: str) -> str:
    name, settings = take_apart(ast.unparse(node))
    return spelled(name, settings)


def spelled(name: str, settings: Mapping[str, Any]) -> str:
    """The text that `take_apart` takes apart."""
    return name + (f"({', '.join(f'{key}={value}' for key, value in settings.items())})" if settings else "")


def part(kind: str, spec: str, **more: Any) -> Any:
    """Call the part that `spec` names with its settings and `more`. Raises `UnknownNameError`, or `InputError` for settings
    that it does not have or that are not what its signature says."""
    made, bound = bind(kind, spec, **more)
    return made(*bound.args, **bound.kwargs)


def bind(kind: str, spec: str, **more: Any) -> tuple[Any, inspect.BoundArguments]:
    """What `part` would call and with what, checked and not called. `spec` wins over `more`."""
    name, settings = take_apart(spec)
    made = load(kind, name)
    signature = inspect.signature(made)
    try:
        bound = signature.bind(**{**more, **settings})
    except TypeError as why:
        raise InputError(f"{kind} {name}: {why}") from None
    for key, value in settings.items():
        if key in bound.arguments:
            bound.arguments[key] = checked(value, str(signature.parameters[key].annotation), f"{kind} {name}: {key}")
    return made, bound
