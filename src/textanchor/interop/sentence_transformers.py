"""A space as a folder of sentence-transformers: texts by the anchor's own modules, images and some sounds beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.encoders._hf import quiet
from textanchor.errors import InputError, MissingError
from textanchor.files import located, new_folder, read_json, write_json
from textanchor.interop.branches import Branch, item_branch, text_branch
from textanchor.interop.reading_texts import EXAMPLES, anchor_model
from textanchor.records import Waveform
from textanchor.space import TEXT, Space

BOUND = 1e-5  # largest difference to our own vectors, in units of the largest number or of 1
KNOWN = ("image", "audio")
MODULES, ROUTER = "modules.json", "router_config.json"
OURS = f"{__name__.rpartition('.')[0]}."


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What a folder holds: its modalities, those that it cannot hold with the reason, and whether it brings code of its own.

    A folder with code of its own loads with `trust_remote_code=True`. `difference` is the largest that was seen.
    """

    folder: Path
    modalities: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    own_code: bool = False
    difference: float = 0.0


def export_sentence_transformers(
    space: Space,
    folder: str | Path,
    *,
    modalities: Sequence[str] | None = None,
    compared_with: str | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a folder that `SentenceTransformer(folder).encode` takes, without textanchor; vectors are those of `Space.embed`.

    Texts go through the anchor's own modules, images through their hub model, a pool and dense layers. Projectors that are no
    dense layers (kernels, mixtures, ...) and pools that no stock module has come with one file of code, `projection.py`.
    Vectors are raw, or with `compared_with` as they are compared with that modality, of length 1. What is written is loaded
    and compared with our vectors before it is handed over. `modalities` are all that can be held, unless they are named.
    Raises `InputError` for a named modality that cannot be held, and for an anchor of another kind.
    """
    _check_library()
    target = located(folder)
    with tempfile.TemporaryDirectory() as scratch:
        branches, left_out = _branches(space, modalities, compared_with, Path(scratch))
        own = any(branch.own_code for branch in branches)
        with new_folder(target, overwrite=overwrite, marker=MODULES, sign="sentence_transformers") as new:
            _write(space, branches, new)
            difference = max(_tried(space, branch.modality, compared_with, new, own=own) for branch in branches)
            if not difference <= BOUND:
                raise InputError(f"the folder's vectors differ from ours by {difference:.1e}; it is not handed over")
    found = tuple(branch.modality for branch in branches)
    return Exported(folder=target, modalities=found, left_out=left_out, own_code=own, difference=difference)


def _branches(
    space: Space, named: Sequence[str] | None, compared_with: str | None, scratch: Path
) -> tuple[list[Branch], dict[str, str]]:
    """Texts and what is asked for, and why of all that is there some is left out."""
    branches, left_out = [text_branch(space, compared_with)], dict[str, str]()
    for name in dict.fromkeys(named or space.modalities):
        if name == TEXT:
            continue
        try:
            if name not in KNOWN:
                space.geometry.side(name)
                raise InputError(f"{name}: the library's modules read texts, images and sounds, and no {name}")
            branches.append(item_branch(space, name, compared_with, scratch))
        except (InputError, MissingError) as why:
            if named:
                raise
            left_out[name] = str(why)
    return branches, left_out


def _write(space: Space, branches: Sequence[Branch], folder: Path) -> None:
    with quiet():
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Router

        routes = {(None, branch.modality): branch.modality for branch in branches}
        router = Router({branch.modality: branch.modules for branch in branches}, default_route=TEXT, route_mappings=routes)
        prompt = anchor_model(space)[2]
        prompts = {"prompts": {"anchor": prompt}, "default_prompt_name": "anchor"} if prompt else {}
        model = SentenceTransformer(modules=[router], device="cpu", **prompts)
        model.save(str(folder), create_model_card=False)
    (place,) = folder.rglob(ROUTER)
    told = read_json(place)
    told["types"] = {name: _standing_alone(kind, folder) for name, kind in told["types"].items()}
    write_json(place, told)
    for branch in branches:
        if branch.processing:
            settings = place.parent / f"{branch.modality}_0_Transformer" / "sentence_bert_config.json"
            write_json(settings, {**read_json(settings), "processor_kwargs": dict(branch.processing)})


def _standing_alone(kind: str, folder: Path) -> str:
    """The class of a module as the folder names it; of one of ours, whose file is copied there, without our package."""
    if not kind.startswith(OURS):
        return kind
    module, _, name = kind.removeprefix(OURS).partition(".")
    shutil.copyfile(Path(__file__).with_name(f"{module}.py"), folder / f"{module}.py")
    return f"{module}.{name}"


def _tried(space: Space, modality: str, compared_with: str | None, folder: Path, *, own: bool) -> float:
    """The largest difference between the vectors of the folder and ours, on a few made-up items."""
    with quiet():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu", trust_remote_code=own)
        ours, theirs = _examples(space, modality)
        found = model.encode(theirs, show_progress_bar=False, convert_to_numpy=True)
    wanted = space.embed(ours, modality=modality, compared_with=compared_with)
    return float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max()))


def _examples(space: Space, modality: str) -> tuple[list[Any], list[Any]]:
    """Items as a space takes them, and as the library does."""
    if modality == TEXT:
        return EXAMPLES, EXAMPLES
    rng = np.random.default_rng(0)
    if modality == "image":
        from PIL import Image

        sizes = ((40, 56), (64, 64), (97, 31))
        pictures = [Image.fromarray(rng.integers(0, 256, size=(*size, 3), dtype=np.uint8)) for size in sizes]
        return pictures, pictures
    rate = 16_000
    sounds = [rng.normal(0, 0.1, size=length).astype(np.float32) for length in (4_000, 9_000)]
    held: list[Any] = [Waveform(samples=sound, rate=rate) for sound in sounds]
    return held, [{"audio": {"array": sound, "sampling_rate": rate}} for sound in sounds]


def _check_library() -> None:
    try:
        from sentence_transformers.base.modules import Router  # noqa: F401
    except ImportError:
        raise MissingError(
            "this version of sentence-transformers has no modules for several modalities; get one that has: "
            "pip install -U 'sentence-transformers>=5.4'"
        ) from None
