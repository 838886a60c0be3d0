"""Pictures through a graph of ONNX as a module of sentence-transformers, for encoders that are none of its models.

This file is copied into such folders and stands alone: it needs onnxruntime, Pillow and sentence-transformers, no textanchor.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from PIL import Image
from sentence_transformers.base.modules import InputModule

GRAPH = "model.onnx"
Features = dict[str, Any]


class Pictures(InputModule):  # type: ignore[misc]
    """The middle of a picture as pixels, and what the graph gives for them; `crop` says how, as in `textanchor.json`."""

    config_keys = ["crop", "dim"]  # noqa: RUF012 - the library asks for a list

    def __init__(self, crop: Mapping[str, Any], dim: int, graph: str) -> None:
        super().__init__()
        self.crop, self.dim, self.graph = crop, dim, graph
        self.session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])

    @property
    def modalities(self) -> list[str]:
        """Pictures alone."""
        return ["image"]

    def preprocess(self, inputs: Sequence[Any], **_: Any) -> Features:
        """PIL images, or dicts of one."""
        images = [one["image"] if isinstance(one, Mapping) else one for one in inputs]
        return {"pixel_values": torch.from_numpy(np.stack([self._pixels(image) for image in images]))}

    def forward(self, features: Features, **_: Any) -> Features:
        """On the CPU, whatever the other modules run on."""
        pixels = features["pixel_values"]
        (vectors,) = self.session.run(["vectors"], {"pixel_values": pixels.cpu().numpy()})
        features["sentence_embedding"] = torch.from_numpy(vectors).to(pixels.device)
        return features

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return self.dim

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Settings as JSON beside the graph."""
        told = {key: getattr(self, key) for key in self.config_keys}
        Path(output_path, "config.json").write_text(json.dumps(told), encoding="utf-8")
        shutil.copyfile(self.graph, Path(output_path, GRAPH))

    @classmethod
    def load(cls, model_name_or_path: str, **place: Any) -> Pictures:
        """From a folder or the hub; `place` is what the library says of it."""
        known = ("subfolder", "token", "cache_folder", "revision", "local_files_only")
        place = {key: value for key, value in place.items() if key in known}
        config = cls.load_config(model_name_or_path, **place)
        return cls(**config, graph=cls.load_file_path(model_name_or_path, GRAPH, **place))

    def _pixels(self, image: Image.Image) -> np.ndarray:
        crop = self.crop
        side, short = crop["side"], crop["short"]
        scale = short / min(image.size)
        size = (max(short, round(image.width * scale)), max(short, round(image.height * scale)))
        large = image.convert("RGB").resize(size, Image.Resampling(crop["resample"]))
        left, top = (large.width - side) // 2, (large.height - side) // 2
        pixels = np.asarray(large.crop((left, top, left + side, top + side)), dtype=np.float32)
        pixels = (pixels / np.float32(crop["full"]) - np.float32(crop["mean"])) / np.float32(crop["std"])
        return np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
