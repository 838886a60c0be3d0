"""A space as a folder of the Hugging Face hub: written with a model card, pushed, and pulled back as data of a stranger."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from textanchor.encoders import parse
from textanchor.encoders._hf import is_needed, quiet
from textanchor.errors import DamagedError, InputError, MissingError
from textanchor.files import located, new_folder, read_json, write_bytes
from textanchor.interop.card import card
from textanchor.interop.packing import write_packed
from textanchor.runtime import Runtime
from textanchor.space import Space
from textanchor.space.memory import forgetful
from textanchor.space.packed import ENCODERS
from textanchor.space.storage import FACTS, FORMAT, load, save

log = logging.getLogger(__name__)
CARD, SEEN = "README.md", "seen.json"
LARGEST = 64 << 20  # bytes of JSON and of a card
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_OF_THE_SPACE = re.compile(r"[\w-]+\.safetensors")
_OF_ENCODERS = (".onnx", ".data", ".pth")


def export_hub(
    space: Space,
    folder: str | Path,
    *,
    packed: bool = False,
    evaluation: str | Path | Mapping[str, Any] | None = None,
    licence: str | None = None,
    name: str = "",
    overwrite: bool = False,
) -> Path:
    """Write the space's own folder and a model card, README.md; with `packed` the encoders' files too.

    `evaluation` is a `metrics.json` of `textanchor evaluate`, the folder that holds it, or what `Evaluation.metrics` gives;
    `name` is the repository's. Raises `InputError` if the folder exists, or for encoders that only this machine has, unless
    they are packed.
    """
    if not packed:
        _check_reachable(space)
    metrics = evaluation if isinstance(evaluation, Mapping | None) else _metrics(located(evaluation))
    target = located(folder)
    with new_folder(target, overwrite=overwrite, marker=FACTS, sign=FORMAT) as new:
        own = forgetful(space)  # texts of the pairs are nobody else's
        if packed:
            write_packed(own, new)
        else:
            save(own, new, overwrite=True)
        text = card(space, name=name or target.name, evaluation=metrics, licence=licence)
        write_bytes(new / CARD, text.encode())
    return target


def push(
    space: Space,
    repository: str,
    *,
    packed: bool = False,
    evaluation: str | Path | Mapping[str, Any] | None = None,
    licence: str | None = None,
    private: bool = True,
) -> str:
    """Push a space with its model card to a repository of the hub, made where there is none; its address.

    Who may write there is the business of `hf auth login`. Raises `InputError` or `MissingError`.
    """
    _check_repository(repository)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / repository.rpartition("/")[2]
        export_hub(space, folder, packed=packed, evaluation=evaluation, licence=licence, name=repository)
        return upload(folder, repository, private=private)


def upload(folder: str | Path, repository: str, *, private: bool = True) -> str:
    """Push a folder that `export_hub` wrote; the address. Raises `MissingError` where the hub cannot be reached."""
    _check_repository(repository)
    place = located(folder)
    load(place)
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        told: Any = api.upload_folder(repo_id=repository, folder_path=str(place), commit_message="A textanchor space")
    except Exception as why:  # the library's errors, and those of the HTTP client below it, share no public base
        raise MissingError(
            f"{repository} could not be pushed ({type(why).__name__}: {_short(why)}); log in with: hf auth login; "
            f"the folder {place} is complete and can be pushed later"
        ) from None
    return str(getattr(told, "commit_url", told))


def pull(
    source: str | Path,
    folder: str | Path,
    *,
    revision: str | None = None,
    overwrite: bool = False,
    runtime: Runtime | None = None,
) -> Space:
    """Fetch a space from a repository of the hub (`user/name`), or copy one from a folder, and load it.

    What comes is data of a stranger: only files that a space has are taken, nothing behind a link, no code, and every number
    is checked against the hashes that the space states. Raises `InputError`, `DamagedError` or `MissingError`.
    """
    how = runtime or Runtime()
    target, place = located(folder), located(source)
    with tempfile.TemporaryDirectory() as temporary:
        if not place.is_dir():
            place = _fetched(str(source), revision, Path(temporary) / "fetched", offline=how.offline)
        with new_folder(target, overwrite=overwrite, marker=FACTS, sign=FORMAT) as new:
            for path in _expected(place):
                to = new / path.relative_to(place)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to, follow_symlinks=False)
            load(new, runtime=how)
    return load(target, runtime=how)


def _fetched(repository: str, revision: str | None, to: Path, *, offline: bool) -> Path:
    if not _REPOSITORY.fullmatch(repository):
        raise InputError(f"{repository} is neither a folder nor a repository of the hub; expected user/name")
    if offline:
        raise MissingError(f"{repository} is fetched from the hub, and offline mode forbids it; name a folder that holds it")
    from huggingface_hub import HfApi, snapshot_download

    try:
        info = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=15)
        sizes = {one.rfilename: int(one.size or 0) for one in info.siblings or ()}
        wanted = sorted(name for name in sizes if _is_expected(name))
        if FACTS not in wanted:
            raise InputError(f"{repository} holds no {FACTS}; expected a repository that `textanchor export --to hub` made")
        size = sum(sizes[name] for name in wanted) / 1e6
        log.warning("fetching %s: %d files, %.1f MB; revision %s", repository, len(wanted), size, info.sha)
        with quiet():
            snapshot_download(repository, revision=info.sha, local_dir=to, allow_patterns=wanted)
    except InputError:
        raise
    except Exception as why:
        raise MissingError(f"{repository} could not be fetched ({type(why).__name__}: {_short(why)})") from None
    return to


def _expected(place: Path) -> Iterator[Path]:
    """The files of a space within a folder. Raises `InputError` or `DamagedError` for none, for links and for giants."""
    if not (place / FACTS).is_file():
        raise InputError(f"{place} is no space: it has no {FACTS}")
    for path in _walked(place):
        name = path.relative_to(place).as_posix()
        if not _is_expected(name):
            continue
        if path.is_symlink() or any(parent.is_symlink() for parent in _inside(path, place)):
            raise DamagedError(f"{name} is a link; a space is taken as plain files only")
        if path.suffix in (".json", ".md") and "/" not in name and path.stat().st_size > LARGEST:
            raise DamagedError(f"{name} has {path.stat().st_size:,} bytes; expected at most {LARGEST:,}")
        if path.is_file():
            yield path
    read_json(place / FACTS)


def _walked(place: Path) -> Iterable[Path]:
    """Everything but what lies behind links to folders, and of downloads the library's own notes."""
    return sorted(path for path in place.rglob("*") if ".cache" not in path.relative_to(place).parts)


def _inside(path: Path, place: Path) -> list[Path]:
    return [parent for parent in path.parents if parent != place and parent.is_relative_to(place)]


def _is_expected(name: str) -> bool:
    """Whether a space has such a file: its facts, numbers and card, and models as numbers, graphs and settings."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or part.startswith(".") for part in parts) or "\\" in name:
        return False
    if len(parts) == 1:
        return name in (FACTS, SEEN, CARD) or _OF_THE_SPACE.fullmatch(name) is not None
    return parts[0] == ENCODERS and len(parts) > 2 and (is_needed("/".join(parts[2:])) or name.endswith(_OF_ENCODERS))


def _check_reachable(space: Space) -> None:
    for name in (space.anchor, *(one.encoder for one in space.modalities.values())):
        call = parse(name)
        while call.inner:
            call = parse(call.inner)
        if call.argument and located(call.argument).exists():
            raise InputError(f"encoder {name} lies on this machine only; take its files along: --packed")


def _check_repository(repository: str) -> None:
    if not _REPOSITORY.fullmatch(repository):
        raise InputError(f"{repository!r} is no repository of the hub; expected user/name")


def _metrics(place: Path) -> Mapping[str, Any]:
    file = place / "metrics.json" if place.is_dir() else place
    told = read_json(file)
    if not isinstance(told, dict) or "alignment" not in told:
        raise InputError(f"{file} holds no figures; expected metrics.json of `textanchor evaluate -o FOLDER`")
    return told


def _short(why: BaseException) -> str:
    return " ".join(str(why).split())[:160]
