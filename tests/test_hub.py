"""Models of the hub: layers, poolings and tokens of one pass; what is fetched, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ROOT, picture, sound
from textanchor.encoders import Staged, make, make_single, outputs
from textanchor.errors import InputError, MissingError
from textanchor.latents.engine import encode, stream
from textanchor.records import Item, Pooled, Ragged, Waveform
from textanchor.runtime import Runtime
from tiny_models import tiny_hub, tiny_onnx

CPU = Runtime(device="cpu", offline=True)
PICTURES = [picture("circle", 1), picture("cross", 2, 40), picture("stripes", 3, 64)]


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hub(tmp_path_factory.mktemp("hub") / "vit")


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hub(tmp_path_factory.mktemp("hub") / "whisper", "whisper")


def seen(count: int = 3) -> list[Item]:
    return [Item(id=str(row), modality="image", value=image) for row, image in enumerate(PICTURES[:count])]


def by_hand(folder: Path, layer: int | None, pool: str) -> np.ndarray:
    """The slow twin: the library's own model and processor, without any code of ours."""
    import torch
    from transformers import AutoImageProcessor, ViTModel

    model, processor = ViTModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder, backend="pil")
    with torch.inference_mode():
        out = model(**processor(images=PICTURES, return_tensors="pt"), output_hidden_states=True)
    hidden = out.last_hidden_state if layer is None else out.hidden_states[layer]
    if pool == "pooler":
        return out.pooler_output.numpy()
    patches = hidden[:, 1:]
    return {"cls": hidden[:, 0], "mean": patches.mean(1), "max": patches.amax(1)}[pool].numpy()


@pytest.mark.parametrize(
    ("layer", "pool"), [(None, "mean"), (None, "cls"), (None, "pooler"), (0, "mean"), (-2, "max"), (-1, "cls")]
)
def test_layers_and_poolings_are_the_models_own(layer: int | None, pool: str, vit: Path) -> None:
    name = f"hub:{vit}@pool={pool}" + ("" if layer is None else f",layer={layer}")
    np.testing.assert_allclose(make(name, "image", CPU).encode(PICTURES), by_hand(vit, layer, pool), atol=1e-5)


def test_all_layers_come_from_one_pass_and_are_cached_each_under_its_own_key(vit: Path, tmp_path: Path) -> None:
    many: Any = make(f"hub:{vit}@layer=all,pool=mean+cls", "image", CPU)
    assert [out.name for out in many.outputs] == [
        f"layer={layer},pool={pool}" for layer in ("last", 0, 1, 2) for pool in ("mean", "cls")
    ]
    (chunk,) = stream(seen(), many, Runtime(cache=tmp_path))
    assert chunk.new == 3
    for out, part in zip(many.outputs, chunk.latents, strict=True):
        alone = make(f"hub:{vit}@{out.name}".replace("layer=last,", ""), "image", CPU)
        assert alone.fingerprint == out.fingerprint
        again = encode(seen(), alone, Runtime(cache=tmp_path))
        assert (again.new, again.cached) == (0, 3)
        assert isinstance(part, Pooled)
        np.testing.assert_array_equal(again.latents.vectors, part.vectors)
        np.testing.assert_allclose(alone.encode(PICTURES), part.vectors, atol=1e-5)


def test_a_pass_adds_only_what_lacks(vit: Path, tmp_path: Path) -> None:
    encode(seen(2), make(f"hub:{vit}@layer=1", "image", CPU), Runtime(cache=tmp_path))
    many = make(f"hub:{vit}@layer=1+2", "image", CPU)
    (chunk,) = stream(seen(), many, Runtime(cache=tmp_path))
    assert (chunk.new, chunk.cached) == (3, 0)
    shards = {folder.name: len(list(folder.glob("*.safetensors"))) for folder in tmp_path.iterdir()}
    assert shards == {outputs(many)[0].fingerprint: 2, outputs(many)[1].fingerprint: 1}


def test_tokens_are_ragged_half_precision(vit: Path, whisper: Path, tmp_path: Path) -> None:
    (chunk,) = stream(seen(), make(f"hub:{vit}@pool=none", "image", CPU), Runtime(cache=tmp_path))
    (held,) = chunk.latents
    assert isinstance(held, Ragged)
    assert (held.tokens.dtype, held.tokens.shape, held[1].shape) == (np.float16, (48, 16), (16, 16))
    mean = make(f"hub:{vit}", "image", CPU).encode(PICTURES)
    np.testing.assert_allclose([held[row].astype(np.float32).mean(0) for row in range(3)], mean, atol=2e-3)
    sounds = [Item(id=str(n), modality="audio", value=Waveform(samples=sound("circle", n, 8000, n), rate=8000)) for n in (1, 3)]
    encoder = make(f"hub:{whisper}@pool=none", "audio", CPU)
    for _ in range(2):  # once encoded, once from the cache
        (chunk,) = stream(sounds, encoder, Runtime(cache=tmp_path))
        (frames,) = chunk.latents
        assert isinstance(frames, Ragged)
        assert [len(frames[row]) for row in range(2)] == [50, 200], "1 s is 50 frames; 3 s are two windows of 2 s"


def test_a_fit_needs_one_vector_an_item(vit: Path, shapes: Path) -> None:
    for tail, what in (("@layer=all", "4 latents"), ("@pool=none", "tokens")):
        with pytest.raises(InputError, match=f"gives {what} an item, and one vector is needed"):
            make_single(f"hub:{vit}{tail}", "image", CPU)


def test_missing_weights_are_never_random(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_hub(tmp_path / "vit")
    held = load_file(folder / "model.safetensors")
    save_file({key: value for key, value in held.items() if not key.startswith("pooler")}, folder / "model.safetensors")
    first, second = (make(f"hub:{folder}", "image", CPU) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    with pytest.raises(InputError, match="no pooled output of its own"):
        make(f"hub:{folder}@pool=pooler", "image", CPU)
    save_file(
        {key: value for key, value in held.items() if "layer.1" not in key and "layers.1" not in key},
        folder / "model.safetensors",
    )
    with pytest.raises(
        InputError, match=r"lacks \d+ weights of its own architecture, such as .*; they would be random numbers"
    ):
        make(f"hub:{folder}", "image", CPU)


def test_a_whole_clap_gives_its_audio_tower(tmp_path: Path) -> None:
    from transformers import ClapModel

    folder = tiny_hub(tmp_path / "clap", "clap")
    encoder: Any = make(f"hub:{folder}@pool=pooler", "audio", CPU)
    given = encoder._inner.prepare(Waveform(samples=sound("circle", 1), rate=8000))
    import torch

    with torch.inference_mode():
        model = ClapModel.from_pretrained(folder).eval().audio_model
        expected = model(**{key: torch.from_numpy(value[None]) for key, value in given.items()}).pooler_output.numpy()
    np.testing.assert_allclose(
        encoder.encode([Waveform(samples=sound("circle", 1), rate=8000)]), expected.reshape(1, -1), atol=1e-5
    )


def test_what_is_asked_of_the_wrong_model_is_said(vit: Path, whisper: Path, tmp_path: Path) -> None:
    for name, modality, told in (
        (f"hub:{whisper}", "image", "is a model of type whisper for audio, not for image"),
        (f"hub:{whisper}@size=3", "audio", "size is for images"),
        (f"hub:{whisper}@window=9", "audio", "this model takes 2 s at most"),
        (f"hub:{vit}@window=1", "image", "image items have no length in seconds"),
        (f"hub:{vit}@revision=abc", "image", "a revision belongs to a model id"),
        (f"hub:{vit}@dtype=int8", "image", "dtype=int8: expected one of float32, float16, bfloat16"),
        (f"hub:{vit}@size=0", "image", "size=0: expected a whole number of 1 or more"),
        ("signal@hop=1", "audio", "hop and windows need window=<seconds>"),
        ("signal@window=-1", "audio", "window=-1: expected seconds above 0"),
        ("signal@channels=0", "series", "expected 1 to 1024 channels"),
    ):
        with pytest.raises(InputError, match=told):
            make(name, modality, CPU)
    for scheme, extra in (("timm", "timm"), ("open_clip", "open-clip")):
        try:
            __import__(scheme)
        except ImportError:
            with pytest.raises(MissingError, match=rf"pip install 'textanchor\[{extra}\]'"):
                make(f"{scheme}:some/model", "image", CPU)


def test_offline_forbids_fetching() -> None:
    with pytest.raises(MissingError, match="offline mode forbids fetching it; with a network: hf download no/such"):
        make("hub:no/such", "image", CPU)


class Answers(BaseHTTPRequestHandler):
    """A hub of one model, just enough of its interface to fetch from."""

    folder: Path
    sha = "0123456789abcdef0123456789abcdef01234567"
    asked: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.asked.append(path)
        if path.startswith("/api/models/tiny/"):
            names = sorted(one.name for one in self.folder.iterdir())
            files = [{"rfilename": name, "size": (self.folder / name).stat().st_size, "blobId": name} for name in names]
            if "/tree/" in path:
                tree = [{"type": "file", "path": one["rfilename"], "size": one["size"], "oid": one["blobId"]} for one in files]
                return self.answer(json.dumps(tree).encode(), "application/json")
            told = {"id": "tiny/model", "modelId": "tiny/model", "sha": self.sha, "siblings": files, "tags": [],
                    "cardData": {"license": "mit"}, "private": False, "downloads": 0}  # fmt: skip
            return self.answer(json.dumps(told).encode(), "application/json")
        if path.startswith("/tiny/") and (file := self.folder / path.rsplit("/", 1)[1]).is_file():
            return self.answer(file.read_bytes(), "application/octet-stream")
        return self.send_error(404)

    def answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        for name, value in (("Content-Type", kind), ("Content-Length", len(content)), ("X-Repo-Commit", self.sha),
                            ("ETag", f'"{abs(hash(content)):x}"')):  # fmt: skip
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, vit: Path) -> Iterator[Callable[..., Any]]:
    shutil.copytree(vit, tmp_path / "served")
    for name in ("pytorch_model.bin", "model.fp16.safetensors"):
        (tmp_path / "served" / name).write_bytes(b"not to be fetched")
    handler = type("Here", (Answers,), {"folder": tmp_path / "served", "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def fetch(name: str, *, offline: bool = False) -> Any:
        code = (
            "from textanchor.encoders import make; from textanchor.runtime import Runtime; "
            f"print(make({name!r}, 'image', Runtime(device='cpu')).fingerprint)"
        )
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TEXTANCHOR_"))}
        env = {**clean, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "home")}
        env |= {"TEXTANCHOR_OFFLINE": "1"} if offline else {}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT)
        return done, list(handler.asked)

    yield fetch
    server.shutdown()
    server.server_close()


def test_size_licence_and_revision_are_said_before_fetching(hub: Callable[..., Any], vit: Path) -> None:
    done, asked = hub("hub:tiny/model")
    assert done.returncode == 0, done.stderr
    said = next(line for line in done.stderr.splitlines() if line.startswith("fetching"))
    assert "fetching hub:tiny/model: 3 files, 0.0 MB; licence: mit; revision 0123456789abcdef" in said
    assert done.stdout.strip() == make(f"hub:{vit}", "image", CPU).fingerprint
    assert not any(path.endswith(("pytorch_model.bin", "fp16.safetensors")) for path in asked), (
        "nothing that runs code is fetched"
    )
    again, _ = hub("hub:tiny/model", offline=True)
    assert again.returncode == 0, again.stderr
    assert "fetching" not in again.stderr
    assert again.stdout == done.stdout


def test_weights_that_run_code_are_refused(hub: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "served" / "model.safetensors").unlink()
    done, asked = hub("hub:tiny/model@revision=main")
    assert "has no safetensors weights" in done.stderr
    assert not any(path.startswith("/tiny/") for path in asked)


def test_a_graphs_tokens_and_norms(tmp_path: Path) -> None:
    kept: Any = make(f"onnx:{tiny_onnx(tmp_path / 'kept', 'series', pooling='none')}", "series", CPU)
    assert isinstance(kept, Staged)
    assert kept.outputs[0].ragged
    mean = make(f"onnx:{tiny_onnx(tmp_path / 'mean', 'series')}", "series", CPU)
    values = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    from textanchor.records import Series

    (rows,) = kept.forward([kept.prepare(Series(values=values))])
    np.testing.assert_allclose(rows[0].astype(np.float32).mean(0), mean.encode([Series(values=values)])[0], atol=2e-3)
    with pytest.raises(ValueError, match="5 channels, and the model takes 3"):
        mean.encode([Series(values=np.zeros((4, 5), np.float32))])
    loud = Waveform(samples=10 * sound("circle", 1), rate=16000)
    soft = Waveform(samples=sound("circle", 1), rate=16000)
    for norm in ("utterance", "peak"):
        encoder = make(f"onnx:{tiny_onnx(tmp_path / norm, 'audio', normalisation=norm)}", "audio", CPU)
        np.testing.assert_allclose(encoder.encode([loud]), encoder.encode([soft]), rtol=1e-3)
    for key, value in (("pooling", "median"), ("normalisation", "loud"), ("sample_rate", 0), ("sample_rate", "fast")):
        with pytest.raises(InputError, match=f"`{key}` is"):
            make(f"onnx:{tiny_onnx(tmp_path / f'{key} {value}', 'audio', **{key: value})}", "audio", CPU)
