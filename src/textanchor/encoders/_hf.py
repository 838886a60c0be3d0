"""What is peculiar to Hugging Face libraries: fetching, noise while loading, errors of many kinds, hashes of weights."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from textanchor.errors import InputError, MissingError, TextAnchorError
from textanchor.files import located

log = logging.getLogger(__name__)
NEEDED = ("*.json", "*.txt", "*.model", "model*.safetensors", "*/model*.safetensors", "open_clip_model.safetensors")
NOT_NEEDED = ("onnx/*", "openvino/*", "coreml/*", "*.fp16.safetensors", "*/.*", "original/*")
_PATTERNS: dict[str, Any] = {"allow_patterns": list(NEEDED), "ignore_patterns": list(NOT_NEEDED)}


@contextmanager
def quiet() -> Iterator[None]:
    """No bars, reports or warnings of the library while a model is loaded; its settings are put back."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging as library

    level, bars, hub_level = library.get_verbosity(), library.is_progress_bar_enabled(), hub_logging.get_verbosity()
    library.set_verbosity_error()
    hub_logging.set_verbosity_error()
    library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        library.set_verbosity(level)
        hub_logging.set_verbosity(hub_level)
        if bars:
            library.enable_progress_bar()


def fetched(scheme: str, argument: str, revision: str | None, *, offline: bool) -> Path:
    """The folder of a model: the one named, the hub's copy on this machine, or one fetched now.

    Before anything is fetched, its size, licence and revision are logged as a warning, which shows by default. Only
    safetensors weights are taken. Raises `InputError` or `MissingError`.
    """
    place = located(argument)
    if place.is_dir():
        if revision:
            raise InputError(f"{scheme}:{argument} is a folder; a revision belongs to a model id")
        return place
    if argument.startswith((".", "/", "~")):
        raise InputError(f"{scheme}:{argument}: no such folder")
    present = _on_this_machine(argument, revision)
    if present is not None:
        return present
    if offline:
        raise MissingError(
            f"model {scheme}:{argument} is not on this machine, and offline mode forbids fetching it; "
            f"with a network: hf download {argument}; without one: name a folder that holds it"
        )
    return _download(scheme, argument, revision)


def _on_this_machine(argument: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(argument, revision=revision, local_files_only=True, **_PATTERNS))
    except (OSError, ValueError):  # LocalEntryNotFoundError, or no valid id; the hub will say which
        return None
    whole = any((folder / name).exists() for name in ("config.json", "modules.json", "open_clip_config.json"))
    return folder if whole and any(is_needed(path.name) for path in folder.rglob("*.safetensors")) else None


def _download(scheme: str, argument: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    try:
        info = HfApi().model_info(argument, revision=revision, files_metadata=True, timeout=15)
        files = {file.rfilename: file.size or 0 for file in info.siblings or () if is_needed(file.rfilename)}
        if not any(name.endswith(".safetensors") for name in files):
            raise InputError(
                f"model {scheme}:{argument} has no safetensors weights; other formats run code when they are read. "
                "Convert it (save_pretrained) and name the folder"
            )
        licence = getattr(info.card_data, "license", None) or "not stated"
        log.warning(
            "fetching %s:%s: %d files, %.1f MB; licence: %s; revision %s", scheme, argument, len(files),
            sum(files.values()) / 1e6, licence, info.sha,
        )  # fmt: skip
        return Path(snapshot_download(argument, revision=revision, **_PATTERNS))
    except InputError:
        raise
    except Exception as why:  # the library's errors, and those of the HTTP client below it, share no public base
        raise missing_model(f"{scheme}:{argument}", why) from None


def is_needed(name: str) -> bool:
    """Whether a file of a model's folder is read: settings, vocabularies and safetensors weights."""
    return any(fnmatch(name, pattern) for pattern in NEEDED) and not any(fnmatch(name, pattern) for pattern in NOT_NEEDED)


def missing_model(name: str, why: BaseException) -> TextAnchorError:
    """One line for whatever the library raised, with what to do."""
    argument = name.partition(":")[2]
    if located(argument).is_dir():
        return InputError(f"{name} is a folder without a usable model: {' '.join(str(why).split())[:200]}")
    return MissingError(
        f"model {name} is neither a folder nor on this machine, and it could not be fetched ({type(why).__name__}); "
        f"with a network: hf download {argument}; without one: name a folder that holds it"
    )


def check_complete(name: str, model: Any, missing: Iterable[str]) -> None:
    """Raise `InputError` if weights are missing, which the library would fill at random.

    A pooler that was never saved is taken off; a mask vector that only training uses becomes zeros.
    """
    import torch

    absent = sorted(missing)
    if absent and all(key.startswith("pooler.") for key in absent):
        model.pooler, absent = None, []
    for key in [key for key in absent if key.endswith("masked_spec_embed")]:
        with torch.no_grad():
            model.get_parameter(key).zero_()
        absent.remove(key)
    if absent:
        raise InputError(
            f"{name} lacks {len(absent)} weights of its own architecture, such as {absent[0]}; they would be random numbers. "
            "Name a whole checkpoint"
        )


def weights_hash(model: Any) -> str:
    """sha256 over the names, shapes and bytes of all parameters and buffers, wherever they were loaded from."""
    import torch

    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        total.update(f"{name} {values.dtype} {tuple(values.shape)} ".encode())
        total.update(values.reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()
