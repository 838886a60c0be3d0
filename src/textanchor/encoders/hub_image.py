"""Images for models of Hugging Face transformers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


class ImageFront:
    """The model's own image processor, by Pillow. `size` asks for squares of so many pixels instead of its own size."""

    modality = "image"
    seconds = None

    def __init__(self, folder: Path, model: Any, *, size: int | None) -> None:
        from transformers import AutoImageProcessor

        self._processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        self.size = size
        self._as_it_is = {"do_resize": False, "do_center_crop": False} if size else {}
        bends = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        self._keywords = {"interpolate_pos_encoding": True} if size and bends else {}
        self._patch = getattr(model.config, "patch_size", None)

    def prepare(self, value: Image.Image) -> dict[str, np.ndarray]:
        """`pixel_values` [3, h, w]."""
        if self.size:
            value = value.resize((self.size, self.size), self._processor.resample)
        pixels = self._processor(images=[value], return_tensors="np", **self._as_it_is)["pixel_values"][0]
        return {"pixel_values": np.asarray(pixels, dtype=np.float32)}

    def keywords(self) -> dict[str, bool]:
        """Bent position encodings where another size than the model's own is asked for."""
        return self._keywords

    def recipe(self) -> bytes:
        """Pixels of a fixed noise."""
        noise = np.random.default_rng(0).integers(0, 256, size=(211, 307, 3), dtype=np.uint8)
        return self.prepare(Image.fromarray(noise))["pixel_values"].round(4).tobytes()

    def blank(self) -> Image.Image:
        """Black."""
        return Image.new("RGB", (64, 64))

    @property
    def even(self) -> bool:
        """Processors that keep a picture's proportions crop it to one size in the end."""
        shapes = {self.prepare(Image.new("RGB", size))["pixel_values"].shape for size in ((64, 64), (64, 96), (90, 50))}
        return len(shapes) == 1

    def told(self) -> dict[str, str]:
        """In words; the numbers stand in the processor's own file."""
        square = f"the picture is made a square of {self.size} pixels, without further resizing or cropping; then, "
        return {"by": f"{square if self.size else ''}the model's processor (preprocessor_config.json), by Pillow"}

    def processor(self) -> Any:
        """The model's own, or a copy that makes squares of the size asked for."""
        if not self.size:
            return self._processor
        squares = copy.deepcopy(self._processor)
        squares.size = {"height": self.size, "width": self.size}
        squares.do_resize, squares.do_center_crop = True, False
        return squares

    def prefix(self, tokens: int, inputs: Mapping[str, Any]) -> int:
        """What remains beyond a token a patch."""
        if not isinstance(self._patch, int):
            return 0
        height, width = inputs["pixel_values"].shape[-2:]
        return max(0, tokens - (height // self._patch) * (width // self._patch))
