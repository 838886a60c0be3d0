"""Image and audio models of Hugging Face transformers, from the hub or from a folder: layers, poolings, tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from textanchor.encoders._hf import check_complete, fetched, missing_model, quiet, weights_hash
from textanchor.encoders.hub_front import Front
from textanchor.encoders.protocol import Output, alike, encode_staged
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Head, Vectors
from textanchor.runtime import Runtime
from textanchor.settings import Count

if TYPE_CHECKING:
    from textanchor.encoders.networks import Network

POOLS, TOKENS, LAST, ALL = ("mean", "max", "cls", "pooler"), "none", "last", "all"
BATCH, LARGEST = 8, 512  # on a CPU, activations of more items leave the caches and cost several times as much
FAMILIES: Mapping[str, tuple[str, str, str]] = {  # model type: modality, class of its tower, attribute of that to keep
    "clip": ("image", "CLIPVisionModel", ""),
    "siglip": ("image", "SiglipVisionModel", ""),
    "clap": ("audio", "ClapModel", "audio_model"),
    "clap_audio_model": ("audio", "ClapAudioModel", ""),
    "whisper": ("audio", "WhisperModel", "encoder"),
    "audio-spectrogram-transformer": ("audio", "ASTModel", ""),
    **dict.fromkeys(("wav2vec2", "hubert", "wavlm", "data2vec-audio", "unispeech-sat"), ("audio", "AutoModel", "")),
}


class Hub:
    """Pooled features, or tokens, of one layer or of several from one pass."""

    def __init__(
        self,
        model: Any,
        front: Front,
        *,
        layers: Sequence[str],
        pools: Sequence[str],
        dtype: str,
        name: str,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._format = _memory_format(model, front)
        self._model, self._front, self._dtype = model.to(memory_format=self._format), front, dtype
        self.modality, self.seconds, self.name = front.modality, front.seconds, name
        blank = [front.prepare(front.blank())]
        states, pooler = self._states(blank, deep=True)
        names = [LAST, *(str(layer) for layer in range(len(states) - 1))]
        self._layers = tuple(dict.fromkeys(self._known(layer, names) for layer in (names if ALL in layers else layers)))
        self._deep = self._layers != (LAST,)
        self._pools = tuple(pools)
        source = digest("hub", "2", weights_hash(model), front.recipe(), dtype, repr(front.keywords()))
        self.outputs: tuple[Output, ...] = ()
        samples = self._pooled(states, pooler, blank)
        self.outputs = tuple(
            Output(
                name=f"layer={layer},pool={pool}",
                dim=int(latents[0].shape[-1]),
                fingerprint=digest(source, layer, pool),
                ragged=pool == TOKENS,
            )
            for (layer, pool), latents in zip(self._wanted(), samples, strict=True)
        )
        self.dim, self.fingerprint = self.outputs[0].dim, self.outputs[0].fingerprint
        self.batch = self._fitting_batch()

    @cached_property
    def head(self) -> Head | None:
        """The classifier that the model was trained with, where its scores follow from these latents; read when first asked."""
        from textanchor.encoders.hub_head import head_of

        return head_of(self._folder, self) if self._folder else None

    @property
    def network(self) -> Network | None:
        """The model as a module, for exports; None for several outputs, tokens, half precision or sounds of any length."""
        from textanchor.encoders.networks import hub_network

        exact = self._dtype == "float32"
        return hub_network(self._model, self._front, self.outputs, self._folder) if exact else None

    def sample(self) -> Any:
        """An item to try the model on."""
        return self._front.blank()

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Any) -> dict[str, np.ndarray]:
        """The model's inputs of one item."""
        return self._front.prepare(value)

    def forward(self, inputs: Sequence[dict[str, np.ndarray]]) -> list[Any]:
        """One entry an output; inputs of one shape run together."""
        shapes = (tuple(sorted((key, value.shape) for key, value in item.items())) for item in inputs)
        latents: list[list[Any]] = [[None] * len(inputs) for _ in self.outputs]
        for rows in alike(shapes):
            for place, values in enumerate(self._passed([inputs[row] for row in rows])):
                for row, value in zip(rows, values, strict=True):
                    latents[place][row] = value
        return [rows if out.ragged else np.stack(rows) for out, rows in zip(self.outputs, latents, strict=True)]

    def _wanted(self) -> list[tuple[str, str]]:
        return [(layer, pool) for layer in self._layers for pool in self._pools if pool != "pooler" or layer == LAST]

    @staticmethod
    def _known(layer: str, names: Sequence[str]) -> str:
        count = len(names) - 1
        if layer in names:
            return layer
        if layer.lstrip("-").isdecimal() and -count <= int(layer) < count:
            return str(int(layer) % count)
        raise InputError(f"layer={layer}: this model has the layers {-count} to {count - 1}, last and all")

    def _states(self, inputs: Sequence[Mapping[str, np.ndarray]], *, deep: bool) -> tuple[list[Any], Any]:
        """The last hidden state and then, if asked for, those of all layers; and the model's own pooled output."""
        import torch

        kind = self._model.device.type
        cast = nullcontext() if self._dtype == "float32" else torch.autocast(kind, dtype=getattr(torch, self._dtype))
        batch = {
            key: torch.from_numpy(np.stack([item[key] for item in inputs])).to(self._model.device)
            for key in inputs[0]
            if not key.startswith("_")
        }
        for key, tensor in batch.items():
            batch[key] = tensor.contiguous(memory_format=self._format) if tensor.ndim == 4 else tensor
        with torch.inference_mode(), cast:
            out = self._model(**batch, output_hidden_states=deep, **self._front.keywords())
        return [out.last_hidden_state, *(out.hidden_states if deep else ())], getattr(out, "pooler_output", None)

    def _passed(self, inputs: Sequence[Mapping[str, np.ndarray]]) -> list[Any]:
        return self._pooled(*self._states(inputs, deep=self._deep), inputs)

    def _pooled(self, states: Sequence[Any], pooler: Any, inputs: Sequence[Mapping[str, np.ndarray]]) -> list[Any]:
        """One list of arrays an output."""
        latents: list[Any] = []
        for layer, pool in self._wanted():
            if pool == "pooler":
                if pooler is None:
                    raise InputError("this model has no pooled output of its own; use pool=mean, max or cls")
                values = pooler.flatten(1)
            else:
                hidden = states[0] if layer == LAST else states[1 + int(layer)]
                tokens = hidden.flatten(2).transpose(1, 2) if hidden.ndim == 4 else hidden  # [b, c, h, w] -> [b, h w, c]
                values = self._one_pool(tokens, pool, hidden.ndim == 4, inputs)
            if pool == TOKENS:
                latents.append([value.float().cpu().numpy().astype(np.float16) for value in values])
            else:
                latents.append(values.float().cpu().numpy())
        return latents

    def _one_pool(self, tokens: Any, pool: str, grid: bool, inputs: Sequence[Mapping[str, np.ndarray]]) -> Any:
        """*Shape:* [b, n, c] -> [b, c], or b times [n_i, c] where tokens are kept."""
        before = 0 if grid else self._front.prefix(tokens.shape[1], inputs[0])
        if pool == "cls":
            if not before:
                raise InputError("this model has no class token; use pool=mean, max or pooler")
            return tokens[:, 0]
        ends = [before + int(item.get("_valid", tokens.shape[1])) for item in inputs]
        if pool == TOKENS:
            return [rows[before:end] for rows, end in zip(tokens, ends, strict=True)]
        import torch

        reduce = torch.amax if pool == "max" else torch.mean
        if len(set(ends)) == 1:
            return reduce(tokens[:, before : ends[0]], dim=1)
        return torch.stack([reduce(rows[before:end], dim=0) for rows, end in zip(tokens, ends, strict=True)])

    def _fitting_batch(self) -> int:
        """On a GPU as many items as half of its free memory holds, by memory and not by the clock, so that runs repeat."""
        import torch

        if self._model.device.type != "cuda":
            return BATCH
        blank = self._front.prepare(self._front.blank())
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        self._passed([blank] * 8)
        bytes_an_item = max(1, (torch.cuda.max_memory_allocated() - before) // 8)
        room = torch.cuda.mem_get_info()[0] // 2 // bytes_an_item
        return int(np.clip(1 << max(0, int(room).bit_length() - 1), 1, LARGEST))


def make(
    argument: str,
    *,
    modality: str,
    runtime: Runtime,
    layer: str = LAST,
    pool: str = "mean",
    size: Count | None = None,
    dtype: Literal["float32", "float16", "bfloat16"] = "float32",
    revision: str | None = None,
) -> Hub:
    """`hub:<model id or folder>[@layer=-3,pool=mean,size=224,dtype=bfloat16,revision=...]`; `+` and `all` name several."""
    if not argument:
        raise InputError("hub: needs a model id or a folder, such as hub:facebook/dinov2-small")
    name, pools = f"hub:{argument}", _known_pools(pool)
    folder = fetched("hub", argument, revision, offline=runtime.offline)
    with quiet():
        try:
            _, model, front = opened(name, folder, modality, size)
        except InputError:
            raise
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(name, why) from None
    label = f"hub:{folder.name if folder.name in argument else argument}"
    model = model.to(runtime.device).eval()
    return Hub(model, front, layers=layer.split("+"), pools=pools, dtype=dtype, name=label, folder=folder)


def _known_pools(asked: str) -> tuple[str, ...]:
    pools = POOLS[:2] if asked == ALL else tuple(asked.split("+"))
    for pool in pools:
        if pool not in (*POOLS, TOKENS):
            known = ", ".join((*POOLS, TOKENS))
            raise InputError(f"encoder option pool={pool}: expected one of {known} (tokens), several with +, or all")
    return pools


def opened(name: str, folder: Path, modality: str, size: int | None) -> tuple[Any, Any, Front]:
    """The model as its folder holds it, the tower of it that encodes, and what stands before that.

    Raises `InputError` for one of another modality or that is not whole; the library's own errors come as they are.
    """
    import transformers

    kind = transformers.AutoConfig.from_pretrained(folder).model_type
    meant, tower, attribute = FAMILIES.get(kind) or (_modality_of(kind, modality), "AutoModel", "")
    if meant != modality or modality not in ("image", "audio"):
        raise InputError(f"{name} is a model of type {kind} for {meant}, not for {modality}")
    whole, report = getattr(transformers, tower).from_pretrained(folder, output_loading_info=True)
    check_complete(name, whole, report["missing_keys"])
    model = getattr(whole, attribute) if attribute else whole
    return whole, model, _front(modality, folder, model, size)


def _memory_format(model: Any, front: Front) -> Any:
    """Convolutions over pictures are a third faster on a CPU with the channels last."""
    import torch

    return torch.channels_last if front.modality == "image" and model.device.type == "cpu" else torch.contiguous_format


def _modality_of(kind: str, asked: str) -> str:
    """What the library prepares for models of a type; what it does not know is taken at its word."""
    from transformers.models.auto import feature_extraction_auto, image_processing_auto

    if kind in image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES:
        return "image"
    return "audio" if kind in feature_extraction_auto.FEATURE_EXTRACTOR_MAPPING_NAMES else asked


def _front(modality: str, folder: Path, model: Any, size: int | None) -> Front:
    if modality == "image":
        from textanchor.encoders.hub_image import ImageFront

        return ImageFront(folder, model, size=size)
    from textanchor.encoders.hub_audio import AudioFront

    if size is not None:
        raise InputError("encoder option size is for images; a sound's length is window=<seconds>")
    return AudioFront(folder, model)
