"""One contract for every encoder, and what is particular to each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies
from PIL import Image

from conftest import picture, sound
from textanchor import registry
from textanchor.encoders import Encoder, Staged, canonical, make, outputs, parse
from textanchor.encoders.onnx import Graph
from textanchor.encoders.own import Description, write_folder
from textanchor.encoders.spectrogram import Spectrogram
from textanchor.encoders.windowed import Windowed
from textanchor.errors import DamagedError, InputError, MissingError, UnknownNameError
from textanchor.files import digest
from textanchor.grammar import Call
from textanchor.records import Series, Waveform
from textanchor.runtime import Runtime
from textanchor.settings import Positive
from tiny_models import AUDIO, IMAGE, tiny_anchor, tiny_hub, tiny_onnx

CPU = Runtime(device="cpu", offline=True)
PICTURES = [picture(kind, seed, side) for kind, seed, side in (("circle", 1, 24), ("cross", 2, 40), ("stripes", 3, 64))]
PICTURES += [PICTURES[1].resize((90, 30)), Image.new("RGB", (3, 3), "white")]
SOUNDS = [Waveform(samples=sound("circle", k, 8000, 0.2 + 0.3 * k), rate=8000) for k in range(4)]
SOUNDS += [Waveform(samples=np.zeros(5, np.float32), rate=44100)]
TEXTS = ["a dog", "a considerably longer sentence about two dogs, a cat and the sea", "x", "Straße 7", "a dog"]
MOVES = [
    Series(values=np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32), rate=rate)
    for n, rate in ((1, None), (9, 10.0), (50, 50.0), (777, 50.0), (64, None))
]
GIVEN = {"image": PICTURES, "audio": SOUNDS, "text": TEXTS, "document": TEXTS, "series": MOVES}
GIVEN["mine"] = list(np.random.default_rng(5).normal(size=(5, 4)).astype(np.float32))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("encoders")
    graphs = {"HEAR": "audio", "SEE": "image", "FEEL": "series"}
    made = {key: str(tiny_onnx(root / key, modality)) for key, modality in graphs.items()}
    made |= {f"<{family}>": str(tiny_hub(root / family, family)) for family in (*IMAGE, *AUDIO)}
    for key, (front, backbone) in OWN.items():
        told = Description(front=front, backbone=backbone)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            write_folder(root / key, told, told.network())
        made[key] = str(root / key)
    return made | {"HUB": made["<vit>"]}


OWN = {
    "PIX": ("pixels(side=20)", "resnet(width=8)"),
    "MEL": ("log-mel(bands=16,frames=16)", "vit(width=16,depth=2,heads=2,patch=4)"),
    "CUR": ("curves(channels=3,length=32)", "resnet(width=8)"),
}
CASES = [
    ("image", "signal"),
    ("audio", "signal"),
    ("series", "signal"),
    ("series", "signal@channels=3,rate=20"),
    ("audio", "signal@window=0.3,hop=0.1"),
    ("text", "st:all-MiniLM-L6-v2"),
    ("document", "all-MiniLM-L6-v2@prompt=clustering:"),
    *(("image", f"hub:<{family}>") for family in IMAGE),
    *(("audio", f"hub:<{family}>") for family in AUDIO),
    ("image", "efficientnet-lite0"),
    ("image", "hub:HUB@pool=max,layer=1"),
    ("image", "hub:HUB@pool=cls,size=32"),
    ("image", "hub:HUB@pool=pooler"),
    ("image", "hub:<convnext>@size=42,layer=-2"),
    ("image", "hub:<dinov2>@dtype=bfloat16"),
    ("audio", "hub:<ast>@pool=cls"),
    ("audio", "hub:<whisper>@window=0.5,pool=max"),
    ("image", "onnx:SEE"),
    ("audio", "onnx:HEAR"),
    ("series", "onnx:FEEL"),
    ("image", "own:PIX"),
    ("image", "own:PIX@layer=1,pool=max"),
    ("audio", "own:MEL"),
    ("series", "own:CUR"),
    ("audio", "spectrogram+signal"),
    ("mine", "vectors@dim=4,source=somebody"),
    ("audio", "spectrogram+hub:HUB@pool=cls"),
    ("audio", "spectrogram@window=0.5+signal"),
]
ELSEWHERE = {"timm", "open_clip"}  # extras, whose own tests stand below


def filled(name: str, places: dict[str, str]) -> str:
    for key, place in places.items():
        name = name.replace(key, place)
    return name


@pytest.mark.parametrize(("modality", "name"), CASES, ids=lambda value: value)
def test_contract(modality: str, name: str, places: dict[str, str]) -> None:
    held: Encoder = make(filled(name, places), modality, CPU)
    assert isinstance(held, Encoder)
    assert held.modality == modality
    batch = GIVEN[modality]
    together = held.encode(batch)
    assert together.shape == (len(batch), held.dim)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    alone = np.concatenate([held.encode([value]) for value in batch])
    bound = 1e-4 if "dtype" not in name else 0.02  # half precision is half as precise
    np.testing.assert_allclose(together, alone, atol=bound)
    np.testing.assert_allclose(held.encode(batch[::-1])[::-1], together, atol=bound)
    if "mobilenet" not in name:  # so small at random that its output is constant
        assert len(np.unique(together.round(3), axis=0)) >= len(batch) - 1, "different items have different latents"
    if isinstance(held, Staged):
        assert [out.fingerprint for out in outputs(held)] == [held.fingerprint]
    assert make(filled(name, places), modality, CPU).fingerprint == held.fingerprint


def test_the_contract_covers_every_registered_encoder() -> None:
    covered = {parse(name).name for _, name in CASES} | {f"signal-{modality}" for modality, name in CASES if name == "signal"}
    assert set(registry.BUILT_IN["encoder"]) - ELSEWHERE <= covered


def test_fingerprints_differ_with_options_and_weights_but_not_with_the_place(places: dict[str, str], tmp_path: Path) -> None:
    names = [f"hub:{places['HUB']}{tail}" for tail in ("", "@pool=max", "@layer=1", "@size=48")]
    prints = [make(name, "image", CPU).fingerprint for name in names]
    assert len(set(prints)) == 4
    shutil.copytree(places["HUB"], tmp_path / "moved")
    assert make(f"hub:{tmp_path / 'moved'}", "image", CPU).fingerprint == prints[0]
    shutil.copytree(places["HEAR"], tmp_path / "hear")
    before = make(f"onnx:{tmp_path / 'hear'}", "audio", CPU).fingerprint
    assert before == make(f"onnx:{places['HEAR']}", "audio", CPU).fingerprint
    side = json.loads((tmp_path / "hear" / "encoder.json").read_text())
    (tmp_path / "hear" / "encoder.json").write_text(json.dumps({**side, "sample_rate": 8000}))
    assert make(f"onnx:{tmp_path / 'hear'}", "audio", CPU).fingerprint != before


def test_names_are_taken_apart() -> None:
    call = parse("hub:facebook/dinov2-small@layer=-3,pool=mean,size=224")
    assert call == Call(name="hub", argument="facebook/dinov2-small", settings={"layer": "-3", "pool": "mean", "size": "224"})
    assert parse("thenlper/gte-base").name == "st"
    assert parse("signal").name == "signal"
    outer = parse("spectrogram+hub:a/b@pool=cls")
    assert (outer.name, outer.inner) == ("spectrogram", "hub:a/b@pool=cls")
    assert parse("hub:/data/a@b/model").argument == "/data/a@b/model"


def test_a_local_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert canonical("hub:model@pool=cls") == f"hub:{tmp_path / 'model'}@pool=cls"
    assert canonical("spectrogram+hub:model") == f"spectrogram+hub:{tmp_path / 'model'}"
    assert canonical("thenlper/gte-base") == "st:thenlper/gte-base"


def raises(kind: type[Exception], match: str, name: str, modality: str, runtime: Runtime = CPU) -> None:
    with pytest.raises(kind, match=match) as caught:
        make(name, modality, runtime)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_meant_is_said(places: dict[str, str], tmp_path: Path) -> None:
    raises(UnknownNameError, "no encoder is called 'hubb'; did you mean 'hub'", "hubb:x", "image")
    raises(InputError, "encoder signal has no option 'size'", "signal@size=3", "image")
    raises(UnknownNameError, "no encoder is called 'signal-text'", "signal", "text")
    raises(InputError, r"no such folder", f"hub:{tmp_path / 'gone'}", "image")
    raises(InputError, "folder without a usable model", f"hub:{tmp_path}", "image")
    raises(MissingError, "hf download nobody/no-such-model", "hub:nobody/no-such-model", "image")
    raises(MissingError, "hf download nobody/no-such-model", "st:nobody/no-such-model", "text")
    raises(InputError, "pool=median: expected one of mean, max, cls, pooler", f"hub:{places['HUB']}@pool=median", "image")
    raises(InputError, "layer=9: this model has the layers", f"hub:{places['HUB']}@layer=9", "image")
    raises(InputError, "size=big: expected a whole number", f"hub:{places['HUB']}@size=big", "image")
    raises(InputError, "is a model of type vit for image, not for audio", f"hub:{places['HUB']}", "audio")
    raises(InputError, "is for audio, not for image", f"onnx:{places['HEAR']}", "image")
    raises(InputError, "no model.onnx there", f"onnx:{tmp_path}", "image")
    raises(
        InputError, "device 'cuda:7' is not on this machine", "signal", "image", Runtime(device="cuda:7")
    ) if not _cuda() else None


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda side: side.update(modality="smell"), "`modality` must be one of audio, image"),
        (lambda side: side.pop("sample_rate"), "`sample_rate` is missing"),
        (lambda side: side.update(input="z"), "input 'z' is not in the graph"),
    ],
)
def test_the_sidecar_is_checked(change: Callable[[dict], Any], match: str, tmp_path: Path) -> None:
    folder = tiny_onnx(tmp_path / "m", "audio")
    side = json.loads((folder / "encoder.json").read_text())
    change(side)
    (folder / "encoder.json").write_text(json.dumps(side))
    raises(InputError, match, f"onnx:{folder}", "audio")


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    folder = tiny_onnx(tmp_path / "m", "audio")
    (folder / "model.onnx").write_bytes(b"not a graph")
    raises(DamagedError, "model.onnx cannot be loaded", f"onnx:{folder}", "audio")
    (folder / "encoder.json").unlink()
    raises(DamagedError, "encoder.json is missing", f"onnx:{folder}", "audio")


def test_altered_default_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.encoders import sentence

    monkeypatch.setattr(sentence, "PACKAGED_SHA256", "0" * 64)
    raises(DamagedError, "have sha256 53aa51172d14..., expected 000000000000", "st:all-MiniLM-L6-v2", "text")


def test_loudness_does_not_count_for_signal() -> None:
    held = make("signal", "audio", CPU)
    loud = Waveform(samples=SOUNDS[2].samples * 2, rate=8000)
    np.testing.assert_allclose(held.encode([loud]), held.encode([SOUNDS[2]]), atol=1e-3)


def test_a_spectrogram_shows_low_notes_at_the_bottom() -> None:
    from textanchor.encoders.spectrogram import picture as drawn

    time = np.arange(16000) / 16000
    low, high = (np.asarray(drawn(Waveform(samples=np.sin(2 * np.pi * hz * time).astype(np.float32), rate=16000)))
                 for hz in (200, 6000))  # fmt: skip
    assert low.shape[0] == 128
    assert low[..., 0].mean(axis=1).argmax() > 100
    assert high[..., 0].mean(axis=1).argmax() < 30


@given(strategies.text() | strategies.text(alphabet='hubst:@=,+"\\ a1-'))
def test_a_canonical_name_is_a_fixed_point_and_reads_back(text: str) -> None:
    try:
        call = parse(text)
    except InputError:  # an escape in quotes that nobody knows
        return
    name = canonical(text)
    assert canonical(name) == name
    if not os.path.exists(call.argument or "x"):  # noqa: PTH110 - of a name that is too long too
        assert parse(name) == replace(call, inner=call.inner and canonical(call.inner))


@pytest.mark.parametrize("folder", ["a@b=c", 'quo"te', "two words ", "plus+", "a,b@c=d,e=f"])
def test_folders_of_any_name_have_a_canonical_name(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / folder / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / folder)
    name = canonical("hub:model@pool=mean+cls")
    assert parse(name) == Call(name="hub", argument=str(tmp_path / folder / "model"), settings={"pool": "mean+cls"})
    assert canonical(name) == name


def test_options_in_quotes() -> None:
    assert parse('st:a/b@prompt="title: none, text: ",revision=v1').settings == {
        "prompt": "title: none, text: ",
        "revision": "v1",
    }
    assert canonical('b@prompt="x, "') == 'st:b@prompt="x, "'
    assert parse('x@a="\\q') == Call(name="st", argument='x@a="\\q')
    with pytest.raises(InputError, match="no string with escapes such as"):
        parse('x@a="\\q"')


def test_options_are_bound_by_the_signature(places: dict[str, str]) -> None:
    raises(
        InputError,
        r"no option 'chanels'; did you mean 'channels'\? \(known: channels, rate, window, hop, windows\)",
        "signal@chanels=3",
        "series",
    )
    raises(InputError, r"no option 'runtime' \(known: layer, pool, size, dtype, revision\)", "hub:x@runtime=1", "image")
    raises(InputError, "rate=-3.0: expected a whole number of 1 or more", "signal@rate=-3.0", "series")
    raises(InputError, "windows=all: expected one of mean, keep", "signal@window=1,windows=all", "audio")
    raises(InputError, "encoder onnx wraps no other, and 'signal' stands behind its", "onnx+signal", "audio")
    raises(InputError, "spectrogram needs an image encoder", "spectrogram", "audio")


def _foreign(argument: str, *, modality: str, runtime: Runtime, scale: Positive = 1.0) -> Encoder:
    """An encoder of another package."""
    encoder: Any = make("signal", modality, runtime)
    encoder.name = f"{argument} {scale} {runtime.device}"
    return encoder


def test_an_encoder_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    point = types.SimpleNamespace(load=lambda: _foreign, value="elsewhere:make")
    monkeypatch.setattr(registry, "_foreign", lambda kind: {"my_own": point} if kind == "encoder" else {})
    for name in ("my_own:x@scale=2,window=1", "my-own:x@scale=2,window=1"):
        assert make(name, "audio", CPU).name == "x 2.0 cpu"  # type: ignore[attr-defined]
    raises(InputError, "scale=0: expected a number above 0", "my_own@scale=0", "audio")


@pytest.mark.parametrize(
    ("modality", "name", "start"),
    [
        ("image", "signal", "c206bfcdb29e51f7"),
        ("audio", "signal", "b820cbdfc28cb9d7"),
        ("audio", "signal@window=1", "470d98ffdc9f6354"),
        ("audio", "signal@window=1,hop=0.5,windows=keep", "76700881f0e902a0"),
        ("audio", "spectrogram+signal", "0f2ff9e0e5d7160e"),
        ("audio", "spectrogram@window=0.5+signal", "9988fea292fc40fa"),
        ("series", "signal", "0b79a47b468cf9ff"),
        ("series", "signal@window=1", "7744b138030c7023"),
        ("series", "signal@channels=3,rate=20", "c937d57178eb3c0b"),
    ],
)
def test_fingerprints_stay_so_that_caches_do(modality: str, name: str, start: str) -> None:
    assert make(name, modality, CPU).fingerprint.startswith(start)


def test_an_anchor_is_its_weights_and_not_its_name(tmp_path: Path) -> None:
    anchors = [make(name, "text", CPU) for name in ("all-MiniLM-L6-v2", "st:sentence-transformers/all-MiniLM-L6-v2")]
    assert anchors[0].fingerprint == anchors[1].fingerprint
    formerly = outputs(anchors[0])[0].formerly
    assert formerly == anchors[0].formerly  # type: ignore[attr-defined]
    assert {known[:16] for known in formerly} == {"cfd95d288084b659", "83a11d0a0525ff0c"}, "what version 1 gave these names"
    first, second = (make(f"st:{tiny_anchor(tmp_path / name)}", "text", CPU) for name in ("one", "two"))
    assert first.fingerprint == second.fingerprint != anchors[0].fingerprint
    assert set(outputs(first)[0].formerly) != set(outputs(second)[0].formerly)
    prompted = make("all-MiniLM-L6-v2@prompt=clustering:", "text", CPU)
    assert prompted.fingerprint != anchors[0].fingerprint
    assert prompted.formerly[0].startswith("b48935d29430c12f")  # type: ignore[attr-defined]


def test_former_fingerprints_go_through_what_wraps_an_encoder() -> None:
    inner: Any = make("signal", "audio", CPU)
    inner.outputs = (replace(inner.outputs[0], formerly=("old",)),)
    outer = Windowed(inner, seconds=1.0, hop=1.0, keep=False)
    assert outer.formerly == outer.outputs[0].formerly == (digest("windowed", "1", "old", "1.0 1.0 False"),)
    seen: Any = make("signal", "image", CPU)
    seen.outputs = (replace(seen.outputs[0], formerly=("old",)),)
    assert Spectrogram(seen).formerly == (digest("spectrogram", "1", "old"),)


def test_threads_take_turns_at_a_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor: Any = make(f"st:{tiny_anchor(tmp_path / 'anchor')}", "text", CPU)
    batches = [[f"{'ab ' * (1 + (7 * row + column) % 9)}".strip() for column in range(3)] for row in range(16)]
    alone = [anchor.encode(batch) for batch in batches]
    inside, encode = threading.Lock(), anchor._model.encode

    def encode_alone(*values: Any, **how: Any) -> Any:
        if not inside.acquire(blocking=False):
            raise RuntimeError("Already borrowed")
        time.sleep(0.002)
        try:
            return encode(*values, **how)
        finally:
            inside.release()

    monkeypatch.setattr(anchor._model, "encode", encode_alone)
    with ThreadPoolExecutor(8) as pool:
        for expected, vectors in zip(alone, pool.map(anchor.encode, batches), strict=True):
            np.testing.assert_array_equal(vectors, expected)


def test_threads_share_one_graph(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder: Any = make(f"onnx:{places['SEE']}", "image", CPU)
    alone = encoder.encode(PICTURES)
    graph = Graph(Path(places["SEE"]) / "model.onnx", gpu=False, sidecar={"input": "x", "output": "y"})
    opened, session = [], graph._session

    def slow(**how: Any) -> Any:
        opened.append(1)
        time.sleep(0.05)
        return session(**how)

    monkeypatch.setattr(graph, "_session", slow)
    encoder._graph = graph
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(encoder.encode, [PICTURES] * 8):
            np.testing.assert_allclose(vectors, alone, atol=1e-6)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("modality", "name"), [("audio", "spectrogram+signal"), ("audio", "hub:<ast>"), ("image", "hub:<vit>")]
)
def test_threads_share_an_encoder(modality: str, name: str, places: dict[str, str]) -> None:
    encoder = make(filled(name, places), modality, CPU)
    alone = [encoder.encode([value]) for value in GIVEN[modality]]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda value: encoder.encode([value]), GIVEN[modality] * 4))
    np.testing.assert_allclose(np.concatenate(together), np.concatenate(alone * 4), atol=1e-6)


def test_the_default_anchor_is_the_librarys_model_without_the_library() -> None:
    from sentence_transformers import SentenceTransformer

    from textanchor.encoders import sentence

    library = SentenceTransformer(str(sentence.packaged()), device="cpu").eval()
    long = " ".join(["word"] * 400)
    texts = [
        "a dog",
        " x ",
        "größe 漢字 😀 [SEP] [MASK]",
        "A man climbs a rock, smiling.",
        long,
        *(f"{n} " * n for n in range(1, 90, 11)),
    ]
    for option, prompt in (("", ""), ("@prompt=clustering:", "clustering: ")):
        ours: Any = make(f"all-MiniLM-L6-v2{option}", "text", CPU)
        theirs = sentence.Sentence(library, label="all-MiniLM-L6-v2", modality="text", prompt=prompt)
        assert (ours.fingerprint, ours.formerly, ours.dim) == (theirs.fingerprint, theirs.formerly, theirs.dim)
        np.testing.assert_allclose(ours.encode(texts), theirs.encode(texts), atol=1e-6)


def test_a_search_imports_no_library_of_models(saved: Path, shapes: Path, tmp_path: Path) -> None:
    """What a single search takes is mostly what it imports."""
    code = (
        "import sys; from textanchor.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print({'transformers', 'sentence_transformers', 'sklearn', 'torch._dynamo', 'matplotlib'} & set(sys.modules))"
    )
    call = [sys.executable, "-c", code, "search", str(saved), "a circle", "--in", str(shapes / "image")]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"


def test_few_texts_need_no_torch(run_python: Any) -> None:
    """The network in numpy gives what the one in torch gives, and a process that asks for a text imports no torch."""
    from textanchor.encoders.making import make
    from textanchor.runtime import Runtime

    texts = ["a dog", "", "Ünïcode and some more words, longer than the others: " + "one two three " * 40]
    anchor = make("st:", "text", Runtime(device="cpu"))
    model = anchor._model
    ids = [encoding.ids for encoding in model._tokens.encode_batch(texts)]
    np.testing.assert_allclose(model._light.encode(ids), model._network.encode(ids), atol=1e-6)
    np.testing.assert_allclose(anchor.encode(texts), model._network.encode(ids), atol=1e-6)
    told = run_python(
        "import sys\n"
        "from textanchor.encoders.making import make\n"
        "from textanchor.runtime import Runtime\n"
        "make('st:', 'text', Runtime(device='cpu')).encode(['a dog'])\n"
        "print('torch' in sys.modules)"
    )
    assert told == "False"


@pytest.fixture
def run_python() -> Any:
    import subprocess
    import sys

    def call(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    return call
