"""textanchor: any kind of data in one vector space anchored in text.

Public names are those listed here; they are imported when first used, so that `import textanchor` loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textanchor.bench import compare as compare
    from textanchor.bench.plan import Grid as Grid
    from textanchor.bench.rerun import rerun as rerun
    from textanchor.data.pairs import read_pairs as read_pairs
    from textanchor.data.samples import write_sample as write_sample
    from textanchor.data.split_video import split_video as split_video
    from textanchor.data.splits import split as split
    from textanchor.data.wording import wording as wording
    from textanchor.doctor import diagnose as diagnose
    from textanchor.embedding import embed_collection as embed_collection
    from textanchor.errors import InputError as InputError
    from textanchor.errors import ItemError as ItemError
    from textanchor.errors import LeakError as LeakError
    from textanchor.errors import MissingError as MissingError
    from textanchor.errors import NothingUsableError as NothingUsableError
    from textanchor.errors import TextAnchorError as TextAnchorError
    from textanchor.evaluation import Evaluation as Evaluation
    from textanchor.evaluation import evaluate as evaluate
    from textanchor.evaluation.report import write_report as write_report
    from textanchor.index import build_index as build_index
    from textanchor.latents.collections import encode_collection as encode_collection
    from textanchor.records import Choice as Choice
    from textanchor.records import Clip as Clip
    from textanchor.records import Fit as Fit
    from textanchor.records import Item as Item
    from textanchor.records import Pair as Pair
    from textanchor.records import PairedLatents as PairedLatents
    from textanchor.records import Pairs as Pairs
    from textanchor.records import Pooled as Pooled
    from textanchor.records import Ragged as Ragged
    from textanchor.records import Series as Series
    from textanchor.records import Task as Task
    from textanchor.records import Unpaired as Unpaired
    from textanchor.records import View as View
    from textanchor.records import Waveform as Waveform
    from textanchor.searching import Hit as Hit
    from textanchor.searching import search as search
    from textanchor.space import Space as Space
    from textanchor.space.fitting import fit as fit
    from textanchor.space.storage import load as load

_HOMES = {
    "data.pairs": ("read_pairs",),
    "data.samples": ("write_sample",),
    "data.split_video": ("split_video",),
    "data.splits": ("split",),
    "bench": ("compare",),
    "bench.plan": ("Grid",),
    "bench.rerun": ("rerun",),
    "data.wording": ("wording",),
    "doctor": ("diagnose",),
    "embedding": ("embed_collection",),
    "errors": ("InputError", "ItemError", "LeakError", "MissingError", "NothingUsableError", "TextAnchorError"),
    "evaluation": ("Evaluation", "evaluate"),
    "evaluation.report": ("write_report",),
    "index": ("build_index",),
    "latents.collections": ("encode_collection",),
    "records": (
        "Choice",
        "Clip",
        "Fit",
        "Item",
        "Pair",
        "PairedLatents",
        "Pairs",
        "Pooled",
        "Ragged",
        "Series",
        "Task",
        "Unpaired",
        "View",
        "Waveform",
    ),
    "searching": ("Hit", "search"),
    "space": ("Space",),
    "space.fitting": ("fit",),
    "space.storage": ("load",),
}
_HOME = {name: home for home, held in _HOMES.items() for name in held}

__all__ = [  # noqa: RUF022 - by use, not by alphabet
    "read_pairs", "write_sample", "split", "split_video", "encode_collection", "embed_collection",
    "fit", "load", "Space",
    "build_index", "search", "Hit",
    "evaluate", "Evaluation", "write_report",
    "diagnose", "compare", "Grid", "rerun", "wording",
    "Item", "Pair", "Pairs", "Waveform", "Series", "Clip", "Pooled", "Ragged", "PairedLatents", "Unpaired", "View",
    "Task", "Fit", "Choice",
    "TextAnchorError", "InputError", "LeakError", "MissingError", "NothingUsableError", "ItemError",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from textanchor.config import installed

        return installed("textanchor") or "0+unknown"
    if name not in _HOME:
        raise AttributeError(f"module 'textanchor' has no attribute '{name}'")
    found = getattr(import_module(f"textanchor.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
