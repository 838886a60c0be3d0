"""The doctor on pairs with planted faults, and on healthy ones."""

from __future__ import annotations

import gc
import json
import shutil
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_toy, picture, write_shapes
from textanchor import registry
from textanchor.aligners.ridge import Ridge
from textanchor.data.pairs import read_pairs
from textanchor.doctor import diagnose, sampling
from textanchor.doctor import layers as layers_module
from textanchor.doctor import near as near_module
from textanchor.doctor.checks.near_duplicates import near_duplicates
from textanchor.doctor.checks.texts import texts
from textanchor.doctor.closed_forms import network_verdict, reached
from textanchor.doctor.curve import curve
from textanchor.doctor.diagnose import examine, findings
from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import LEVELS, TABLE, Finding, some
from textanchor.doctor.hyperplanes import RECALL
from textanchor.doctor.near import near
from textanchor.errors import NothingUsableError
from textanchor.metrics.power_law import power_law
from textanchor.records import Pairs, Single, Task, Unpaired
from textanchor.runtime import Runtime, Splitting
from textanchor.space.preparing import Encoding, Sides, prepare
from tiny_models import tiny_hub


@pytest.fixture(scope="module")
def healthy(shapes: Path) -> Any:
    return diagnose(shapes)


def beside(train: Any, val: Any) -> Sides:
    return Sides(pairs={"train": train, "val": val})


def told(found: Any, topic: str) -> str:
    return " | ".join(f"{one.level}: {one.text}" for held in found.findings.values() for one in held if one.topic == topic)


def test_healthy_pairs_have_no_leak_and_all_figures(healthy: Any) -> None:
    assert healthy.leaks == []
    assert told(healthy, "copies").startswith("good: no item stands twice")
    assert "4 classes of 8" in told(healthy, "classes"), "train and validation are counted, test is not touched"
    assert "the floor of any positive cosine" in told(healthy, "anisotropy")
    assert set(healthy.reached) == set(healthy.curves) == {"image", "audio"}
    for held in healthy.reached.values():
        assert len(held) == 4
        for one in held:
            assert 0 <= one.recall <= 1
            assert one.interval is None or one.interval[0] <= one.recall <= one.interval[1]
    assert "validation items: every figure here is coarse" in told(healthy, "size")
    assert "cannot be told" in told(healthy, "more pairs"), "eight validation items tell nothing about 300 more pairs"
    assert told(healthy, "alignable").count("note: cannot be told: 4 classes to compare with shuffled partners") == 2
    assert set(healthy.metrics()["alignability"]) == {"image", "audio"}
    json.dumps(healthy.metrics(), allow_nan=False)


def test_planted_faults_are_named(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", each=10)
    table = folder / "pairs.csv"
    shutil.copy(folder / "image" / "circle" / "00.png", folder / "image" / "circle" / "copy.png")
    shutil.copy(folder / "image" / "square" / "00.png", folder / "image" / "square" / "clash.png")
    lines = table.read_text().splitlines()
    sides = {"0": "train", "1": "train", "2": "val", "3": "test", "4": "test"}
    rows = [f"{row},{sides[row[-1]]}" for row in lines[1:]]
    rows += ["image/circle/copy.png,circle,image circle new,test", "image/square/clash.png,cross,image square 0,train"]
    rows += ["image/circle/none.png,circle,image circle 9,train"]
    table.write_text("\n".join([lines[0] + ",split", *rows]))
    found = diagnose(table)
    assert "2 items are byte-identical" in told(found, "copies")
    assert "1 of them under different texts" in told(found, "copies")
    assert "1 contents stand on several sides" in told(found, "copies")
    assert [one.topic for one in found.leaks] == ["copies"]
    assert "1 rows or items cannot be used" in told(found, "reading")
    table.write_text(table.read_text().replace("image cross 0,train\nimage/cross/01", "image cross 0,test\nimage/cross/01"))
    found = diagnose(table)
    assert {one.topic for one in found.leaks} == {"split"} | {"copies"}
    assert "puts 1 groups on both sides (such as 'image cross 0')" in told(found, "split")


def test_near_duplicates_between_sides_are_named(tmp_path: Path) -> None:
    train, val = make_toy(items=40, seed=1, noise=1.0), make_toy(items=20, seed=2, noise=1.0)
    train.items.vectors[:] = np.random.default_rng(0).normal(size=train.items.vectors.shape)
    val.items.vectors[:] = np.random.default_rng(1).normal(size=val.items.vectors.shape)
    good = near_duplicates(near({"train": train, "val": val}), "image")
    assert good.level == "good"
    val.items.vectors[3] = train.items.vectors[7] * 1.01
    found = near_duplicates(near({"train": train, "val": val}), "image")
    assert found.text.startswith(
        "1 pairs, 1 of them between sides of the split, such as '1-7', '2-3' (cosine of centred latents"
    )
    assert found.level == "leak", "the same but for its loudness"
    val.items.vectors[3] += np.random.default_rng(2).normal(size=12) * 0.15
    found = near_duplicates(near({"train": train, "val": val}), "image")
    assert (found.level, found.text[:8]) == ("warning", "1 pairs,")
    same = replace(val, groups=tuple("1-7" if row == 3 else group for row, group in enumerate(val.groups)))
    grouped = near_duplicates(near({"train": train, "val": same}), "image")
    assert grouped.level == "good", "one group is one source already"


def test_a_resized_copy_is_a_near_duplicate(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", sounds=False)
    picture("circle", 3).resize((48, 48)).save(folder / "image" / "circle" / "large.png")
    with (folder / "pairs.csv").open("a") as stream:
        stream.write("image/circle/large.png,circle,another group\n")
    before = diagnose(write_shapes(tmp_path / "other", sounds=False))
    found = diagnose(folder)
    assert "large.png" in told(found, "near-duplicates") or found.findings["image"] != before.findings["image"]


def test_near_duplicates_of_all_sides_are_brought_together(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", each=10, sounds=False)
    rows = (folder / "pairs.csv").read_text().splitlines()
    side = {"0": "train", "1": "train", "2": "val", "3": "test", "4": "test"}
    rows = [f"{row},{side[row[-1]]}" for row in rows[1:]]
    for number, (where, group) in enumerate((("test", "far"), ("val", "farther"))):  # the same drawing, a pixel changed
        image = picture("circle", 0)
        image.putpixel((number, 0), 9)
        image.save(folder / "image" / "circle" / f"again{number}.png")
        rows.append(f"image/circle/again{number}.png,circle,{group},{where}")
    (folder / "pairs.csv").write_text("\n".join(["path,text,group,split", *rows]))
    done = run("doctor", folder, "--merged", tmp_path / "merged" / "pairs.csv")
    assert done.exit_code == 0, done.stderr
    before, after = read_pairs(folder), read_pairs(tmp_path / "merged" / "pairs.csv")
    held = {pair.item.id.removeprefix("image/circle/"): pair.group for pair in after.rows}
    assert held["again0.png"] == held["again1.png"] == held["00.png"]
    assert len({pair.group for pair in before.rows}) - len({pair.group for pair in after.rows}) >= 2
    assert [(pair.text, pair.split, pair.item.id) for pair in after.rows] == [
        (pair.text, pair.split, pair.item.id) for pair in before.rows
    ]
    assert run("fit", tmp_path / "merged", "-o", tmp_path / "s").exit_code == 2, "one group on two sides"
    assert run("fit", tmp_path / "merged", "-o", tmp_path / "s", "--resplit").exit_code == 0
    bad = run("doctor", folder, "--merged", tmp_path / "merged.txt")
    assert (bad.exit_code, "expected a name that ends in .csv" in bad.stderr) == (2, True)


def test_texts_and_classes() -> None:
    held = make_toy(items=60, texts=10, seed=1)
    order = np.argsort(held.first_text)
    skewed = held.take(np.concatenate([np.flatnonzero(held.first_text == 0), order[-2:]]))
    anchors = np.concatenate([held.anchors[:1], held.anchors[:1] + 1e-3])
    found = list(texts(replace(skewed, anchors=anchors.astype(np.float32))))
    words = " | ".join(f"{one.level} {one.topic}: {one.text}" for one in found)
    assert "2 classes of 2 ('text 9')" in words
    assert "1 classes have fewer than 5 items: 'text 9'" in words
    assert "1 pairs of texts have a cosine of 0.9 or more, such as 'text 0' and 'text 9'" in words
    captions = make_toy(items=12, texts=10, per=3)
    assert "36 pairs of 12 items with 10 distinct texts" not in " ".join(one.text for one in texts(captions))
    own = make_toy(items=10, texts=10)
    assert "10 pairs of 10 items with 10 distinct texts" in " ".join(one.text for one in texts(own))
    one_group = replace(held, groups=("a",) * 60)
    assert "10 classes come from one group alone" in " ".join(one.text for one in texts(one_group))


def test_all_layers_are_compared_and_the_best_goes_on(tmp_path: Path, shapes: Path) -> None:
    found = diagnose(shapes, encoders={"image": f"hub:{tiny_hub(tmp_path / 'vit')}@layer=all,pool=mean"})
    names = [one.name for one in found.layers["image"]]
    assert len(names) == 4, "layers 0 to 2, and the last after its norm"
    assert all("layer=" in name for name in names)
    assert found.layers["image"][0].cka is None or abs(found.layers["image"][0].cka) <= 1.5
    assert len(found.layers["audio"]) == 1


def test_the_power_law_is_found_again() -> None:
    sizes = [100, 200, 400, 800]
    values = np.array([0.8 - 2 * n**-0.5 for n in sizes])
    assert power_law(sizes, values, 3200) == pytest.approx(0.8 - 2 * 3200**-0.5, abs=0.005)
    assert power_law(sizes, np.array([0.5] * 4), 5000) == pytest.approx(0.5)
    assert power_law(sizes, np.array([0.7, 0.6, 0.5, 0.4]), 5000) <= 0.6, "a falling curve is not bent upwards"
    assert power_law([10, 20, 40, 80], np.array([0.2, 0.5, 0.8, 0.99]), 10**6) <= 1


def test_a_learning_curve_has_an_interval_and_covers_what_happens() -> None:
    train, more, val = (make_toy(items=n, dim=60, texts=40, seed=k, noise=6.0) for k, n in ((1, 400), (2, 400), (3, 400)))
    full = reached("ridge", beside(train, val))
    found = curve(beside(train, val), full, more=400)
    assert found.sizes == (50, 100, 200, 400)
    assert found.recalls[0] < found.recalls[-1] == full.recall
    assert found.gain is not None, found.why
    assert found.interval is not None
    assert found.interval[0] < found.gain < found.interval[1]
    really = reached("ridge", beside(train.joined(more), val)).recall - full.recall
    assert found.interval[0] - 0.02 <= really <= found.interval[1] + 0.02
    assert f"400 more would add about {100 * found.gain:.1f} points [" in found.text
    few = curve(beside(train, val.take(range(8))), replace(full, hits=full.hits[:8]), more=400)
    assert few.gain is None
    assert "too few groups" in few.text
    small = replace(make_toy(items=12, texts=3), groups=tuple(f"g{row % 3}" for row in range(12)))
    sizes = curve(beside(small, make_toy(items=12, texts=3, seed=1)), full, more=400).sizes
    assert sizes == (8, 12), "a size is measured once, however many shares round to it"


def test_the_verdict_on_a_network_is_paired() -> None:
    train, val = make_toy(items=80, seed=1), make_toy(items=60, seed=2)
    base = reached("ridge", beside(train, val))
    equal = network_verdict([base], base, val.groups)
    assert equal == "an MLP adds nothing over ridge: the same hits"
    worse = replace(base, hits=np.zeros_like(base.hits))
    assert "an MLP is worse than ridge: " in network_verdict([base], worse, val.groups)
    assert "an MLP adds to ridge: +" in network_verdict([worse], base, val.groups)
    flipped = base.hits.copy()
    flipped[:2] = ~flipped[:2]
    assert "nothing that can be told over ridge" in network_verdict([base], replace(base, hits=flipped), val.groups)


def test_lists_are_cut_short() -> None:
    assert some(["a", "b"]) == "'a', 'b'"
    assert some(list("abcde")) == "'a', 'b', 'c' and 2 more"


def test_from_the_command_line(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    done = run("doctor", shapes, "--strict")
    assert done.exit_code == 0, done.stderr
    assert "nothing leaks" in done.stdout
    assert "What simple fits reach on validation" in done.stdout
    rows = (shapes / "pairs.csv").read_text().splitlines()
    leaky = [f"{rows[0]},split", *(f"{shapes / row},{('train', 'test')[k % 2]}" for k, row in enumerate(rows[1:]))]
    (tmp_path / "pairs.csv").write_text("\n".join(leaky))
    assert run("doctor", tmp_path / "pairs.csv").exit_code == 0
    strict = run("doctor", tmp_path / "pairs.csv", "--strict", "--json")
    assert strict.exit_code == 1
    assert any(one["level"] == "leak" for one in json.loads(strict.stdout)["findings"])
    named = run("doctor", tmp_path / "pairs.csv", "--strict", "--split-name", "official, groups shared")
    assert named.exit_code == 0, "a named exception is no accident"
    (tmp_path / "empty.csv").write_text("path,text\nnone.png,dog\n")
    with pytest.raises(NothingUsableError):
        diagnose(tmp_path / "empty.csv")


# What checks are


@pytest.fixture(scope="module")
def examined(shapes: Path) -> Examined:
    return examine(prepare(shapes, Encoding(), Splitting(), Runtime()))


@pytest.mark.parametrize("name", registry.names("check"))
def test_contract(name: str, examined: Examined) -> None:
    check = registry.load("check", name)
    remarks = list(check(examined))
    for remark in remarks:
        assert isinstance(remark, Finding)
        assert remark.level in LEVELS
        assert remark.topic
        assert remark.text
        assert remark.modality in (TABLE, *examined.sides)
    assert list(check(examined)) == remarks, "a check looks and changes nothing"


def check_of_elsewhere(examined: Examined) -> list[Finding]:
    """A check from another package."""
    count = len(examined.sides["image"].train.items)
    return [Finding(level="note", topic="mine", text=f"{count} images", modality="image")]


def test_another_package_adds_a_check(monkeypatch: pytest.MonkeyPatch, examined: Examined) -> None:
    class Point:
        value = "elsewhere:check"

        @staticmethod
        def load() -> Any:
            return check_of_elsewhere

    monkeypatch.setattr(registry, "_foreign", lambda kind: {"mine": Point} if kind == "check" else {})
    remarks = findings(examined)
    assert remarks["image"][-1].text == f"{len(examined.sides['image'].train.items)} images"


# What has no partner


def with_singles(folder: Path) -> Pairs:
    pairs = read_pairs(folder)
    images = [item for item in pairs.items if item.modality == "image"]
    lone = {item.id for item in images[:4]}
    rows = tuple(
        replace(pair, split="val" if pair.group[-1] == "5" else "train") for pair in pairs.rows if pair.item.id not in lone
    )
    singles = [Single(item=item, modality="image", split="train") for item in images[:3]]
    singles += [
        Single(item=images[3], modality="image", split="test"),
        Single(text="a triangle", modality="image", split="val"),
    ]
    return replace(pairs, rows=rows, singles=tuple(singles))


def test_what_has_no_partner_is_counted_and_reaches_the_fits(shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Task] = []
    fit = Ridge.fit

    def watched(self: Ridge, task: Task) -> Any:
        seen.append(task)
        return fit(self, task)

    monkeypatch.setattr(Ridge, "fit", watched)
    found = diagnose(with_singles(shapes))
    assert told(found, "singles") == (
        "note: train 3 items without a text and 0 texts without an item (given to the aligner as unpaired data); "
        "val 0 items without a text and 1 texts without an item (left out, they judge nothing); "
        "test 1 items without a text and 0 texts without an item (left out, they judge nothing)"
    )
    assert {one.topic for one in found.findings["audio"]}.isdisjoint({"singles"})
    images = [task for task in seen if task.train.modality == "image"]
    assert len(images) > 4, "the full fits and the curve"
    for task in images:
        assert task.unpaired.items is not None
        assert len(task.unpaired.items) == 3


def test_no_remark_where_everything_has_a_partner(healthy: Any) -> None:
    assert told(healthy, "singles") == ""


# An aligner of another package


class Elsewhere:
    """Ridge whose penalty has a name that nobody here knows."""

    ragged = False

    def __init__(self, *, stiffness: float | None = None) -> None:
        self.stiffness = stiffness

    def fit(self, task: Task) -> Any:
        TRIED.append(self.stiffness)
        fit = Ridge(alpha=self.stiffness).fit(task)
        return replace(fit, choice=replace(fit.choice, settings={"stiffness": fit.choice.settings["alpha"]}))


TRIED: list[float | None] = []


def test_the_curve_keeps_the_settings_of_any_aligner(monkeypatch: pytest.MonkeyPatch) -> None:
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: Elsewhere if name == "elsewhere" else load(kind, name))
    sides = beside(make_toy(items=80, seed=1), make_toy(items=40, seed=2))
    full = reached("elsewhere", sides)
    TRIED.clear()
    curve(sides, full, more=10)
    assert set(TRIED) == {full.fit.choice.settings["stiffness"]}
    assert len(TRIED) == 9


# How everything grows


def test_one_layer_at_a_time_is_held(tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[int] = []
    held: list[weakref.ref[Any]] = []
    encode = layers_module.encode

    def watched(*given: Any, **more: Any) -> Any:
        gc.collect()
        alive.append(sum(one() is not None for one in held))
        encoded = encode(*given, **more)
        held.append(weakref.ref(encoded.latents.vectors))
        return encoded

    monkeypatch.setattr(layers_module, "encode", watched)
    found = diagnose(shapes, encoders={"image": f"hub:{tiny_hub(tmp_path / 'vit')}@layer=all,pool=mean"})
    assert len(found.layers["image"]) == 4
    assert alive == [0] * 5, "each layer, and the best once more"


def test_the_best_layer_goes_on_in_the_words_of_the_store(tmp_path: Path, shapes: Path) -> None:
    encoder = f"hub:{tiny_hub(tmp_path / 'vit')}@layer=all,pool=mean"
    seen = examine(prepare(shapes, Encoding(encoders={"image": encoder}), Splitting(), Runtime()))
    best = max(seen.layers["image"], key=lambda layer: layer.score or 0.0)
    alone = f"hub:{tmp_path / 'vit'}@{best.name}"
    same = prepare(shapes, Encoding(encoders={"image": alone}), Splitting(), Runtime()).sides("image")
    assert same is not None
    np.testing.assert_array_equal(seen.sides["image"].train.pooled, same.train.pooled)


def test_items_that_cannot_be_decoded_are_said(shapes: Path, tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", sounds=False)
    (folder / "image" / "circle" / "00.png").write_bytes(b"no picture")
    assert "1 rows or items cannot be used" in told(diagnose(folder), "reading")


def test_fits_of_many_are_of_a_random_part(monkeypatch: pytest.MonkeyPatch, shapes: Path) -> None:
    monkeypatch.setattr(sampling, "TRAIN", 16)
    monkeypatch.setattr(sampling, "VAL", 4)
    seen = examine(prepare(shapes, Encoding(), Splitting(), Runtime()))
    train, val = (len(pairs.items) for pairs in (seen.sides["image"].train, seen.sides["image"].val))
    assert seen.curves["image"].sizes[-1] == 16
    assert len(seen.reached["image"][0].hits) == 4
    said = " | ".join(one.text for one in findings(seen)["image"])
    assert f"fits and the curve are of a random 16 of {train} training and 4 of {val} validation items" in said


def test_what_has_no_partner_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "TRAIN", 6)
    lone = make_toy(items=10, seed=3)
    unpaired = Unpaired(items=lone.items, groups=lone.groups, texts=lone.texts, anchors=lone.anchors)
    sides = replace(beside(make_toy(items=10), make_toy(items=5, texts=4, seed=1)), unpaired=unpaired)
    fewer = sampling.sampled(sides, seed=0)
    assert fewer.unpaired.items is not None
    assert fewer.unpaired.anchors is not None
    assert len(fewer.train.items) == len(fewer.unpaired.items) == len(fewer.unpaired.groups) == 6
    assert fewer.unpaired.groups == fewer.unpaired.items.ids
    np.testing.assert_array_equal(fewer.unpaired.anchors, lone.anchors[[lone.texts.index(one) for one in fewer.unpaired.texts]])


def crowded(items: int, *, copies: int, cosine: float, seed: int = 0, dim: int = 64) -> tuple[Any, Any]:
    """Items around ten centres, and copies of some of them at exactly that cosine once centred (nearly: the mean moves)."""
    rng = np.random.default_rng(seed)
    centres = 1.2 * rng.normal(size=(10, dim))
    rows = centres[rng.integers(10, size=items)] + rng.normal(size=(items, dim))
    rows -= rows.mean(axis=0)
    own = rows[:copies]
    side = rng.normal(size=own.shape)
    side -= (side * own).sum(axis=1, keepdims=True) * own / (own**2).sum(axis=1, keepdims=True)
    side *= np.linalg.norm(own, axis=1, keepdims=True) / np.linalg.norm(side, axis=1, keepdims=True)
    turned = cosine * own + np.sqrt(1 - cosine**2) * side
    toys = []
    for number, vectors in enumerate((rows, turned)):
        toy = make_toy(items=len(vectors), dim=dim, seed=seed + number)
        toys.append(replace(toy, items=replace(toy.items, vectors=(vectors + 5).astype(np.float32))))
    return toys[0], toys[1]


def test_of_few_items_every_pair_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    train, val = crowded(1000, copies=50, cosine=0.99)
    exact = near({"train": train, "val": val})
    assert (exact.exact, exact.pairs, exact.across) == (True, 50, 50)
    monkeypatch.setattr(near_module, "EXACT", 0)
    sought = near({"train": train, "val": val})
    assert (sought.exact, sought.pairs, sought.across) == (False, 50, 50)
    np.testing.assert_array_equal(sought.labels, exact.labels)
    assert "sought among 1050 items by random hyperplanes" in near_duplicates(sought, "image").text


@pytest.mark.parametrize("seed", [0, 1])
def test_hyperplanes_find_what_exact_comparison_finds(seed: int) -> None:
    train, val = crowded(30_000, copies=1000, cosine=0.9805, seed=seed)
    whole = np.concatenate([train.pooled, val.pooled])
    centred = whole - whole.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    exact = sum(
        int((centred[30_000 + start : 30_100 + start] @ centred[:30_000].T >= 0.98).sum()) for start in range(0, 1000, 100)
    )
    sought = near({"train": train, "val": val}, seed=seed)
    assert exact > 900
    assert not sought.exact
    assert RECALL * exact <= sought.across <= exact
    again = near({"train": train, "val": val}, seed=seed)
    assert again.pairs == sought.pairs


def test_near_duplicates_of_many_take_no_square_of_memory() -> None:
    train, val = crowded(22_000, copies=10, cosine=0.999, dim=16)
    tracemalloc.start()
    sought = near({"train": train, "val": val})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sought.across >= 10
    assert peak < 22_000 * 4096, "a few thousand bytes an item; a block of 1024 rows with all others would be as much"


def test_items_that_are_all_alike_take_no_longer() -> None:
    train, val = make_toy(items=20_500, noise=0.0), make_toy(items=100, seed=1, noise=0.0)
    sought = near({"train": train, "val": val})
    assert sought.pairs > 20_500
    assert len(set(sought.labels.tolist())) < 3000
