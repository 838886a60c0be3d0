"""Image and audio models of Hugging Face transformers, from the hub or from a folder: layers, poolings, tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Protocol

import numpy as np

from textanchor.encoders import Output, Spec, alike, encode_staged
from textanchor.encoders._hf import check_complete, fetched, missing_model, quiet, weights_hash
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records import Vectors

POOLS, TOKENS, LAST, ALL = ("mean", "max", "cls", "pooler"), "none", "last", "all"
DTYPES = ("float32", "float16", "bfloat16")
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


class Front(Protocol):
    """What stands between decoded items and a model: one of `hub_image`, `hub_audio`."""

    modality: str

    @property
    def seconds(self) -> float | None:
        """How much the model takes at once; None for what has no length."""

    def prepare(self, value: Any) -> dict[str, np.ndarray]:
        """The model's inputs of one item, without the batch's dimension; keys with an underscore are for pooling."""

    def keywords(self) -> dict[str, Any]:
        """Further arguments of the model's call."""

    def recipe(self) -> bytes:
        """What preprocessing does to a fixed item: this tells library versions apart exactly where they differ."""

    def blank(self) -> Any:
        """An item to learn the outputs' dimensions from."""

    def prefix(self, tokens: int, inputs: Mapping[str, Any]) -> int:
        """How many tokens stand before those of patches or frames (class, distillation, registers)."""


class Hub:
    """Pooled features, or tokens, of one layer or of several from one pass."""

    def __init__(self, model: Any, front: Front, *, layers: Sequence[str], pools: Sequence[str], dtype: str, name: str) -> None:
        self._format = _memory_format(model, front)
        self._model, self._front, self._dtype = model.to(memory_format=self._format), front, dtype
        self.modality, self.seconds, self.name = front.modality, front.seconds, name
        blank = [front.prepare(front.blank())]
        states, pooler = self._states(blank, deep=True)
        names = [LAST, *(str(layer) for layer in range(len(states) - 1))]
        self._layers = tuple(dict.fromkeys(self._known(layer, names) for layer in (names if ALL in layers else layers)))
        self._deep = self._layers != (LAST,)
        self._pools = tuple(pools)
        print_of = digest("hub", "2", weights_hash(model), front.recipe(), dtype, repr(front.keywords()))
        self.outputs: tuple[Output, ...] = ()
        sample = self._pooled(states, pooler, blank)
        self.outputs = tuple(
            Output(
                name=f"layer={layer},pool={pool}",
                dim=int(found[0].shape[-1]),
                fingerprint=digest(print_of, layer, pool),
                ragged=pool == TOKENS,
            )
            for (layer, pool), found in zip(self._wanted(), sample, strict=True)
        )
        self.dim, self.fingerprint = self.outputs[0].dim, self.outputs[0].fingerprint
        self.batch = self._fitting_batch()

    def encode(self, batch: Sequence[Any]) -> Vectors:
        """*Shape:* [n, dim]."""
        return encode_staged(self, batch)

    def prepare(self, value: Any) -> dict[str, np.ndarray]:
        """The model's inputs of one item."""
        return self._front.prepare(value)

    def forward(self, inputs: Sequence[dict[str, np.ndarray]]) -> list[Any]:
        """One entry an output; inputs of one shape run together."""
        shapes = (tuple(sorted((key, value.shape) for key, value in one.items())) for one in inputs)
        found: list[list[Any]] = [[None] * len(inputs) for _ in self.outputs]
        for rows in alike(shapes):
            for place, values in enumerate(self._passed([inputs[row] for row in rows])):
                for row, value in zip(rows, values, strict=True):
                    found[place][row] = value
        return [rows if out.ragged else np.stack(rows) for out, rows in zip(self.outputs, found, strict=True)]

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
        given = {
            key: torch.from_numpy(np.stack([one[key] for one in inputs])).to(self._model.device)
            for key in inputs[0]
            if not key.startswith("_")
        }
        given = {key: one.contiguous(memory_format=self._format) if one.ndim == 4 else one for key, one in given.items()}
        with torch.inference_mode(), cast:
            out = self._model(**given, output_hidden_states=deep, **self._front.keywords())
        return [out.last_hidden_state, *(out.hidden_states if deep else ())], getattr(out, "pooler_output", None)

    def _passed(self, inputs: Sequence[Mapping[str, np.ndarray]]) -> list[Any]:
        return self._pooled(*self._states(inputs, deep=self._deep), inputs)

    def _pooled(self, states: Sequence[Any], pooler: Any, inputs: Sequence[Mapping[str, np.ndarray]]) -> list[Any]:
        """One list of arrays an output."""
        found = []
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
                found.append([value.float().cpu().numpy().astype(np.float16) for value in values])
            else:
                found.append(values.float().cpu().numpy())
        return found

    def _one_pool(self, tokens: Any, pool: str, grid: bool, inputs: Sequence[Mapping[str, np.ndarray]]) -> Any:
        """*Shape:* [b, n, c] -> [b, c], or b times [n_i, c] where tokens are kept."""
        before = 0 if grid else self._front.prefix(tokens.shape[1], inputs[0])
        if pool == "cls":
            if not before:
                raise InputError("this model has no class token; use pool=mean, max or pooler")
            return tokens[:, 0]
        ends = [before + int(one.get("_valid", tokens.shape[1])) for one in inputs]
        if pool == TOKENS:
            return [held[before:end] for held, end in zip(tokens, ends, strict=True)]
        import torch

        reduce = torch.amax if pool == "max" else torch.mean
        if len(set(ends)) == 1:
            return reduce(tokens[:, before : ends[0]], dim=1)
        return torch.stack([reduce(held[before:end], dim=0) for held, end in zip(tokens, ends, strict=True)])

    def _fitting_batch(self) -> int:
        """On a GPU as many items as half of its free memory holds, by memory and not by the clock, so that runs repeat."""
        import torch

        if self._model.device.type != "cuda":
            return BATCH
        blank = self._front.prepare(self._front.blank())
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        self._passed([blank] * 8)
        one = max(1, (torch.cuda.max_memory_allocated() - before) // 8)
        room = torch.cuda.mem_get_info()[0] // 2 // one
        return int(np.clip(1 << max(0, int(room).bit_length() - 1), 1, LARGEST))


def make(spec: Spec, modality: str, device: str) -> Hub:
    """`hub:<model id or folder>[@layer=-3,pool=mean,size=224,dtype=bfloat16,revision=...]`; `+` and `all` name several."""
    spec.only("layer", "pool", "size", "revision", "dtype")
    if not spec.argument:
        raise InputError("hub: needs a model id or a folder, such as hub:facebook/dinov2-small")
    pools = spec.option("pool", "mean").split("+")
    pools = list(POOLS[:2]) if pools == [ALL] else pools
    for pool in pools:
        if pool not in (*POOLS, TOKENS):
            known = ", ".join((*POOLS, TOKENS))
            raise InputError(f"encoder option pool={pool}: expected one of {known} (tokens), several with +, or all")
    dtype = spec.option("dtype", "float32", among=DTYPES)
    folder = fetched("hub", spec.argument, spec.options.get("revision"))
    with quiet():
        import transformers

        try:
            kind = transformers.AutoConfig.from_pretrained(folder).model_type
            held, tower, attribute = FAMILIES.get(kind) or (_modality_of(kind, modality), "AutoModel", "")
            if held != modality or modality not in ("image", "audio"):
                raise InputError(f"hub:{spec.argument} is a model of type {kind} for {held}, not for {modality}")
            whole, told = getattr(transformers, tower).from_pretrained(folder, output_loading_info=True)
            check_complete(f"hub:{spec.argument}", whole, told["missing_keys"])
            model = getattr(whole, attribute) if attribute else whole
            front = _front(modality, folder, model, spec)
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            if isinstance(why, InputError):
                raise
            raise missing_model(f"hub:{spec.argument}", why) from None
    label = f"hub:{folder.name if folder.name in spec.argument else spec.argument}"
    layers = spec.option("layer", LAST).split("+")
    return Hub(model.to(device).eval(), front, layers=layers, pools=pools, dtype=dtype, name=label)


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


def _front(modality: str, folder: Any, model: Any, spec: Spec) -> Front:
    if modality == "image":
        from textanchor.encoders.hub_image import ImageFront

        return ImageFront(folder, model, size=spec.number("size"))
    from textanchor.encoders.hub_audio import AudioFront

    if "size" in spec.options:
        raise InputError("encoder option size is for images; a sound's length is window=<seconds>")
    return AudioFront(folder, model)
