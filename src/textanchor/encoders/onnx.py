"""Encoders exported to ONNX, run by ONNX Runtime: a folder with `model.onnx` and a sidecar `encoder.json`.

key                     for       meaning
modality                all       image, audio or series
input, output           all       names of the graph's input [n, ...] and output [n, d], [n, tokens, d] or [n, d, h, w]
pooling                 all       of an output with tokens: mean (default), max, cls (the first), none (tokens are kept)
sample_rate             audio     Hz; min_samples: shorter sounds are padded with zeros; max_seconds: longer ones are cut
normalisation           audio     none (default), utterance (mean 0, variance 1) or peak (largest sample 1)
size                    image     pixels of both sides; mean and std: of RGB in [0, 1]
labels                  all       names of the output's columns, for a classifier: a list, or a list of lists of synonyms
channels                series    number of channels; length: rows that a series is resampled to; sample_rate: Hz, optional
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from textanchor.encoders._sound import resampled
from textanchor.encoders.protocol import Output, alike, encode_staged
from textanchor.encoders.signal_series import stretched
from textanchor.errors import DamagedError, InputError
from textanchor.files import digest, file_digest, located, read_json
from textanchor.records import Head, Series, Vectors, Waveform
from textanchor.runtime import Runtime

NEEDED = {"audio": ("sample_rate",), "image": ("size",), "series": ("channels", "length")}
CORES = os.cpu_count() or 1
POOLS, NORMS = ("mean", "max", "cls", "none"), ("none", "utterance", "peak")


class GraphError(RuntimeError):
    """What ONNX Runtime answers to inputs that a graph does not take; its own errors share no public base."""


class Graph:
    """A graph's function on arrays. A graph made for a fixed number of items is given as many, the last of them repeated.

    One item is computed by all cores together. Of a batch every core computes a share by itself, which is quicker on a CPU,
    because the cores need not wait for each other after every layer.
    """

    def __init__(self, model: Path, *, gpu: bool, sidecar: Mapping[str, Any]) -> None:
        self._model, self._gpu = model, gpu
        self._input, self._output = str(sidecar["input"]), str(sidecar["output"])
        self._wide = self._session()
        fixed = next((node.shape[0] for node in self._wide.get_inputs() if node.name == self._input and node.shape), None)
        self._fixed = fixed if isinstance(fixed, int) and fixed > 0 else None
        self._narrow: tuple[Any, ThreadPoolExecutor] | None = None
        self._lock = Lock()

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """*Shape:* [n, ...] -> [n, ...]. Raises `GraphError`."""
        if self._fixed is not None:
            starts = range(0, len(values), self._fixed)
            return np.concatenate([self._filled(values[start : start + self._fixed]) for start in starts])
        if len(values) == 1 or self._gpu:
            return self._one(self._wide, values)
        session, threads = self._for_batches()
        shares = np.array_split(values, min(CORES, len(values)))
        return np.concatenate(list(threads.map(lambda share: self._one(session, share), shares)))

    def nodes(self) -> tuple[set[str], set[str]]:
        """Names of the graph's inputs and outputs."""
        return {node.name for node in self._wide.get_inputs()}, {node.name for node in self._wide.get_outputs()}

    def _for_batches(self) -> tuple[Any, ThreadPoolExecutor]:
        """A session of one thread and as many threads as cores, made once however many callers come first."""
        with self._lock:
            if self._narrow is None:
                self._narrow = self._session(threads=1), ThreadPoolExecutor(CORES)
            return self._narrow

    def _filled(self, values: np.ndarray) -> np.ndarray:
        lack = (self._fixed or 0) - len(values)
        return self._one(self._wide, np.concatenate([values, values[-1:].repeat(lack, axis=0)]))[: len(values)]

    def _one(self, session: Any, values: np.ndarray) -> np.ndarray:
        try:
            found = np.asarray(session.run([self._output], {self._input: values})[0])
        except Exception as why:
            raise GraphError(f"{type(why).__name__}: {why}") from why
        if found.ndim < 2 or len(found) != len(values):
            raise GraphError(f"the graph gives {found.shape} for {len(values)} items; expected a vector an item")
        return found

    def _session(self, *, threads: int = 0) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if self._gpu else ["CPUExecutionProvider"]
        providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
        return onnxruntime.InferenceSession(str(self._model), options, providers=providers)


class Onnx:
    """One ONNX graph; inputs of one shape run as a batch, since padding would change the vectors."""

    batch = max(8, CORES)

    def __init__(self, graph: Graph, sidecar: Mapping[str, Any], *, fingerprint: str, name: str) -> None:
        self._graph, self._sidecar, self._pool = graph, sidecar, str(sidecar.get("pooling", "mean"))
        self.modality, self.name = str(sidecar["modality"]), name
        self.seconds = float(sidecar["max_seconds"]) if "max_seconds" in sidecar else None
        (sample,) = self.forward([self.prepare(self._blank())])
        self.dim, self.fingerprint = int(sample[0].shape[-1]), fingerprint
        self.outputs = (Output(name="", dim=self.dim, fingerprint=fingerprint, ragged=self._pool == "none"),)
        self.head = _head(sidecar.get("labels"), self.dim)

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Any) -> np.ndarray:
        """The graph's input of one item."""
        if self.modality == "audio":
            return self._sound(value)
        return self._picture(value) if self.modality == "image" else self._numbers(value)

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Any]:
        """Pooled vectors, or tokens where the sidecar keeps them."""
        by_row: dict[int, np.ndarray] = {}
        for rows in alike(value.shape for value in inputs):
            maps = self._graph(np.stack([inputs[row] for row in rows]))
            tokens = np.moveaxis(maps.reshape(*maps.shape[:2], -1), 1, 2) if maps.ndim == 4 else maps
            by_row.update(zip(rows, self._pooled(tokens), strict=True))
        latents = [by_row[row] for row in range(len(inputs))]
        return [latents if self._pool == "none" else np.stack(latents).astype(np.float32)]

    def _pooled(self, tokens: np.ndarray) -> Any:
        if self._pool == "none":
            return [rows.reshape(-1, rows.shape[-1]).astype(np.float16) for rows in tokens]
        if tokens.ndim == 2:
            return tokens
        return tokens[:, 0] if self._pool == "cls" else tokens.max(1) if self._pool == "max" else tokens.mean(1)

    def _blank(self) -> Any:
        if self.modality == "image":
            return Image.new("RGB", (8, 8))
        if self.modality == "series":
            return Series(values=np.zeros((2, int(self._sidecar["channels"])), np.float32), rate=None)
        return Waveform(samples=np.zeros(16, np.float32), rate=16000)

    def _sound(self, value: Waveform) -> np.ndarray:
        samples = resampled(value, int(self._sidecar["sample_rate"]))
        norm = self._sidecar.get("normalisation", "none")
        if norm == "utterance":
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        elif norm == "peak":
            samples = samples / max(float(np.abs(samples).max()), 1e-7)
        lack = int(self._sidecar.get("min_samples", 1)) - len(samples)
        return (np.pad(samples, (0, lack)) if lack > 0 else samples).astype(np.float32)

    def _picture(self, value: Image.Image) -> np.ndarray:
        size = int(self._sidecar["size"])
        pixels = np.asarray(value.resize((size, size), Image.Resampling.BILINEAR), dtype=np.float32) / 255
        mean, std = (np.asarray(self._sidecar.get(key, fill), np.float32) for key, fill in (("mean", 0.5), ("std", 0.5)))
        return np.moveaxis((pixels - mean) / std, -1, 0).astype(np.float32)

    def _numbers(self, value: Series) -> np.ndarray:
        channels = int(self._sidecar["channels"])
        if value.values.shape[1] != channels:
            raise ValueError(f"{value.values.shape[1]} channels, and the model takes {channels}")
        return stretched(value.values, int(self._sidecar["length"]))


def _head(labels: Any, dim: int) -> Head | None:
    """The output is the scores themselves. Raises `ValueError` unless there is one name a column."""
    if labels is None:
        return None
    names = tuple(tuple(map(str, name)) if isinstance(name, list) else (str(name),) for name in labels)
    if len(names) != dim or not all(map(all, names)):
        raise ValueError(f"`labels` has {len(names)} names and the output {dim} columns")
    return Head(names=names, weight=np.eye(dim, dtype=np.float32), bias=np.zeros(dim, dtype=np.float32))


def make(argument: str, *, modality: str, runtime: Runtime) -> Onnx:
    """`onnx:<folder>`."""
    folder = located(argument)
    if not argument or not (folder / "model.onnx").is_file():
        raise InputError(f"onnx:{argument}: no model.onnx there; expected a folder with model.onnx and encoder.json")
    sidecar = _checked(read_json(folder / "encoder.json"), folder / "encoder.json")
    if sidecar["modality"] != modality:
        raise InputError(f"onnx:{argument} is for {sidecar['modality']}, not for {modality}")
    try:
        graph = Graph(folder / "model.onnx", gpu=runtime.device.startswith("cuda"), sidecar=sidecar)
    except Exception as why:  # onnxruntime's own error classes share no public base
        raise DamagedError(f"onnx:{argument}: model.onnx cannot be loaded: {' '.join(str(why).split())[:200]}") from None
    for key, nodes in zip(("input", "output"), graph.nodes(), strict=True):
        if sidecar[key] not in nodes:
            raise InputError(
                f"{folder / 'encoder.json'}: {key} '{sidecar[key]}' is not in the graph ({', '.join(sorted(nodes))})"
            )
    latents = {key: value for key, value in sidecar.items() if key != "labels"}
    fingerprint = digest("onnx", file_digest(folder / "model.onnx"), repr(sorted(latents.items())))
    try:
        return Onnx(graph, sidecar, fingerprint=fingerprint, name=f"onnx:{folder.name}")
    except Exception as why:  # a graph that does not take what its sidecar says
        raise InputError(
            f"onnx:{argument}: the graph fails on an empty {modality}: {' '.join(str(why).split())[:200]}"
        ) from None


def _checked(sidecar: Any, place: Path) -> Mapping[str, Any]:
    if not isinstance(sidecar, dict) or sidecar.get("modality") not in NEEDED:
        raise InputError(f"{place}: `modality` must be one of {', '.join(NEEDED)}")
    modality = str(sidecar["modality"])
    needed = ("input", "output", *NEEDED[modality])
    for key in needed:
        if key not in sidecar:
            raise InputError(f"{place}: `{key}` is missing; {modality} needs {', '.join(needed)}")
    for key in ("sample_rate", "size", "min_samples", "max_seconds", "channels", "length"):
        value = sidecar.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise InputError(f"{place}: `{key}` is {value!r}; expected a number above 0")
    for key, known in (("pooling", POOLS), ("normalisation", NORMS)):
        if sidecar.get(key, known[0]) not in known:
            raise InputError(f"{place}: `{key}` is {sidecar[key]!r}; expected one of {', '.join(known)}")
    return sidecar
