"""A space as a folder.

    space.json                 anchor, modalities, stories, the sha256 of every other file
    seen.json                  content hashes and groups that it was fitted and selected on
    <modality>.safetensors     numbers of the projector and the view
    memory.json                by table: content hashes with sides and groups, texts, and which belong together
    memory.sums.safetensors    by table: sums over what was fitted, from which ridge regression follows
    encoders/                  of a packed space: the encoders' files, each model known by its fingerprint

Nothing is pickled. A missing, altered or newer file is an answer, not a stack trace. Folders of format 1 and 2 are read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as as_bytes

from textanchor.errors import DamagedError, InputError
from textanchor.files import digest, file_digest, located, new_folder, read_json, write_bytes, write_json
from textanchor.runtime import Runtime, Simple, settled
from textanchor.space import memory
from textanchor.space.fitted import Fitted
from textanchor.space.former import brought_up
from textanchor.space.numbers import arrays, described, read_fitted
from textanchor.space.packed import refuse_own_encoders, unpacked, with_places
from textanchor.space.seen import Seen
from textanchor.space.space import Space
from textanchor.space.story import Story

FORMAT, VERSION, FACTS = "textanchor-space", 3, "space.json"
MEMORY, SUMS = "memory.json", "memory.sums.safetensors"


def save(space: Space, folder: Path, *, overwrite: bool) -> Path:
    """Write the folder whole or not at all. Raises `InputError` if it exists, unless `overwrite`."""
    refuse_own_encoders(space, folder)
    with new_folder(folder, overwrite=overwrite, marker=FACTS, sign=FORMAT) as new:
        seen = space.seen
        write_json(
            new / "seen.json",
            {
                "contents": dict(seen.contents),
                "groups": dict(seen.groups),
                "bare groups": dict(seen.bare_groups),
                "decoded": dict(seen.decoded),
            },
        )
        for name, fitted in space.modalities.items():
            write_bytes(new / f"{name}.safetensors", as_bytes(arrays(fitted)))
        if space.memory:
            write_json(new / MEMORY, [table.described() for table in space.memory])
            write_bytes(new / SUMS, as_bytes(memory.arrays(space.memory)))
        facts = {
            "format": FORMAT,
            "version": VERSION,
            "anchor": {"encoder": space.anchor, "fingerprint": space.anchor_fingerprint},
            "modalities": {name: described(fitted) for name, fitted in space.modalities.items()},
            "compositions": space.plans,
            "stories": [story.described() for story in space.stories],
            "files": {path.name: file_digest(path) for path in sorted(new.iterdir())},
        }
        write_json(new / FACTS, facts)
    return folder


def save_into(space: Space, folder: str | Path) -> Space:
    """Bring what the last fit added into the space that lies in a folder now, which another fit may have extended meanwhile.

    Raises `InputError` if the anchors differ; what `load` and `save` raise.
    """
    place = located(folder)
    from filelock import FileLock

    with FileLock(place.parent / f".{place.name}.lock"):
        current = load(place, runtime=space.runtime)
        if current.anchor_fingerprint != space.anchor_fingerprint:
            raise InputError(f"{place} has another anchor now ({current.anchor}, not {space.anchor}); save to another folder")
        story = space.stories[-1]
        added = {name: space.modalities[name] for name in story.modalities}
        plans = {name: plan for name, plan in space.plans.items() if current.plans.get(name) != plan}
        own = [table for table in space.memory if table.modality in added]
        merged = current.with_modalities(added, seen=space.seen, story=story, plans=plans, memory=own)
        save(merged, place, overwrite=True)
    return merged


def load(
    folder: str | Path,
    *,
    encoders: Mapping[str, str] | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Space:
    """Read a space. `encoders` names another place for a modality's encoder, which must be the same model.

    Raises `InputError` if it is no space, `DamagedError` if a file is missing, altered or of a newer version.
    """
    place = located(folder)
    if not (place / FACTS).is_file():
        raise InputError(f"{place} is no space: it has no {FACTS}; expected a folder written by `textanchor fit`")
    facts = read_json(place / FACTS)
    _check_version(facts, place)
    try:
        _check_files(facts["files"], place)
        facts, seen = brought_up(facts, read_json(place / "seen.json"))
        space = Space(
            anchor=unpacked(str(facts["anchor"]["encoder"]), place),
            anchor_fingerprint=str(facts["anchor"]["fingerprint"]),
            modalities={name: _fitted(name, told, place) for name, told in facts["modalities"].items()},
            runtime=settled(runtime, simple),
            seen=Seen(
                contents=dict(seen["contents"]),
                groups=dict(seen["groups"]),
                bare_groups=dict(seen["bare groups"]),
                decoded=dict(seen.get("decoded", {})),
            ),
            stories=[Story.read(with_places(told, place)) for told in facts["stories"]],
            plans={str(name): str(plan) for name, plan in facts["compositions"].items()},
            memory=_memory(place) if MEMORY in facts["files"] else (),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, SafetensorError) as why:
        if isinstance(why, InputError):
            raise
        raise DamagedError(f"{place / FACTS} is incomplete or altered ({why!r:.120}); fit the space again") from None
    for modality, name in (encoders or {}).items():
        space.replace_encoder(modality, name)
    space.place = place
    return space


def _memory(place: Path) -> tuple[memory.Remembered, ...]:
    numbers = read_arrays((place / SUMS).read_bytes())
    return memory.read_memory(read_json(place / MEMORY), numbers)


def _fitted(name: str, told: Mapping[str, Any], place: Path) -> Fitted:
    fitted = read_fitted(told, place / f"{name}.safetensors")
    return replace(fitted, encoder=unpacked(fitted.encoder, place))


def fingerprint(space: Space, *, only: str | None = None) -> str:
    """One hash of anchor, encoders, projectors and views; of one modality's alone with `only`."""
    parts = [space.anchor_fingerprint, *(f"{name} {plan}" for name, plan in sorted(space.plans.items()))]
    for name, fitted in sorted(space.modalities.items()):
        if only not in (None, name):
            continue
        parts += [name, fitted.fingerprint, digest(as_bytes(arrays(fitted)))]
    return digest(*parts)


def vector_fingerprint(space: Space, modality: str) -> str:
    """One hash of all that raw vectors of a modality depend on: anchor, encoder and projector, and for what is composed of
    others their views, but no view else. Raises `InputError` for a modality that the space does not have."""
    composed = modality in space.compositions
    kinds = space.compositions[modality].kinds if composed else (modality,)
    numbers = {
        f"{kind} {name}": value
        for kind in sorted(set(kinds) & set(space.modalities))
        for name, value in arrays(space.modalities[kind]).items()
        if composed or name.startswith("projector.")
    }
    told = [f"{name} {list(value.shape)} {digest(value.tobytes())}" for name, value in sorted(numbers.items())]
    return digest(space.anchor_fingerprint, space.latent_fingerprint(modality), *told)


def _check_version(facts: Any, place: Path) -> None:
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise DamagedError(f"{place / FACTS} does not describe a space; expected format '{FORMAT}'")
    version = facts.get("version")
    if not isinstance(version, int) or version < 1:
        raise DamagedError(f"{place / FACTS}: version {version!r} is no version; fit the space again")
    if version > VERSION:
        raise DamagedError(
            f"{place} has format version {version}, this textanchor reads up to {VERSION}; upgrade: pip install -U textanchor"
        )


def _check_files(files: Mapping[str, str], place: Path) -> None:
    for name, expected in files.items():
        if not re.fullmatch(r"[\w.-]+", name):
            raise DamagedError(f"{place / FACTS} names a file outside its folder: {name!r}")
        if not (place / name).is_file():
            raise DamagedError(f"{place / name} is missing; the space is incomplete, copy it again or fit anew")
        if file_digest(place / name) != expected:
            raise DamagedError(f"{place / name} was altered or damaged (its sha256 differs); copy it again or fit anew")
