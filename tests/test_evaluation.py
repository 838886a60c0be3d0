"""Figures of a space: what they are measured on, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import textanchor
from conftest import picture, sound, write_shapes
from textanchor.data.pairs import group_key
from textanchor.errors import InputError, LeakError
from textanchor.evaluation.held_out import ALL_PAIRS, HELD_OUT, TRAINING
from textanchor.evaluation.probes import class_like, probes
from textanchor.evaluation.refits import Fresh
from textanchor.evaluation.tables import gains


@pytest.fixture(scope="module")
def done(space: Any, shapes: Path) -> Any:
    seed = textanchor.fit(shapes, aligner="seed")
    return textanchor.evaluate(space, shapes, name="ours", against={"seed recipe": seed}, include_train=True)


def test_held_out_is_what_the_space_has_not_seen(space: Any, done: Any, shapes: Path) -> None:
    held_out, table = done.judged.pairs[HELD_OUT], textanchor.read_pairs(shapes)
    for pairs in held_out.values():
        assert not set(pairs.items.contents) & set(space.seen.contents)
        groups = {group for name in pairs.items.ids for group in table.groups[name]}
        assert not {group_key(table, group) for group in groups} & set(space.seen.groups)
    (story,) = space.stories
    assert {name: len(pairs.items) for name, pairs in held_out.items()} == {
        name: sides["test"].items for name, sides in story.counts.items()
    }
    assert done.judged.excluded["train"] == sum(sides["train"].items for sides in story.counts.values())


def test_every_row_says_its_split_and_figures_stand_beside_floor_and_chance(done: Any) -> None:
    rows = done.table("alignment")
    assert {row["split"] for row in rows} == {HELD_OUT, TRAINING}
    for row in rows:
        if row["query"] != "text":
            assert row["floor"] < row["positive cosine"] <= 1
            assert 0.5 < row["AUC"] <= 1
        assert row["chance R@1"] == pytest.approx(0.25, abs=0.01)
        if row["query"] != "text":
            assert row["R@1"] >= 0.75
            low, high = row["R@1 interval"]
            assert low <= row["R@1"] <= high
    emergent = [row for row in done.table("emergent") if row["split"] == HELD_OUT and row["space"] == "ours"]
    assert {(row["query"], row["gallery"]) for row in emergent} == {("image", "audio"), ("audio", "image")}
    assert all(row["R@1"] >= 0.8 for row in emergent)


def test_figures_can_be_computed_by_hand(space: Any, done: Any) -> None:
    pairs = done.judged.pairs[HELD_OUT]["image"]
    vectors = space.embed([done.judged.items[name] for name in pairs.items.ids], compared_with="image")
    texts = space.embed(list(pairs.texts), compared_with="image")
    right = [(vectors[i] @ texts.T).argmax() == pairs.first_text[i] for i in range(len(vectors))]
    row = next(row for row in done.table("alignment") if row["query"] == "image" and row["space"] == "ours")
    assert row["R@1"] == pytest.approx(np.mean(right))


def test_captions_that_share_one_text_are_relevant_and_none_is_said(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=10)
    lines = (folder / "pairs.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    own = [f"{row[0]},a drawing or sound number {k},{row[2]}" for k, row in enumerate(rows)]
    (folder / "pairs.csv").write_text(
        "\n".join([lines[0], *(line for pair in zip(own, lines[1:], strict=True) for line in pair)])
    )
    made = textanchor.fit(folder, aligner="ridge")
    found = textanchor.evaluate(made, folder, probe=False, map_=False)
    emergent = found.table("emergent")
    assert len(emergent) == 2
    for row in emergent:
        assert row["queries"] >= 8
        assert 0.2 < row["chance R@1"] < 0.3
    part = textanchor.read_pairs(folder).only("image")
    assert "no figure for audio" not in " ".join(textanchor.evaluate(made, part, probe=False, map_=False).notes)
    only_images = textanchor.fit(part, aligner="ridge")
    notes = textanchor.evaluate(only_images, folder, probe=False, map_=False).notes
    assert "no figure for audio: the space has no such modality" in notes
    (folder / "pairs.csv").write_text("\n".join([lines[0], *own]))
    apart = textanchor.fit(folder, aligner="ridge")
    found = textanchor.evaluate(apart, folder, probe=False, map_=False)
    assert found.table("emergent") == []
    assert "no image->audio figure: they share no held-out text" in found.notes


def test_shuffled_texts_give_chance(tmp_path: Path) -> None:
    """A test that would show any leak: texts that have nothing to do with the items cannot be found."""
    folder = write_shapes(tmp_path / "s", each=20, sounds=False)
    lines = (folder / "pairs.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    texts = np.random.default_rng(0).permutation([row[1] for row in rows])
    (folder / "pairs.csv").write_text(
        "\n".join([lines[0], *(f"{row[0]},{text},{row[2]}" for row, text in zip(rows, texts, strict=True))])
    )
    made = textanchor.fit(folder, fractions=(0.5, 0.1, 0.4))
    found = textanchor.evaluate(made, folder, map_=False, include_train=True)
    row = next(row for row in found.table("alignment") if row["query"] == "image" and row["split"] == HELD_OUT)
    assert row["R@1"] < 0.5
    probe = {(one.split, one.labelled, one.features): one.accuracy for one in found.probes}
    assert probe[ALL_PAIRS, "80/20", "embeddings + logistic regression"] < 0.5, (
        "a projector fitted outside the fold would leak here"
    )


def test_seen_pairs_are_refused(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    made = textanchor.fit(folder, aligner="ridge")
    held = textanchor.read_pairs(folder)
    seen = replace(held, rows=tuple(pair for pair in held.rows if group_key(held, pair.group) in made.seen.groups))
    with pytest.raises(LeakError, match="were seen when the space was fitted"):
        textanchor.evaluate(made, seen)
    labelled = textanchor.evaluate(made, seen, include_train=True, probe=False)
    assert {row["split"] for row in labelled.table("alignment")} == {TRAINING}
    assert labelled.map is None


def test_a_renamed_copy_and_a_known_group_are_still_seen(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    made = textanchor.fit(folder, aligner="ridge")
    table = textanchor.read_pairs(folder)
    pair = next(pair for pair in table.rows if made.seen.groups.get(group_key(table, pair.group)) == "train")
    (folder / "copy.png").write_bytes(pair.item.path.read_bytes())
    for name in ("speaker.png", "new1.png", "new2.png"):
        picture("circle", 900 + len(name) + ord(name[3])).save(folder / name)
    rows = ["copy.png,circle,", f"speaker.png,circle,{pair.group}", "new1.png,circle,", "new2.png,square,"]
    (folder / "pairs.csv").write_text("path,text,group\n" + "\n".join(rows))
    found = textanchor.evaluate(made, folder, probe=False)
    assert found.judged.excluded == {"train": 2, "val": 0}
    assert found.judged.pairs[HELD_OUT]["image"].items.ids == ("new1.png", "new2.png")
    assert any("left out because the space has seen them: 2 train" in note for note in found.notes)


def test_a_group_of_another_table_is_another_group(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    made = textanchor.fit(folder, aligner="ridge")
    table = textanchor.read_pairs(folder)
    known = next(pair.group for pair in table.rows if made.seen.groups.get(group_key(table, pair.group)) == "train")
    other = tmp_path / "other"
    other.mkdir()
    picture("circle", 900).save(other / "new.png")
    (other / "others.csv").write_text(f"path,text,group\nnew.png,circle,{known}\n")
    assert textanchor.evaluate(made, other / "others.csv", probe=False).judged.excluded == {"train": 0, "val": 0}


def test_probes_refit_inside_each_labelled_part(shapes: Path, monkeypatch: pytest.MonkeyPatch, done: Any) -> None:
    from textanchor.aligners.ridge import Ridge

    fitted: list[set[str]] = []
    honest = Ridge.fit

    def watched(self: Any, task: Any) -> Any:
        fitted.append(set(task.train.groups) | (set(task.val.groups) if task.val else set()))
        return honest(self, task)

    monkeypatch.setattr(Ridge, "fit", watched)
    pairs = done.judged.pairs[TRAINING]["image"]
    found = list(probes(pairs, Fresh(aligner="ridge"), split="here"))
    assert len(fitted) == 10
    every = set(pairs.groups)
    assert all(groups < every for groups in fitted)
    big, small = fitted[:5], fitted[5:]
    assert min(len(groups) for groups in big) > max(len(groups) for groups in small)
    assert {(one.labelled, one.features) for one in found} == {
        (cut, name)
        for cut in ("80/20", "20/80")
        for name in (
            "embeddings + logistic regression", "embeddings, nearest text", "latents + logistic regression", "largest class",
        )
    }  # fmt: skip
    floor = [one.accuracy for one in found if one.features == "largest class"]
    assert all(value < 0.4 for value in floor)


def test_probes_take_seen_items_only_when_asked_and_say_so(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=30, sounds=False)
    made = textanchor.fit(folder, aligner="ridge", fractions=(0.5, 0.1, 0.4))
    alone = textanchor.evaluate(made, folder, map_=False)
    assert {one.split for one in alone.probes} == {HELD_OUT}
    both = textanchor.evaluate(made, folder, map_=False, include_train=True)
    assert {one.split for one in both.probes} == {HELD_OUT, ALL_PAIRS}


def test_captions_are_no_classes(toy) -> None:
    assert class_like(toy(items=40, per=2)) == "items with several texts have no single class"
    assert "groups are needed" in class_like(toy(items=40, texts=30))
    assert class_like(toy(items=400, texts=3)) == ""


def test_differences_are_paired_and_only_held_out(done: Any) -> None:
    rows = [gain.described() for gain in gains(done.rows, "ours")]
    assert {row["split"] for row in rows} == {HELD_OUT}
    assert {row["than"] for row in rows} == {"seed recipe"}
    for row in rows:
        low, high = row["95 % interval"] or (0, 0)
        if row["verdict"] == "better":
            assert low > 0
        if row["verdict"] == "worse":
            assert high < 0
        if row["verdict"] == "equal":
            assert row["R@1 difference"] == 0


def test_spaces_with_other_encoders_are_not_put_in_one_table(space: Any, shapes: Path) -> None:
    other = textanchor.fit(shapes, aligner="ridge", encoders={"audio": "spectrogram+signal"})
    with pytest.raises(InputError, match="must have one anchor and the same encoders"):
        textanchor.evaluate(space, shapes, against={"other": other})
    with pytest.raises(InputError, match="two compared spaces are called"):
        textanchor.evaluate(space, shapes, name="a", against={"a": space})


def test_the_map_shows_held_out_items_only(done: Any) -> None:
    held = {name for pairs in done.judged.pairs[HELD_OUT].values() for name in pairs.items.ids}
    assert set(done.map.ids) == held
    assert done.map.points.shape == (len(held), 2)
    assert done.map.knn > 0.7


class Outside(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.kinds: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kinds[tag] = self.kinds.get(tag, 0) + 1
        for key, value in attrs:
            if key in ("src", "href", "data", "action", "xlink:href") and value and not value.startswith(("data:", "#")):
                self.found.append(value)


def test_the_report_is_one_file_that_fetches_nothing(done: Any, space: Any, tmp_path: Path) -> None:
    place = textanchor.write_report(done, space, tmp_path / "report")
    for fitted in space.modalities.values():
        assert fitted.choice.text.startswith("chosen on validation: alpha ")
        assert f"view {fitted.choice.view}, hubness {fitted.choice.hubness}" in fitted.choice.text
        assert fitted.choice.text in place.read_text()
    html = place.read_text()
    page = Outside()
    page.feed(html)
    assert page.found == []
    assert not re.search(r"url\((?!#|['\"]?data:)|@import", html)
    assert page.kinds["img"] >= 8
    assert page.kinds["audio"] >= 8
    assert page.kinds["svg"] == 1
    for expected in ("held-out", TRAINING, "floor", "chance", "seed recipe", "t-SNE", "95 %"):
        assert expected in html, expected
    metrics = json.loads((place.parent / "metrics.json").read_text())
    assert metrics["alignment"] == json.loads(json.dumps(done.metrics()["alignment"]))
    assert metrics["versions"]["torch"]
    with pytest.raises(InputError, match="exists already"):
        textanchor.write_report(done, space, tmp_path / "report")


def test_hostile_names_are_only_shown(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    evil = "<script>alert(1)</script>"
    text = (folder / "pairs.csv").read_text().replace(",circle,", f',"{evil} $x_1$",')
    (folder / "pairs.csv").write_text(text)
    made = textanchor.fit(folder, aligner="ridge", fractions=(0.5, 0.2, 0.3))
    found = textanchor.evaluate(made, folder, probe=False)
    html = textanchor.write_report(found, made, tmp_path / "report", title=evil).read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_unseen_classes_are_named_by_what_was_fitted_on_others(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.evaluation.unseen import paired_draws, zero_shot

    pairs = toy(items=160, texts=16, seed=1)
    fitted: list[tuple[set[str], set[str]]] = []
    honest = Fresh.fit

    def watched(self: Fresh, train: Any, val: Any, *, test: Any) -> Any:
        fitted.append((set(train.texts), set(val.texts)))
        assert not set(test.texts) & (set(train.texts) | set(val.texts))
        return honest(self, train, val, test=test)

    monkeypatch.setattr(Fresh, "fit", watched)
    ridge, seed = zero_shot(pairs, [Fresh(aligner="ridge"), Fresh(aligner="seed")], classes=4, draws=5)
    for train, val in fitted:
        assert len(train) == 8
        assert len(val) == 4
        assert not train & val
    assert fitted[0] == fitted[1], "both aligners see the same draws"
    assert fitted[0] != fitted[2]
    assert ridge.chance == 0.25
    assert ridge.accuracy > 0.5, "in a linear world the map carries over"
    assert ridge.accuracy == pytest.approx(np.mean(ridge.draws))
    gain, interval = paired_draws(ridge, seed)
    assert gain == pytest.approx(ridge.accuracy - seed.accuracy)
    assert interval is not None
    assert interval[0] <= gain <= interval[1]
    with pytest.raises(InputError, match="6 of 16 classes"):
        zero_shot(pairs, [Fresh(aligner="ridge")], classes=6)
    with pytest.raises(InputError, match="several texts"):
        zero_shot(toy(items=40, per=2), [Fresh(aligner="ridge")], classes=2)


def test_unseen_classes_from_the_command_line(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["path,text"]
    for row in range(90):
        colour = row % 9
        place = tmp_path / f"{row}.csv"
        np.savetxt(place, rng.normal(colour, 0.1, size=(30, 1)), delimiter=",", header="x", comments="")
        rows.append(f"{place.name},the number {colour}")
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    space = tmp_path / "space"
    assert run("fit", tmp_path / "pairs.csv", "-o", space, "--modality", "series", "--aligner", "ridge").exit_code == 0
    done = run(
        "evaluate",
        space,
        tmp_path / "pairs.csv",
        "--modality",
        "series",
        "--unseen-classes",
        3,
        "--no-probes",
        "--include-train",
    )
    assert done.exit_code == 0, done.stderr
    assert "Classes that no fit has seen" in done.stdout
    wrong = run("evaluate", space, tmp_path / "pairs.csv", "--modality", "series", "--unseen-classes", 30, "--no-probes")
    assert wrong.exit_code == 2
    assert "30 of 9 classes" in wrong.stderr


def test_each_modality_names_the_split_that_it_was_fitted_with(tmp_path: Path) -> None:
    pairs = textanchor.read_pairs(write_shapes(tmp_path / "s", each=6))
    images = textanchor.fit(pairs.only("image"), aligner="ridge")
    both = textanchor.fit(pairs.only("audio"), aligner="ridge", into=images, seed=7, fractions=(0.5, 0.2, 0.3))
    notes = textanchor.evaluate(both, pairs, probe=False, map_=False).notes
    for modality, story in zip(("image", "audio"), both.stories, strict=True):
        assert f"{modality} fitted with the split: {story.split}" in notes
    assert images.stories[0].split != both.stories[1].split
    alone = textanchor.evaluate(images, pairs, probe=False, map_=False).notes
    assert f"fitted with the split: {images.stories[0].split}" in alone


def test_an_item_with_several_groups_is_seen_if_any_of_them_was(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    made = textanchor.fit(folder, aligner="ridge")
    table = textanchor.read_pairs(folder)
    known = next(pair.group for pair in table.rows if made.seen.groups.get(group_key(table, pair.group)) == "train")
    lines = (folder / "pairs.csv").read_text().splitlines()
    picture("circle", 901).save(folder / "new.png")
    picture("square", 902).save(folder / "other.png")
    rows = [f"new.png,circle,{known}", "new.png,a ring,fresh", "other.png,square,fresh too"]
    (folder / "pairs.csv").write_text("\n".join([lines[0], *rows]))
    judged = textanchor.evaluate(made, folder, probe=False, map_=False).judged
    assert judged.excluded == {"train": 1, "val": 0}
    assert judged.pairs[HELD_OUT]["image"].items.ids == ("other.png",)


def test_anchors_are_compared_by_what_they_are(space: Any, shapes: Path) -> None:
    """A space of an older version may hold a former fingerprint of the same anchor and encoders."""
    from textanchor.space import Space

    def former(name: str, fitted: Any) -> Any:
        return replace(fitted, fingerprint=f"former {name}")

    old = Space(
        anchor=space.anchor,
        anchor_fingerprint="former anchor",
        modalities={name: former(name, fitted) for name, fitted in space.modalities.items()},
        runtime=space.runtime,
        seen=space.seen,
        stories=space.stories,
    )
    with pytest.raises(InputError, match="is not the one"):
        textanchor.evaluate(space, shapes, against={"old": old}, probe=False, map_=False)
    for name in ("text", *space.modalities):  # as if the loaded encoders named those fingerprints among their former ones
        old.adopt(name, space.encoder(name))
    rows = textanchor.evaluate(space, shapes, against={"old": old}, probe=False, map_=False).metrics()["differences"]
    assert {row["verdict"] for row in rows} == {"equal"}


def test_a_gallery_is_mapped_once_for_all_queries(done: Any, space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.evaluation.gallery import shelves
    from textanchor.pages import Album
    from textanchor.space import Comparison

    mapped: list[tuple[str, str]] = []
    honest = Comparison.gallery

    def watched(self: Any, vectors: Any) -> Any:
        mapped.append((self.asking, self.asked))
        return honest(self, vectors)

    monkeypatch.setattr(Comparison, "gallery", watched)
    filled = shelves(space.geometry, done.judged, Album(space.runtime.limits), seed=0)
    assert len(filled) == 12
    assert len(mapped) == len(set(mapped)) == 6


def test_probes_and_unseen_classes_are_given_what_has_no_partner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_shapes(tmp_path / "s", each=30)
    lone = [f"lone{row}.wav" for row in range(12)]
    for row, name in enumerate(lone):
        soundfile.write(folder / name, sound("circle", 500 + row), 8000)
    with (folder / "pairs.csv").open("a") as stream:
        stream.writelines([*(f"{name},,\n" for name in lone)])
    made = textanchor.fit(folder, aligner="ridge", fractions=(0.5, 0.1, 0.4))
    tasks: list[Any] = []
    honest = Fresh.fit

    def watched(self: Fresh, train: Any, val: Any, *, test: Any) -> Any:
        tasks.append((train.modality, self.unpaired))
        return honest(self, train, val, test=test)

    monkeypatch.setattr(Fresh, "fit", watched)
    textanchor.evaluate(made, folder, map_=False)
    given = dict(tasks)
    assert given["image"].empty
    names = set(given["audio"].items.ids)
    assert names
    assert names < set(lone), "only those that the space was trained on"


def test_groups_that_an_item_joins_are_one_for_what_has_no_partner(tmp_path: Path) -> None:
    """A pair that has two groups ties what has either of them: it must not be learned from where the pair judges."""
    from textanchor.evaluation.partnerless import partnerless

    folder = write_shapes(tmp_path / "s", each=30)
    soundfile.write(folder / "lone.wav", sound("circle", 500), 8000)
    made = textanchor.fit(folder, aligner="ridge", fractions=(0.5, 0.1, 0.4))
    table = textanchor.read_pairs(folder)
    trained = next(
        pair
        for pair in table.rows
        if pair.item.modality == "audio" and made.seen.groups.get(group_key(table, pair.group)) == "train"
    )
    lone = textanchor.Item(id="lone", modality="audio", path=folder / "lone.wav")
    singles = (textanchor.Single(item=lone, modality="audio", group="another"),)
    tied = replace(table, rows=(*table.rows, replace(trained, group="another")), singles=singles)
    assert partnerless(made, tied, made.runtime)["audio"].items is None, "nothing says that the space has seen it"
    direct = replace(tied, singles=(replace(singles[0], group=trained.group),))
    found = partnerless(made, direct, made.runtime)["audio"]
    assert found.groups == (direct.joined_groups[trained.item.id],) == ("another",)


def test_what_has_no_partner_stays_apart_from_what_judges(toy: Any) -> None:
    from textanchor.evaluation.partnerless import apart_from
    from textanchor.records import Unpaired

    test, other = toy(items=12, texts=4, seed=1), toy(items=3, texts=3, seed=2)
    unpaired = Unpaired(
        items=other.items, groups=("1-0", "mine", "1-3"), texts=("text 0", "another"), anchors=other.anchors[:2]
    )
    kept = apart_from(unpaired, test)
    assert kept.groups == ("mine",)
    assert kept.items.ids == ("2-1",)
    assert kept.texts == ("another",)
    np.testing.assert_array_equal(kept.anchors, other.anchors[1:2])
    assert apart_from(Unpaired(), test).empty
