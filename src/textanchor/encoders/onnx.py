"""Encoders exported to ONNX, run by ONNX Runtime: a folder with `model.onnx` and a sidecar `encoder.json`.

The sidecar names the `modality`, the graph's `input` and `output`, and for audio `sample_rate` (Hz) and optionally
`min_samples` (shorter sounds are padded with zeros); for images `size` (pixels, both sides), `mean` and `std` of RGB in [0, 1].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from textanchor.encoders import Spec
from textanchor.encoders._sound import resampled
from textanchor.errors import DamagedError, InputError
from textanchor.files import digest, file_digest, read_json
from textanchor.records import Vectors, Waveform


class Onnx:
    """One ONNX graph; inputs of one shape run as a batch, since padding would change the vectors."""

    def __init__(self, session: Any, sidecar: Mapping[str, Any], *, fingerprint: str) -> None:
        self._session, self._sidecar = session, sidecar
        self.modality = str(sidecar["modality"])
        self.fingerprint = fingerprint
        silence, black = Waveform(samples=np.zeros(16, np.float32), rate=16000), Image.new("RGB", (8, 8))
        self.dim = self.encode([silence if self.modality == "audio" else black]).shape[1]

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        prepare = self._sound if self.modality == "audio" else self._picture
        inputs = [prepare(value) for value in batch]
        by_shape = defaultdict(list)
        for row, value in enumerate(inputs):
            by_shape[value.shape].append(row)
        out: dict[int, np.ndarray] = {}
        for rows in by_shape.values():
            feed = {str(self._sidecar["input"]): np.stack([inputs[row] for row in rows])}
            found = self._session.run([str(self._sidecar["output"])], feed)[0]
            pooled = found.reshape(len(rows), found.shape[1], -1).mean(-1) if found.ndim == 4 else found
            out.update(zip(rows, pooled.mean(1) if pooled.ndim == 3 else pooled, strict=True))
        return np.stack([out[row] for row in range(len(batch))]).astype(np.float32)

    def _sound(self, value: Waveform) -> np.ndarray:
        samples = resampled(value, int(self._sidecar["sample_rate"]))
        lack = int(self._sidecar.get("min_samples", 1)) - len(samples)
        return np.pad(samples, (0, lack)) if lack > 0 else samples

    def _picture(self, value: Image.Image) -> np.ndarray:
        size = int(self._sidecar["size"])
        pixels = np.asarray(value.resize((size, size), Image.Resampling.BILINEAR), dtype=np.float32) / 255
        mean, std = (np.asarray(self._sidecar.get(key, fill), np.float32) for key, fill in (("mean", 0.5), ("std", 0.5)))
        return np.moveaxis((pixels - mean) / std, -1, 0)


def make(spec: Spec, modality: str, device: str) -> Onnx:
    """`onnx:<folder>`."""
    spec.only()
    folder = Path(spec.argument).expanduser()
    if not spec.argument or not (folder / "model.onnx").is_file():
        raise InputError(f"onnx:{spec.argument}: no model.onnx there; expected a folder with model.onnx and encoder.json")
    sidecar = _checked(read_json(folder / "encoder.json"), folder / "encoder.json")
    if sidecar["modality"] != modality:
        raise InputError(f"onnx:{spec.argument} is for {sidecar['modality']}, not for {modality}")
    import onnxruntime

    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if device.startswith("cuda") else ["CPUExecutionProvider"]
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=providers)
    except Exception as why:  # onnxruntime's own error classes share no public base
        raise DamagedError(f"onnx:{spec.argument}: model.onnx cannot be loaded: {' '.join(str(why).split())[:200]}") from None
    held = {node.name for node in session.get_inputs()}, {node.name for node in session.get_outputs()}
    for key, nodes in zip(("input", "output"), held, strict=True):
        if sidecar[key] not in nodes:
            raise InputError(
                f"{folder / 'encoder.json'}: {key} '{sidecar[key]}' is not in the graph ({', '.join(sorted(nodes))})"
            )
    print_of = digest("onnx", file_digest(folder / "model.onnx"), repr(sorted(sidecar.items())))
    return Onnx(session, sidecar, fingerprint=print_of)


def _checked(sidecar: Any, place: Path) -> Mapping[str, Any]:
    needed = {"audio": ("input", "output", "sample_rate"), "image": ("input", "output", "size")}
    if not isinstance(sidecar, dict) or sidecar.get("modality") not in needed:
        raise InputError(f"{place}: `modality` must be one of {', '.join(needed)}")
    for key in needed[sidecar["modality"]]:
        if key not in sidecar:
            raise InputError(
                f"{place}: `{key}` is missing; {sidecar['modality']} needs {', '.join(needed[sidecar['modality']])}"
            )
    return sidecar
