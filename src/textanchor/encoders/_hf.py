"""What is peculiar to Hugging Face libraries: noise while loading, errors of many kinds, hashes of weights."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textanchor.errors import InputError, MissingError, TextAnchorError


@contextmanager
def quiet() -> Iterator[None]:
    """No bars, reports or warnings of the library while a model is loaded; its settings are put back."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    level, bars, hub_level = logging.get_verbosity(), logging.is_progress_bar_enabled(), hub_logging.get_verbosity()
    logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        hub_logging.set_verbosity(hub_level)
        if bars:
            logging.enable_progress_bar()


def missing_model(name: str, why: BaseException) -> TextAnchorError:
    """One line for whatever the library raised, with what to do."""
    argument = name.partition(":")[2]
    if Path(argument).expanduser().is_dir():
        return InputError(f"{name} is a folder without a usable model: {' '.join(str(why).split())[:200]}")
    if argument.startswith((".", "/", "~")):
        return InputError(f"{name}: no such folder")
    return MissingError(
        f"model {name} is neither a folder nor on this machine, and it could not be fetched; "
        f"with a network: hf download {argument}; without one: name a folder that holds it"
    )


def weights_hash(model: Any) -> str:
    """sha256 over the names, shapes and bytes of all parameters and buffers, wherever they were loaded from."""
    import torch

    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        held = tensor.detach().cpu().contiguous()
        total.update(f"{name} {held.dtype} {tuple(held.shape)} ".encode())
        total.update(held.reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()
