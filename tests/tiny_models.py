"""Tiny random models saved to folders as the hub's are, one for each architecture family, and small ONNX graphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
TEXT = {**SIZES, "num_hidden_layers": 1, "vocab_size": 50}
SPEECH = {
    **SIZES, "conv_dim": (8, 8), "conv_stride": (5, 4), "conv_kernel": (10, 8), "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
HEAR = {
    "window_size": 4, "num_mel_bins": 32, "spec_size": 64, "patch_size": 4, "patch_stride": [4, 4], "depths": [1, 1],
    "patch_embeds_hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": [2, 2], "hidden_size": 16,
    "enable_fusion": False, "fusion_num_hidden_layers": 2,
}  # fmt: skip
WHISPER = {
    "d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "decoder_layers": 1, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "num_mel_bins": 16, "max_source_positions": 100, "vocab_size": 60,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip
SQUARE, CROP = {"size": {"height": 32, "width": 32}}, {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}
EYES = {**SIZES, "image_size": 32, "patch_size": 8}


def _vit(t: Any) -> tuple[Any, Any]:
    return t.ViTModel(t.ViTConfig(**EYES)), t.ViTImageProcessor(**SQUARE)


def _dinov2(t: Any) -> tuple[Any, Any]:
    config = t.Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14)
    return t.Dinov2Model(config), t.BitImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})


def _resnet(t: Any) -> tuple[Any, Any]:
    config = t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return t.ResNetModel(config), t.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.875)


def _convnext(t: Any) -> tuple[Any, Any]:
    config = t.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)
    return t.ConvNextModel(config), t.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.875)


def _mobilenet_v1(t: Any) -> tuple[Any, Any]:
    return t.MobileNetV1Model(t.MobileNetV1Config(depth_multiplier=0.1, image_size=32)), t.MobileNetV1ImageProcessor(**CROP)


def _mobilenet_v2(t: Any) -> tuple[Any, Any]:
    return t.MobileNetV2Model(t.MobileNetV2Config(depth_multiplier=0.1, image_size=32)), t.MobileNetV2ImageProcessor(**CROP)


def _clip(t: Any) -> tuple[Any, Any]:
    model = t.CLIPModel(t.CLIPConfig(text_config=TEXT, vision_config=EYES, projection_dim=8))
    return model, t.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def _siglip(t: Any) -> tuple[Any, Any]:
    return t.SiglipModel(t.SiglipConfig(text_config=TEXT, vision_config=EYES)), t.SiglipImageProcessor(**SQUARE)


def _ast(t: Any) -> tuple[Any, Any]:
    config = t.ASTConfig(**SIZES, patch_size=16, max_length=64, num_mel_bins=32)
    return t.ASTModel(config), t.ASTFeatureExtractor(max_length=64, num_mel_bins=32)


def _clap(t: Any) -> tuple[Any, Any]:
    model = t.ClapModel(t.ClapConfig(text_config=TEXT, audio_config=HEAR, projection_dim=8))
    return model, t.ClapFeatureExtractor(feature_size=32, max_length_s=1, truncation="rand_trunc", nb_frequency_bins=513)


def _wav2vec2(t: Any) -> tuple[Any, Any]:
    return t.Wav2Vec2Model(t.Wav2Vec2Config(**SPEECH)), t.Wav2Vec2FeatureExtractor()


def _hubert(t: Any) -> tuple[Any, Any]:
    return t.HubertModel(t.HubertConfig(**SPEECH)), t.Wav2Vec2FeatureExtractor()


def _whisper(t: Any) -> tuple[Any, Any]:
    return t.WhisperModel(t.WhisperConfig(**WHISPER)), t.WhisperFeatureExtractor(feature_size=16, chunk_length=2)


IMAGE: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "vit": _vit, "dinov2": _dinov2, "resnet": _resnet, "convnext": _convnext, "mobilenet_v1": _mobilenet_v1,
    "mobilenet_v2": _mobilenet_v2, "clip": _clip, "siglip": _siglip,
}  # fmt: skip
AUDIO: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "ast": _ast, "clap": _clap, "wav2vec2": _wav2vec2, "hubert": _hubert, "whisper": _whisper,
}  # fmt: skip


def tiny_hub(folder: Path, family: str = "vit") -> Path:
    """A random model of a family with its preprocessor."""
    import torch
    import transformers

    torch.manual_seed(0)
    model, processor = {**IMAGE, **AUDIO}[family](transformers)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def tiny_onnx(folder: Path, modality: str, **more: Any) -> Path:
    """A graph that means something: frame energies of a sound, cell means of a picture, moments of a series."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    if modality == "audio":
        shape, weights = ["n", "t"], rng.normal(size=(6, 1, 50)).astype(np.float32)
        nodes = [
            helper.make_node("Unsqueeze", ["x", "axis"], ["line"]),
            helper.make_node("Conv", ["line", "w"], ["bands"], strides=[25]),
            helper.make_node("Abs", ["bands"], ["size"]),
            helper.make_node("ReduceMean", ["size", "last"], ["y"], keepdims=0),
        ]
        held = [
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        ]
        side = {"modality": "audio", "input": "x", "output": "y", "sample_rate": 16000, "min_samples": 800}
    elif modality == "series":
        shape, weights = ["n", 12, 3], rng.normal(size=(3, 7)).astype(np.float32)
        nodes, held = [helper.make_node("MatMul", ["x", "w"], ["y"])], []
        side = {"modality": "series", "input": "x", "output": "y", "channels": 3, "length": 12}
    else:
        shape, weights = ["n", 3, 16, 16], rng.normal(size=(5, 3, 8, 8)).astype(np.float32)
        nodes, held = [helper.make_node("Conv", ["x", "w"], ["y"], strides=[8, 8])], []
        side = {"modality": "image", "input": "x", "output": "y", "size": 16}
    held.append(helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.ravel()))
    given, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape if name == "x" else None) for name in "xy")
    graph = helper.make_graph(nodes, "tiny", [given], [out], held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / "model.onnx")
    (folder / "encoder.json").write_text(json.dumps({**side, **more}))
    return folder


def tiny_anchor(folder: Path) -> Path:
    """A random sentence-transformers model of 16 dimensions that reads letters."""
    import torch
    import transformers

    folder.mkdir(parents=True)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(**{**SIZES, "vocab_size": len(words)})
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
