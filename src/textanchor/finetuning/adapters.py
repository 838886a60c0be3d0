"""Low-rank adapters, by peft."""

from __future__ import annotations

from typing import Any

from torch import nn

from textanchor.errors import InputError, MissingError
from textanchor.finetuning.depth import Depth


def adapted(model: nn.Module, rank: int, *, below: int) -> Any:
    """Put W + 2 B A beside every linear map of the blocks from layer `below` upwards; all else stays as it is.

    `merge_and_unload` of what is returned adds them to the weights. Source: Hu et al. 2022, arXiv:2106.09685, equation 3, with
    alpha twice the rank. Raises `InputError` for a model without such maps, `MissingError` without peft.
    """
    try:
        from peft import LoraConfig, LoraModel
    except ImportError:
        raise MissingError("peft is not installed; get it with: pip install 'textanchor[finetune]'") from None
    depth = Depth(model)
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.startswith(f"{depth.trunk}.") and depth.of(name) >= below
    ]
    if not names:
        raise InputError(f"lora={rank}: no linear map in the blocks of {type(model).__name__}; adapters are for transformers")
    return LoraModel(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names), "tuned")
