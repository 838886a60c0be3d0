"""Vision towers of open_clip; the extra `[open-clip]`."""

from __future__ import annotations

import numpy as np
from PIL import Image

from textanchor.encoders._hf import fetched, missing_model, quiet, weights_hash
from textanchor.encoders._image_model import ImageModel
from textanchor.errors import InputError, MissingError
from textanchor.files import digest
from textanchor.runtime import Runtime


def make(argument: str, *, modality: str, runtime: Runtime, revision: str | None = None) -> ImageModel:
    """`open_clip:<model id or folder>[@revision=...]`: image embeddings before they are brought to unit length."""
    if not argument or modality != "image":
        raise InputError(
            f"open_clip: encodes images by a model such as open_clip:laion/CLIP-ViT-B-32-laion2B-s34B-b79K, not {modality} "
            f"by '{argument}'"
        )
    try:
        import open_clip
    except ImportError:
        raise MissingError("open_clip is not installed; get it with: pip install 'textanchor[open-clip]'") from None
    folder = fetched("open_clip", argument, revision, offline=runtime.offline)
    with quiet():
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(f"open_clip:{argument}", why) from None
    model = model.to(runtime.device).eval()

    def prepare(image: Image.Image) -> np.ndarray:
        return np.asarray(preprocess(image), dtype=np.float32)

    fingerprint = digest("open_clip", weights_hash(model), str(preprocess))
    return ImageModel(prepare, model.encode_image, device=runtime.device, fingerprint=fingerprint, name=f"open_clip:{argument}")
