"""A space: what it embeds, how it is kept, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import soundfile

import textanchor
from conftest import picture, sound, write_shapes
from textanchor.errors import DamagedError, InputError, ItemError, LeakError, NothingUsableError
from textanchor.files import file_digest
from textanchor.records import Item, Waveform
from textanchor.space.storage import fingerprint, save_into


def test_everything_lands_in_one_vector_space(space: Any, shapes: Path) -> None:
    given = [
        "circle",
        shapes / "image" / "circle" / "03.png",
        picture("circle", 77),
        shapes / "audio" / "circle" / "03.wav",
        (sound("circle", 77), 8000),
        Waveform(samples=sound("circle", 78), rate=8000),
        Item(id="mine", modality="text", value="circle"),
        "circle",
    ]
    found = space.embed(given)
    assert found.shape == (8, 384)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], found[6], atol=1e-6)
    np.testing.assert_array_equal(found[0], found[7])
    assert space.embed("circle").shape == (1, 384)
    for row, value in enumerate(given):
        np.testing.assert_allclose(space.embed([value])[0], found[row], atol=1e-4)


def test_a_view_makes_vectors_comparable(space: Any, shapes: Path) -> None:
    names = ["circle", "square", "cross", "stripes"]
    texts = space.embed(names, compared_with="image")
    images = space.embed([shapes / "image" / name / "05.png" for name in names], compared_with="image")
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    assert (images @ texts.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match="no modality 'smell' to compare with: the space has image, audio"):
        space.embed(names, compared_with="smell")


def test_what_cannot_be_embedded_is_said(space: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a int; say what it is with modality="):
        space.embed([3])
    with pytest.raises(InputError, match="unknown kind of file '.xyz'"):
        space.embed(tmp_path / "a.xyz")
    with pytest.raises(ItemError, match="No such file"):
        space.embed(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"no modality 'series' \(it has: text, image, audio, video\)"):
        space.embed("x", modality="series")
    with pytest.raises(ItemError, match="empty text"):
        space.embed("  ")


def test_the_anchor_is_never_changed_by_a_fit(shapes: Path, tmp_path: Path) -> None:
    """Byte for byte: texts mean the same before, after and beside any fit, and so do earlier modalities."""
    pairs = textanchor.read_pairs(shapes)
    texts = ["circle", "a red stripe", "somewhere else"]
    first = textanchor.fit(pairs.only("image"), aligner="ridge")
    before = first.embed(texts).tobytes(), first.embed(texts, compared_with="image").tobytes()
    image = first.embed(shapes / "image" / "cross" / "01.png", compared_with="image").tobytes()
    both = textanchor.fit(pairs.only("audio"), aligner="bank", into=first)
    assert set(both.modalities) == {"image", "audio"}
    assert set(first.modalities) == {"image"}
    assert (both.embed(texts).tobytes(), both.embed(texts, compared_with="image").tobytes()) == before
    assert both.embed(shapes / "image" / "cross" / "01.png", compared_with="image").tobytes() == image
    from textanchor.encoders import make
    from textanchor.runtime import Runtime

    bare = make("st:all-MiniLM-L6-v2", "text", Runtime()).encode(texts)
    np.testing.assert_allclose(first.embed(texts), bare, atol=1e-6)
    assert len(both.seen.contents) == len(first.seen.contents) * 2
    with pytest.raises(InputError, match="the space's anchor is st:all-MiniLM-L6-v2 and never changes"):
        textanchor.fit(pairs, into=first, anchor="thenlper/gte-base")


def test_saved_and_loaded_it_is_the_same(space: Any, saved: Path, shapes: Path) -> None:
    assert {path.suffix for path in saved.iterdir()} == {".json", ".safetensors"}
    again = textanchor.load(saved)
    items = ["circle", shapes / "image" / "circle" / "00.png", shapes / "audio" / "cross" / "00.wav"]
    np.testing.assert_array_equal(again.embed(items, compared_with="audio"), space.embed(items, compared_with="audio"))
    assert fingerprint(again) == fingerprint(space)
    assert again.seen == space.seen
    assert again.stories == space.stories
    assert again.modalities["image"].choice == space.modalities["image"].choice
    text = (saved / "space.json").read_text()
    assert str(shapes) not in text, "a space names no place of the training data"
    with pytest.raises(InputError, match="exists already; name another place or add --overwrite"):
        space.save(saved)


def test_it_remembers_what_it_has_seen(space: Any, shapes: Path) -> None:
    (story,) = space.stories
    assert story.split == "by group and content, seed 0"
    for modality in ("image", "audio"):
        counts = story.counts[modality]
        assert sum(side.items for side in counts.values()) == 48
        assert counts["train"].items >= 30
    sides = list(space.seen.contents.values())
    assert sides.count("train") == sum(story.counts[modality]["train"].items for modality in ("image", "audio"))
    assert set(space.seen.groups.values()) == {"train", "val"}


def test_the_test_side_is_not_even_encoded(shapes: Path, tmp_path: Path) -> None:
    made = textanchor.fit(shapes, aligner="ridge", cache=tmp_path)
    from safetensors.numpy import load_file

    for modality in ("image", "audio"):
        shards = (tmp_path / made.modalities[modality].fingerprint).glob("*.safetensors")
        keys = {row.tobytes().hex() for shard in shards for row in load_file(shard)["keys"]}
        assert keys <= set(made.seen.contents)
        assert len(keys) == sum(made.stories[0].counts[modality][side].items for side in ("train", "val"))


def damage(folder: Path, change: Any) -> None:
    facts = json.loads((folder / "space.json").read_text())
    change(facts)
    (folder / "space.json").write_text(json.dumps(facts))


DAMAGES = {
    "newer": (
        lambda folder: damage(folder, lambda facts: facts.update(version=99)),
        "has format version 99, this textanchor reads up to 3; upgrade",
    ),
    "other format": (lambda folder: damage(folder, lambda facts: facts.update(format="x")), "does not describe a space"),
    "no version": (lambda folder: damage(folder, lambda facts: facts.update(version="1")), "version '1' is no version"),
    "missing numbers": (lambda folder: (folder / "image.safetensors").unlink(), "image.safetensors is missing"),
    "altered numbers": (lambda folder: flip(folder / "image.safetensors"), "was altered or damaged"),
    "altered memory": (lambda folder: flip(folder / "seen.json"), r"seen\.json was altered"),
    "cut json": (lambda folder: (folder / "space.json").write_text('{"format": '), "is not readable JSON"),
    "a list": (lambda folder: (folder / "space.json").write_text("[]"), "does not describe a space"),
    "no anchor": (lambda folder: damage(folder, lambda facts: facts.pop("anchor")), "is incomplete or altered"),
    "foreign file": (
        lambda folder: damage(folder, lambda facts: facts["files"].update({"../../x": "0"})),
        "names a file outside its folder",
    ),
    "other projector": (
        lambda folder: damage(folder, lambda facts: facts["modalities"]["image"]["projector"].update(name="evil")),
        "no projector is called 'evil'",
    ),
    "other size": (
        lambda folder: damage(
            folder, lambda facts: facts["modalities"]["image"]["projector"]["settings"].update(dim_in=10**9, dim_out=10**6)
        ),
        "is incomplete or altered",
    ),
    "other view": (
        lambda folder: damage(folder, lambda facts: facts["modalities"]["image"].update(view="0" * 16)),
        "the view is not the one",
    ),
}


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_space_is_an_answer(name: str, saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "space")
    change, match = DAMAGES[name]
    change(folder)
    with pytest.raises(InputError, match=match) as caught:
        used(folder)
    assert "\n" not in str(caught.value)


def used(folder: Path) -> None:
    """Loaded, and its projectors built, which happens when they are first asked for."""
    for fitted in textanchor.load(folder).modalities.values():
        assert fitted.projector.module


def test_a_folder_without_a_space_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no space: it has no space.json"):
        textanchor.load(tmp_path)


def test_another_encoder_under_the_name_is_refused(saved: Path) -> None:
    held = textanchor.load(saved)
    held.replace_encoder("audio", "signal")
    with pytest.raises(InputError, match="is not the one that the space was fitted with"):
        held.replace_encoder("audio", "spectrogram+signal")
    with pytest.raises(InputError, match="no modality 'smell'"):
        textanchor.load(saved, encoders={"smell": "signal"})


def test_the_same_seed_gives_the_same_space(shapes: Path) -> None:
    prints = {fingerprint(textanchor.fit(shapes, aligner="bank", seed=seed)) for seed in (0, 0, 1)}
    assert len(prints) == 2


def test_documents_get_a_projector_of_their_own(tmp_path: Path) -> None:
    rows = [f"report {k} about {what},{what}" for what in ("rain", "gold", "cats") for k in range(8)]
    (tmp_path / "pairs.csv").write_text("item_text,text\n" + "\n".join(rows))
    made = textanchor.fit(tmp_path, aligner="ridge")
    assert set(made.modalities) == {"document"}
    assert made.embed("report 9 about gold", modality="document").shape == (1, 384)
    raw, mapped = made.embed("gold"), made.embed("gold", modality="document")
    assert np.abs(raw - mapped).max() > 1e-3


def test_strict_stops_at_the_first_bad_item(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    (folder / "image" / "circle" / "01.png").write_bytes(b"no image")
    with pytest.raises(ItemError, match="not an image of a format that is read"):
        textanchor.fit(folder, aligner="ridge", strict=True, fractions=(0.98, 0.01, 0.01))
    found = textanchor.fit(folder, aligner="ridge", fractions=(0.98, 0.01, 0.01))
    assert [one.item for one in found.stories[0].skipped] == ["image/circle/01.png"]


def test_nothing_readable_is_said(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    for path in folder.rglob("*.png"):
        path.write_bytes(path.name.encode() + path.parent.name.encode())
    with pytest.raises(NothingUsableError, match="no image item for fitting could be read"):
        textanchor.fit(folder)


def test_a_leaking_table_is_refused(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    lines = (folder / "pairs.csv").read_text().splitlines()
    sides = [f"{line},{'train' if k % 2 else 'test'}" for k, line in enumerate(lines[1:])]
    (folder / "pairs.csv").write_text("\n".join([f"{lines[0]},split", *sides]))
    with pytest.raises(LeakError, match="on both sides"):
        textanchor.fit(folder)
    assert textanchor.fit(folder, resplit=True, aligner="ridge").stories[0].split.startswith("by group")


def test_a_relative_model_folder_is_kept_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from test_encoders import tiny_onnx

    write_shapes(tmp_path / "s", each=6)
    tiny_onnx(tmp_path / "hear", "audio")
    monkeypatch.chdir(tmp_path)
    held = textanchor.read_pairs("s").only("audio")
    textanchor.fit(held, encoders={"audio": "onnx:hear"}, aligner="ridge").save("space")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    soundfile.write("new.wav", sound("cross", 50), 8000)
    assert textanchor.load("../space").embed(Path("new.wav")).shape == (1, 384)
    shutil.move(tmp_path / "hear", tmp_path / "moved")
    with pytest.raises(InputError, match=r"no model\.onnx there"):
        textanchor.load("../space").embed(Path("new.wav"))
    moved = textanchor.load("../space", encoders={"audio": "onnx:../moved"})
    assert moved.embed(Path("new.wav")).shape == (1, 384)


def test_encoders_of_absent_modalities_are_refused(shapes: Path) -> None:
    with pytest.raises(InputError, match=r"--encoder video=\.\.\.: the pairs hold image, audio, no video"):
        textanchor.fit(shapes, encoders={"video": "signal"})


def test_the_error_tree_is_as_drawn() -> None:
    assert DamagedError.__mro__[1] is InputError
    assert (InputError.exit_code, NothingUsableError.exit_code) == (2, 1)


def as_format_2(folder: Path) -> None:
    """What the version before wrote: one story, one wording, a flat report of each modality, groups by their bare names."""

    def former(facts: dict[str, Any]) -> None:
        story = facts.pop("stories")[-1]
        settings, versions = story.pop("settings"), story.pop("versions")
        for side in (side for sides in story["counts"].values() for side in sides.values()):
            side.pop("lone_items")
            side.pop("lone_texts")
        for told in facts["modalities"].values():
            choice = told.pop("choice")
            told.pop("maps")
            told["report"] = {
                "asked": told.pop("asked"), "seed": told.pop("seed"), "aligner": choice["aligner"], **choice["settings"],
                **{key: choice[key] for key in ("chosen on", "score", "view", "hubness")}, **choice["notes"],
            }  # fmt: skip
            facts["wording"] = told.pop("wording")
        facts["provenance"] = {"fit": story, "settings": settings, "versions": versions}
        seen = json.loads((folder / "seen.json").read_text())
        groups = {"speaker 1": "train"} | dict.fromkeys(seen["groups"], "val")
        (folder / "seen.json").write_text(json.dumps({"contents": seen["contents"], "groups": groups}))
        facts["files"]["seen.json"] = file_digest(folder / "seen.json")
        facts["version"] = 2

    damage(folder, former)


def test_a_space_of_the_version_before_still_loads(saved: Path, tmp_path: Path, shapes: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "space")
    as_format_2(folder)
    now, before = textanchor.load(saved), textanchor.load(folder)
    items = ["circle", shapes / "image" / "circle" / "00.png"]
    np.testing.assert_array_equal(now.embed(items, compared_with="image"), before.embed(items, compared_with="image"))
    assert before.modalities["image"].choice.score == now.modalities["image"].choice.score
    assert before.modalities["image"].aligner == now.modalities["image"].aligner
    assert before.modalities["image"].choice.settings == now.modalities["image"].choice.settings
    assert before.stories[0].recipe == now.stories[0].recipe
    assert before.seen.side("no such content", ["no such key"], ["speaker 1"]) == "train"
    assert before.seen.groups == {}
    before.save(tmp_path / "again")
    assert fingerprint(textanchor.load(tmp_path / "again")) == fingerprint(now)


def test_every_fit_has_its_story(shapes: Path) -> None:
    pairs = textanchor.read_pairs(shapes)
    first = textanchor.fit(pairs.only("image"), aligner="ridge", seed=1)
    both = textanchor.fit(pairs.only("audio"), aligner="bank", into=first, seed=2, fractions=(0.6, 0.2, 0.2))
    assert [story.modalities for story in both.stories] == [("image",), ("audio",)]
    recipes = [story.recipe for story in both.stories]
    assert [(recipe.aligner, recipe.splitting.seed) for recipe in recipes if recipe] == [("ridge", 1), ("bank", 2)]


def test_words_given_with_one_modality_are_that_modalitys(shapes: Path) -> None:
    """Synonyms that come with sounds change nothing of how images are judged."""
    pairs = textanchor.read_pairs(shapes)
    first = textanchor.fit(pairs.only("image"), aligner="ridge")
    words = textanchor.wording(synonyms={"circle": ["a round thing"]})
    both = textanchor.fit(pairs.only("audio"), aligner="ridge", into=first, wording=words)
    assert both.wording("image").phrasings("circle", "image") == ("circle",)
    assert both.wording("audio").phrasings("circle", "audio") == ("circle", "a round thing")
    rows = [textanchor.evaluate(one, pairs.only("image"), probe=False, map_=False).table("alignment") for one in (first, both)]
    assert rows[0] == rows[1]


def test_two_fits_into_one_space_at_once_lose_nothing(shapes: Path, tmp_path: Path) -> None:
    pairs = textanchor.read_pairs(shapes)
    textanchor.fit(pairs.only("image"), aligner="ridge").save(tmp_path / "space")
    base = textanchor.load(tmp_path / "space")
    documents = tmp_path / "documents.csv"
    documents.write_text(
        "item_text,text\n" + "\n".join(f"note {k} on {what},{what}" for what in ("rain", "gold") for k in range(9))
    )
    sounds = textanchor.fit(pairs.only("audio"), aligner="ridge", into=base)
    notes = textanchor.fit(documents, aligner="ridge", into=base)
    save_into(sounds, tmp_path / "space")
    save_into(notes, tmp_path / "space")
    found = textanchor.load(tmp_path / "space")
    assert set(found.modalities) == {"image", "audio", "document"}
    assert len(found.stories) == 3
    assert len(found.seen.contents) == len({**base.seen.contents, **sounds.seen.contents, **notes.seen.contents})


def test_a_replaced_folder_is_never_absent(tmp_path: Path) -> None:
    """Replacing a folder is one step: whoever looks meanwhile finds the old one or the new one."""
    from textanchor.files import new_folder

    place = tmp_path / "out"
    with new_folder(place, overwrite=False, marker="m") as new:
        (new / "m").write_text("0")
    stop, missing = Event(), []

    def watch() -> None:
        while not stop.is_set():
            if not place.is_dir():
                missing.append(1)

    watcher = Thread(target=watch)
    watcher.start()
    for number in range(200):
        with new_folder(place, overwrite=True, marker="m") as new:
            (new / "m").write_text(str(number))
    stop.set()
    watcher.join()
    assert not missing
    assert (place / "m").read_text() == "199"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
