"""Vision towers of open_clip; the extra `[open-clip]`."""

from __future__ import annotations

import numpy as np
from PIL import Image

from textanchor.encoders import Spec
from textanchor.encoders._hf import fetched, missing_model, quiet, weights_hash
from textanchor.encoders._squares import SquareImages
from textanchor.errors import InputError, MissingError
from textanchor.files import digest


def make(spec: Spec, modality: str, device: str) -> SquareImages:
    """`open_clip:<model id or folder>[@revision=...]`: image embeddings before they are brought to unit length."""
    spec.only("revision")
    if not spec.argument or modality != "image":
        raise InputError(
            f"open_clip: encodes images by a model such as open_clip:laion/CLIP-ViT-B-32-laion2B-s34B-b79K, not {modality} "
            f"by '{spec.argument}'"
        )
    try:
        import open_clip
    except ImportError:
        raise MissingError("open_clip is not installed; get it with: pip install 'textanchor[open-clip]'") from None
    folder = fetched("open_clip", spec.argument, spec.options.get("revision"))
    with quiet():
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(f"open_clip:{spec.argument}", why) from None
    model = model.to(device).eval()

    def prepare(image: Image.Image) -> np.ndarray:
        return np.asarray(preprocess(image), dtype=np.float32)

    print_of = digest("open_clip", weights_hash(model), str(preprocess))
    return SquareImages(prepare, model.encode_image, device=device, fingerprint=print_of, name=f"open_clip:{spec.argument}")
