"""Maps between spaces: known maps are found, what is kept is measured on held-out items, files are checked."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from textanchor.collections.moving.judging import Demand, judged_map
from textanchor.collections.moving.mapping import Form, VectorMap, _Items, fit_map
from textanchor.collections.moving.recall import Kept, recall_kept, refuse_below
from textanchor.collections.moving.stored import KEY, load_map, save_map
from textanchor.errors import DamagedError, InputError
from textanchor.space import TEXT, Comparison


def rows(seed: int, count: int, dim: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def rotation(seed: int, dim: int) -> np.ndarray:
    return np.linalg.qr(rows(seed, dim, dim))[0].astype(np.float32)


@pytest.mark.parametrize("widths", [(6, 6), (6, 9), (9, 6)])
def test_a_rotation_with_scale_and_shift_is_found(widths: tuple[int, int]) -> None:
    d, k = widths
    hidden = rows(1, 60, min(widths))
    old = hidden @ rotation(2, d)[: hidden.shape[1]] + 3
    new = 0.7 * hidden @ rotation(3, k)[: hidden.shape[1]] - 2
    made = fit_map(old, new, kind="orthogonal")
    np.testing.assert_allclose(made(old), new, atol=1e-4)
    np.testing.assert_allclose(made.matrix.T @ made.matrix, 0.49 * np.eye(k), atol=1e-4) if d == k else None


@pytest.mark.parametrize("widths", [(6, 6), (8, 5), (5, 8)])
def test_any_linear_map_is_found_by_ridge(widths: tuple[int, int]) -> None:
    old, true = rows(1, 200, widths[0]), rows(2, *widths)
    new = old @ true + rows(3, 1, widths[1])
    made = fit_map(old, new, kind="auto")
    assert made.form.kind == "ridge"
    np.testing.assert_allclose(made(old), new, atol=0.05 * float(np.abs(new).max()))


def test_ridge_is_the_formula_written_out() -> None:
    old, new = rows(1, 30, 4), rows(2, 30, 4)
    made = _Items(old, new).map(Form(kind="ridge", start="as-is", penalty=0.5))
    x, y = old - old.mean(0), new - new.mean(0)
    penalty = 0.5 * np.trace(x.T @ x) / 4
    expected = np.linalg.solve(x.T @ x + penalty * np.eye(4), x.T @ y + penalty * np.eye(4))
    np.testing.assert_allclose(made.matrix, expected, atol=1e-5)


def test_spaces_that_agree_are_left_as_they_are() -> None:
    old = rows(1, 40, 8)
    assert fit_map(old, old).form == Form(kind="as-is")
    noisy = fit_map(old[:24], (old + 0.1 * rows(2, 40, 8))[:24])
    assert noisy.form.kind == "as-is", "a few items do not call for a map of 64 numbers"


def test_a_rotated_space_is_not_left_as_it_is() -> None:
    old = rows(1, 60, 8)
    made = fit_map(old, old @ rotation(2, 8))
    assert made.form.kind == "orthogonal" or made.form.start == "orthogonal" or made.form.penalty < 0.1
    np.testing.assert_allclose(made(old), old @ rotation(2, 8), atol=0.02)


def test_the_same_seed_gives_the_same_map() -> None:
    old, new = rows(1, 50, 6), rows(2, 50, 6)
    one, other = fit_map(old, new, seed=3), fit_map(old, new, seed=3)
    assert one.form == other.form
    np.testing.assert_array_equal(one.matrix, other.matrix)


def test_recall_kept_is_the_slow_loop() -> None:
    mapped, new, queries = rows(1, 40, 5), rows(2, 40, 5), rows(3, 700, 5)
    kept = recall_kept(mapped, new, queries, k=3)
    slow = []
    for query in queries:
        true, found = (set(np.argsort(-(vectors @ query))[:3].tolist()) for vectors in (new, mapped))
        slow.append(len(true & found) / 3)
    assert kept.recall == pytest.approx(np.mean(slow))
    assert kept.interval is not None
    assert kept.interval[0] < kept.recall < kept.interval[1]
    assert (kept.k, kept.queries, kept.items) == (3, 700, 40)
    whole = recall_kept(new, new, queries[:8], k=3)
    assert whole.recall == 1
    assert whole.interval is not None
    assert whole.interval[0] < 0.95, "eight queries prove little"


def test_too_little_kept_is_refused_with_value_and_interval() -> None:
    kept = Kept(recall=0.5, interval=(0.4, 0.6), k=10, queries=30, items=90)
    refuse_below(kept, 0.5)
    with pytest.raises(InputError, match=r"keeps recall@10 0.500 \[0.400, 0.600\] of 30 queries among 90 items, and 0.9 is"):
        refuse_below(kept, 0.9)


def test_less_is_foreseen_in_a_larger_gallery() -> None:
    kept = Kept(recall=0.6, interval=(0.5, 0.7), k=10, queries=30, items=100, smaller=((25, 0.8), (50, 0.7)))
    assert kept.foreseen(100) == kept.foreseen(3) == 0.6
    assert kept.foreseen(400) == pytest.approx(0.4)
    assert kept.foreseen(10**9) == 0
    refuse_below(kept, 0.6)
    with pytest.raises(InputError, match="among 100 items, about 0.500 among 200, and 0.6 is asked for"):
        refuse_below(kept, 0.6, total=200)
    small = recall_kept(rows(1, 90, 5), rows(2, 90, 5), rows(3, 50, 5))
    assert [items for items, _ in small.smaller] == [23, 45]
    assert recall_kept(rows(1, 15, 5), rows(2, 15, 5), rows(3, 50, 5)).foreseen(1000) > 0


def test_a_map_is_judged_on_items_that_it_was_not_fitted_on() -> None:
    comparison = Comparison(asking=TEXT, asked="image", views=(None, None))
    old, new, queries = rows(1, 80, 40), rows(2, 80, 40), rows(3, 60, 40)
    made = judged_map(old, new, queries, comparison, kind="ridge")
    assert made.kept.recall < 0.35, "unrelated spaces: what is kept is chance, however well the fit remembers"
    assert made.map.count == 80
    assert made.kept.items == 80
    few = old[:, :8]
    good = judged_map(few, few @ rotation(4, 8), queries[:, :8], comparison, kind="orthogonal", demand=Demand(least=0.9))
    assert good.kept.recall > 0.99
    with pytest.raises(InputError, match="asked for"):
        judged_map(old, new, queries, comparison, demand=Demand(least=0.9))
    with pytest.raises(InputError, match="need 70 or more"):
        judged_map(old[:69], new[:69], queries, comparison)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: fit_map(rows(1, 19, 3), rows(2, 19, 3)), "19 items are encoded in both spaces; a map needs at least 20"),
        (lambda: fit_map(rows(1, 30, 3), rows(2, 31, 3)), "30 old vectors and 31 new ones"),
        (lambda: fit_map(rows(1, 30, 3), rows(2, 30, 3), kind="magic"), "no kind of map 'magic'; expected one of auto, as-is"),
        (lambda: fit_map(rows(1, 30, 3), rows(2, 30, 4), kind="as-is"), "different widths"),
        (lambda: fit_map(rows(1, 30, 3) * np.float32("nan"), rows(2, 30, 3)), "NaN"),
        (lambda: fit_map(rows(1, 30, 3), rows(2, 30, 3))(rows(1, 2, 4)), "takes vectors of 3 numbers, these have 4"),
        (
            lambda: recall_kept(rows(1, 5, 3), rows(2, 5, 3), rows(3, 5, 3)),
            "recall@10 cannot be measured with 5 queries among 5",
        ),
        (lambda: recall_kept(rows(1, 5, 3), rows(2, 6, 3), rows(3, 5, 3)), "5 mapped vectors and 6 new ones"),
    ],
)
def test_what_cannot_be_is_said(call: Callable[[], object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        call()


def test_a_map_is_stored_and_read_back(tmp_path: Path) -> None:
    made = fit_map(rows(1, 30, 4), rows(2, 30, 6))
    named = VectorMap(**{**vars(made), "old": "a", "new": "b"})
    save_map(named, tmp_path / "map.safetensors")
    again = load_map(tmp_path / "map.safetensors")
    assert (again.form, again.count, again.old, again.new) == (made.form, 30, "a", "b")
    np.testing.assert_array_equal(again(rows(3, 5, 4)), made(rows(3, 5, 4)))


@pytest.mark.parametrize("harm", ["absent", "bytes", "foreign", "facts", "shape", "nan", "version"])
def test_a_damaged_map_is_named(harm: str, tmp_path: Path) -> None:
    file = tmp_path / "map.safetensors"
    save_map(fit_map(rows(1, 30, 4), rows(2, 30, 4)), file)
    arrays = load_file(file)
    facts = {"version": 1, "form": {"kind": "ridge", "start": "as-is", "penalty": 1.0}, "count": 3, "old": "", "new": ""}
    if harm == "absent":
        file.unlink()
    elif harm == "bytes":
        file.write_bytes(file.read_bytes()[:-5])
    elif harm == "foreign":
        save_file(arrays, file)
    elif harm == "facts":
        save_file(arrays, file, metadata={KEY: json.dumps({"version": 1})})
    elif harm == "version":
        save_file(arrays, file, metadata={KEY: json.dumps({**facts, "version": 2})})
    else:
        wrong = arrays["matrix"][:2] if harm == "shape" else arrays["matrix"] * np.nan
        save_file({**arrays, "matrix": np.ascontiguousarray(wrong)}, file, metadata={KEY: json.dumps(facts)})
    with pytest.raises(DamagedError, match=r"map.safetensors .* start the move again"):
        load_map(file)


@pytest.mark.slow
def test_real_photos_move_between_two_fits(shared: Callable[[str], Path], tmp_path: Path) -> None:
    """Flickr8k through MobileNet: 200 photos fit two aligners, 300 others move from one to the other, dev captions ask."""
    import textanchor
    from textanchor.space.texts import embed_texts

    encoders = {"image": f"hub:{shared('models/mobilenet_v1_0.75_224')}"}
    folder = shared("data/flickr8k")
    with (folder / "captions.csv").open() as stream:
        told = {row["file_name"]: row for row in csv.DictReader(stream)}
    train, dev = ([row for row in told.values() if row["split"] == name] for name in ("train", "dev"))
    with (tmp_path / "pairs.csv").open("w", newline="") as stream:
        lines = [(folder / "images" / row["file_name"], row["text"]) for row in train[:200]]
        csv.writer(stream).writerows([("path", "text"), *lines])
    one, other = (textanchor.fit(tmp_path / "pairs.csv", encoders=encoders, aligner=name) for name in ("ridge", "cca"))
    photos = [folder / "images" / row["file_name"] for row in dev[:300]]
    old, new = (space.embed(photos) for space in (one, other))
    queries = embed_texts(other, [row["text"] for row in dev[300:600]])
    made = judged_map(old, new, queries, other.geometry.between(TEXT, "image"))
    assert made.kept.items == 300
    assert made.kept.recall > 0.6
    with pytest.raises(InputError, match="asked for"):
        judged_map(old, rows(1, *new.shape), queries, other.geometry.between(TEXT, "image"), demand=Demand(least=0.6))
