"""Names of parts: what is built in, and what other packages add through entry points.

A part is one file and one line here, or one entry point (group `textanchor.<kind>`) in somebody else's package.
Looking up a name imports that part and no other.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from textanchor.errors import InputError, UnknownNameError
from textanchor.grammar import spelled, take_apart
from textanchor.settings import bound, settings_of

__all__ = ["BUILT_IN", "KINDS", "bind", "load", "names", "part", "spelled", "take_apart"]

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
        "efficientnet-lite0": "textanchor.encoders.efficientnet_lite:make",
        "signal-image": "textanchor.encoders.signal_image:make",
        "signal-audio": "textanchor.encoders.signal_audio:make",
        "signal-series": "textanchor.encoders.signal_series:make",
        "hub": "textanchor.encoders.hub:make",
        "onnx": "textanchor.encoders.onnx:make",
        "timm": "textanchor.encoders.timm:make",
        "open_clip": "textanchor.encoders.open_clip:make",
        "spectrogram": "textanchor.encoders.spectrogram:make",
        "vectors": "textanchor.encoders.vectors:make",
        "own": "textanchor.encoders.own:make",
    },
    "front": {
        "pixels": "textanchor.encoders.own.fronts.pixels:Pixels",
        "log-mel": "textanchor.encoders.own.fronts.log_mel:LogMel",
        "curves": "textanchor.encoders.own.fronts.curves:Curves",
    },
    "backbone": {
        "resnet": "textanchor.encoders.own.backbones.resnet:ResNet",
        "vit": "textanchor.encoders.own.backbones.vit:ViT",
        "pca": "textanchor.encoders.own.backbones.pca:PCA",
    },
    "pretext": {
        "supervised": "textanchor.pretraining.objectives.supervised:Supervised",
        "triplet": "textanchor.pretraining.objectives.triplet:Triplet",
        "simclr": "textanchor.pretraining.objectives.simclr:SimCLR",
        "vicreg": "textanchor.pretraining.objectives.vicreg:VICReg",
        "sigreg": "textanchor.pretraining.objectives.sigreg:SIGReg",
        "masked": "textanchor.pretraining.objectives.masked:Masked",
    },
    "augmentation": {
        "nothing": "textanchor.pretraining.augmenting.nothing:Nothing",
        "pictures": "textanchor.pretraining.augmenting.pictures:Pictures",
        "spectra": "textanchor.pretraining.augmenting.spectra:Spectra",
        "curves": "textanchor.pretraining.augmenting.curves:Curves",
    },
    "student": {
        "layers": "textanchor.distilling.anchors.layers:Layers",
        "static": "textanchor.distilling.anchors.static:Static",
        "adapted": "textanchor.distilling.anchors.adapted:Adapted",
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
        "skip-mlp": "textanchor.projectors.skip_mlp:SkipMLP",
        "chain": "textanchor.projectors.chain:Chain",
        "names": "textanchor.projectors.names:Names",
        "prior": "textanchor.projectors.names:Prior",
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
        "names": "textanchor.aligners.names:ByNames",
        "with-names": "textanchor.aligners.names:WithNames",
        "soft-pairs": "textanchor.aligners.unpaired.soft_pairs:SoftPairs",
        "mutual-neighbours": "textanchor.aligners.unpaired.soft_pairs:mutual_neighbours",
        "wasserstein-procrustes": "textanchor.aligners.unpaired.soft_pairs:wasserstein_procrustes",
        "structure": "textanchor.aligners.unpaired.structure:Structure",
        "text-only": "textanchor.aligners.unpaired.text_only:TextOnly",
        "transport-taught": "textanchor.aligners.unpaired.transported:TransportTaught",
        "vse": "textanchor.aligners.latent:vse",
        "adversarial": "textanchor.aligners.latent:adversarial",
        "jwae": "textanchor.aligners.latent:jwae",
        "cycle": "textanchor.aligners.latent:cycle",
        "vec2vec": "textanchor.aligners.latent:vec2vec",
    },
    "index": {
        "exact": "textanchor.collections.backends.exact:Exact",
        "faiss": "textanchor.collections.backends.faiss:Faiss",
        "pgvector": "textanchor.collections.backends.pgvector:PgVector",
        "milvus": "textanchor.collections.backends.milvus:Milvus",
    },
    "sample": {
        "digits": "textanchor.data.samples.digits:write",
        "mnist-fsdd": "textanchor.data.samples.mnist_fsdd:write",
    },
    "check": {
        "leakage": "textanchor.doctor.checks.leakage:check",
        "reading": "textanchor.doctor.checks.reading:check",
        "copies": "textanchor.doctor.checks.copies:check",
        "split": "textanchor.doctor.checks.split:check",
        "groups": "textanchor.doctor.checks.groups:check",
        "singles": "textanchor.doctor.checks.singles:check",
        "texts": "textanchor.doctor.checks.texts:check",
        "remarks": "textanchor.doctor.checks.remarks:check",
        "near-duplicates": "textanchor.doctor.checks.near_duplicates:check",
        "alignable": "textanchor.doctor.checks.alignable:check",
        "network": "textanchor.doctor.checks.network:check",
        "size": "textanchor.doctor.checks.size:check",
        "more-pairs": "textanchor.doctor.checks.more_pairs:check",
    },
    "proposer": {
        "names": "textanchor.labelling.proposers.names:Names",
        "name-shots": "textanchor.labelling.proposers.name_shots:NameShots",
        "logistic": "textanchor.labelling.proposers.logistic:Logistic",
        "kernel-ridge": "textanchor.labelling.proposers.kernel_ridge:KernelRidge",
        "spreading": "textanchor.labelling.proposers.spreading:Spreading",
        "em": "textanchor.labelling.proposers.em:EM",
        "ensemble": "textanchor.labelling.proposers.ensemble:Ensemble",
    },
    "guarantee": {
        "average": "textanchor.labelling.guarantee.average:Average",
        "confidence": "textanchor.labelling.guarantee.confidence:Confidence",
        "audit": "textanchor.labelling.guarantee.audit:Audit",
    },
    "strategy": {
        "random": "textanchor.labelling.asking.at_random:AtRandom",
        "covering": "textanchor.labelling.asking.covering:Covering",
        "typical": "textanchor.labelling.asking.typical:Typical",
        "k-centre": "textanchor.labelling.asking.k_centre:KCentre",
        "margin": "textanchor.labelling.asking.margin:Margin",
        "active": "textanchor.labelling.asking.active:Active",
        "spread-then-margin": "textanchor.labelling.asking.spread_then_margin:SpreadThenMargin",
    },
    "command": {
        "demo": "textanchor.cli.demo:command",
        "samples": "textanchor.cli.samples:command",
        "start": "textanchor.cli.start:command",
        "fit": "textanchor.cli.fit:command",
        "doctor": "textanchor.cli.doctor:command",
        "pretrain": "textanchor.cli.pretrain:command",
        "distill": "textanchor.cli.distill:command",
        "finetune": "textanchor.cli.finetune:command",
        "bench": "textanchor.cli.bench:command",
        "budget": "textanchor.cli.budget:command",
        "rerun": "textanchor.cli.rerun:command",
        "search": "textanchor.cli.search:command",
        "index-card": "textanchor.cli.index_card:command",
        "collection": "textanchor.cli.collection:command",
        "classify": "textanchor.cli.classify:command",
        "label": "textanchor.cli.label:command",
        "evaluate": "textanchor.cli.evaluate:command",
        "embed": "textanchor.cli.embed:command",
        "encode": "textanchor.cli.encode:command",
        "serve": "textanchor.cli.serve:command",
        "studio": "textanchor.cli.studio:command",
        "export": "textanchor.cli.export:command",
        "import": "textanchor.cli.importing:command",
        "pack": "textanchor.cli.pack:command",
        "split-video": "textanchor.cli.split_video:command",
        "cache": "textanchor.cli.cache:command",
    },
}
KINDS = tuple(BUILT_IN)


@lru_cache
def _foreign(kind: str) -> Mapping[str, EntryPoint]:
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"textanchor.{kind}"):
        other = BUILT_IN[kind].get(point.name) or (point.name in points and points[point.name].value)
        if other and other != point.value:
            raise InputError(
                f"{kind} '{point.name}' is registered twice: by {other} and by {point.value}; "
                "uninstall one of the two packages or have it choose another name"
            )
        points[point.name] = point
    return points


def names(kind: str) -> tuple[str, ...]:
    """All names of one kind, built-in ones first; imports nothing."""
    return (*BUILT_IN[kind], *(name for name in _foreign(kind) if name not in BUILT_IN[kind]))


def load(kind: str, name: str) -> Any:
    """The part of that kind and name; `-` and `_` are told apart only if both names are taken.

    Raises `UnknownNameError` with the nearest names.
    """
    known = names(kind)
    same = [other for other in known if name == other] or [other for other in known if _folded(name) == _folded(other)]
    if len(same) != 1:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UnknownNameError(f"no {kind} is called '{name}'{hint} (known: {', '.join(sorted(known))})")
    foreign = _foreign(kind)
    if same[0] in foreign:
        return foreign[same[0]].load()
    module, _, attribute = BUILT_IN[kind][same[0]].partition(":")
    return getattr(import_module(module), attribute)


def _folded(name: str) -> str:
    return name.replace("_", "-")


def part(kind: str, spec: str, **more: Any) -> Any:
    """Call the part that `spec` names with its settings and `more`. Raises `UnknownNameError`, or `InputError` for settings
    that it does not have or that are not what its signature says."""
    factory, arguments = bind(kind, spec, **more)
    return factory(*arguments.args, **arguments.kwargs)


def bind(kind: str, spec: str, **more: Any) -> tuple[Any, inspect.BoundArguments]:
    """What `part` would call and with what, checked and not called. `spec` wins over `more` where a setting has a default."""
    try:
        name, settings = take_apart(spec)
    except InputError as why:
        raise InputError(f"{why}{_settings_of(kind, spec.partition('(')[0].strip(), more)}") from None
    factory = load(kind, name)
    return factory, bound(factory, settings, given=more, place=f"{kind} {name}")


def _settings_of(kind: str, name: str, given: Mapping[str, Any]) -> str:
    """What a part has to set, as the end of an error; nothing for a name that nobody knows."""
    if name not in names(kind):
        return ""
    return f"; the settings of {name}: {', '.join(settings_of(load(kind, name), given)) or 'none'}"
