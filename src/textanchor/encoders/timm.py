"""Image models of timm; the extra `[timm]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from textanchor.encoders._hf import fetched, missing_model, quiet, weights_hash
from textanchor.encoders._image_model import Cropped, ImageModel
from textanchor.encoders.imagenet import imagenet
from textanchor.errors import InputError, MissingError
from textanchor.files import digest
from textanchor.records import Head
from textanchor.runtime import Runtime

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def make(argument: str, *, modality: str, runtime: Runtime, revision: str | None = None) -> ImageModel:
    """`timm:<model name, model id or folder>[@revision=...]`: the model's own pooled features, size, mean and std."""
    if not argument or modality != "image":
        raise InputError(f"timm: encodes images by a model such as timm:resnet18.a1_in1k, not {modality} by '{argument}'")
    try:
        import timm
    except ImportError:
        raise MissingError("timm is not installed; get it with: pip install 'textanchor[timm]'") from None
    plain = "/" not in argument and not Path(argument).is_dir()
    folder = fetched("timm", f"timm/{argument}" if plain else argument, revision, offline=runtime.offline)
    with quiet():
        try:
            model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(f"timm:{argument}", why) from None
    model = model.to(runtime.device).eval()
    facts = timm.data.resolve_model_data_config(model)
    side, share = int(facts["input_size"][-1]), float(facts.get("crop_pct") or 1.0)
    how = RESAMPLING.get(str(facts.get("interpolation")), Image.Resampling.BICUBIC)

    prepare = Cropped(
        side=side, short=round(side / share), resample=how, full=255, mean=tuple(facts["mean"]), std=tuple(facts["std"])
    )
    fingerprint = digest("timm", weights_hash(model), repr(sorted((key, str(value)) for key, value in facts.items())))
    return ImageModel(
        prepare,
        model,
        device=runtime.device,
        fingerprint=fingerprint,
        name=f"timm:{argument}",
        head=lambda: _head(timm.create_model(f"local-dir:{folder}", pretrained=True)),
    )


def _head(whole: Any) -> Head | None:
    """The classifier of the pooled features, if its classes are ImageNet's 1000 or the model's own settings name them."""
    from torch import nn

    linear = whole.get_classifier()
    if not isinstance(linear, nn.Linear):
        return None
    weight = linear.weight.detach().numpy()
    bias = np.zeros(len(weight), np.float32) if linear.bias is None else linear.bias.detach().numpy()
    names = whole.pretrained_cfg.get("label_names")
    if names and len(names) == len(weight):
        return Head(names=tuple((str(name),) for name in names), weight=weight, bias=bias)
    return imagenet(weight, bias) if len(weight) == 1000 else None
