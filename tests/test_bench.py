"""The bench: grids, resuming, tuning, the ledger of test, paired differences, repeating."""

from __future__ import annotations

import csv
import json
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import textanchor
from conftest import make_toy, write_shapes
from textanchor import registry
from textanchor.aligners import aligner
from textanchor.aligners.ridge import Ridge
from textanchor.bench import Grid, compare, comparing
from textanchor.bench import jobs as package
from textanchor.bench import outcomes as outcomes_module
from textanchor.bench.board import lines
from textanchor.bench.folder import begin, facts_of, ledger, note_read, outcomes, stored
from textanchor.bench.outcomes import Outcome, measured
from textanchor.bench.plan import Conditions, Run, with_settings
from textanchor.bench.rerun import rerun
from textanchor.bench.search import suggested
from textanchor.bench.worlds import World
from textanchor.data.splits import check_apart
from textanchor.errors import DamagedError, InputError, LeakError, MissingError, UnknownNameError
from textanchor.judging import trial
from textanchor.metrics.interval import bootstrap
from textanchor.records import Task, Unpaired
from textanchor.settings import Count, Part, Positive, Tuned
from textanchor.space.preparing import Sides
from tiny_models import tiny_anchor, tiny_hub

GRID = Grid(aligners=("ridge", "cca(alpha=0.1)"), losses=("mse",), projectors=("linear",), seeds=2)


@pytest.fixture(scope="module")
def board(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return compare(shapes, tmp_path_factory.mktemp("bench") / "b", GRID, baseline="ridge", test="winner")


def toy_parts(sides: tuple[str, ...] = ("train", "val", "test")) -> Any:
    return {"image": {side: make_toy(items=60, seed=seed) for seed, side in enumerate(sides, 1)}}


def toy_world(**more: Any) -> World:
    return World(sides={"image": Sides(pairs=toy_parts()["image"], **more)}, conditions=Conditions())


def outcome(aligner: str, seed: int, hits: list[int], score: float, method: str | None = None) -> Outcome:
    run = Run(anchor="a", encoders={}, aligner=aligner, seed=seed, method=method or aligner)
    return Outcome(
        run=run,
        side="val",
        figures={"score": score, "image->text R@1": float(np.mean(hits))},
        chosen={},
        seconds=1.0,
        hits={"image->text": np.array(hits, dtype=bool)},
        groups={"image->text": [f"g{row}" for row in range(len(hits))]},
    )


def test_a_grid_is_every_combination() -> None:
    grid = Grid(
        aligners=("ridge", "asif(view=raw)"), losses=("mse", "info-nce"), projectors=("mlp",), views=("centring", "whitening")
    )
    specs = grid.specs()
    assert "ridge(view=whitening)" in specs
    assert "asif(view=raw)" in specs, "what an aligner says itself stays"
    assert "gradient(loss=info-nce, projector=mlp, view=centring)" in specs
    assert len(specs) == 2 + 1 + 4
    runs = list(replace(grid, seeds=3, encoders={"image": ["signal", "signal@size=16"]}).runs())
    assert len(runs) == 7 * 3 * 2
    assert len({run.id for run in runs}) == len(runs)
    assert Grid().specs() == ("auto",)
    assert with_settings("seed", "view", "raw") == "seed", "a setting that an aligner does not have is not forced on it"
    with pytest.raises(UnknownNameError, match="no aligner is called 'rigde'; did you mean 'ridge'"):
        Grid(aligners=("rigde",)).specs()
    with pytest.raises(InputError, match="aligner ridge has no setting 'beta'"):
        Grid(aligners=("ridge(beta=1)",)).specs()
    with pytest.raises(InputError, match="seeds=0"):
        list(Grid(seeds=0).runs())


def test_rows_are_fitted_on_train_and_judged_on_validation(board: Any) -> None:
    assert [line.seeds for line in board.validation] == [2, 2, 2]
    scores = [line.figures["score"] for line in board.validation]
    assert scores == sorted(scores, reverse=True)
    for line in board.validation:
        for name in ("image->text", "audio->text", "image->audio"):
            assert 0.5 <= line.figures[f"{name} R@1"] <= 1
        for key in (
            "image->text floor",
            "image modality gap",
            "audio uniformity",
            "audio alignment",
        ):
            assert np.isfinite(line.figures[key])
    for file in (board.folder / "runs").glob("*.val.json"):
        assert json.loads(file.read_text())["touched"] == ["train", "val"]
    assert set(board.facts.agreement) == {"image", "audio"}


def test_every_look_at_test_is_counted_and_only_asked_ones_are_taken(board: Any) -> None:
    winner = board.validation[0].method
    judged = {line.method for line in board.test}
    assert judged == {winner, "ridge"}
    assert board.reads == len(ledger(board.folder)) == 2 * len(judged)
    for file in (board.folder / "runs").glob("*.test.json"):
        assert json.loads(file.read_text())["touched"] == ["train", "val", "test"]
    assert f"test was read <b>{board.reads}</b> times" in (board.folder / "board.html").read_text()


def test_a_bench_goes_on_where_it_stopped(board: Any, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (victim := next((board.folder / "runs").glob("*.val.json"))).write_text("{ damaged")
    fitted: list[Run] = []
    honest = measured
    monkeypatch.setattr(package, "measured", lambda run, *rest, **how: fitted.append(run) or honest(run, *rest, **how))
    again = compare(shapes, board.folder, GRID, baseline="ridge", test="winner")
    assert [run.id for run in fitted] == [victim.name.split(".")[0]]
    assert again.reads == board.reads, "what was read before is not read again"
    assert [line.figures for line in again.validation] == [line.figures for line in board.validation]


def test_parallel_runs_are_the_same(board: Any, shapes: Path, tmp_path: Path) -> None:
    again = compare(shapes, tmp_path / "b", replace(GRID, seeds=1), jobs=2)
    mine = {one.run.id: one.figures for one in outcomes(board.folder, "val")}
    for one in outcomes(again.folder, "val"):
        for key, value in one.figures.items():
            assert mine[one.run.id][key] == pytest.approx(value, abs=1e-5), key


def test_other_data_and_foreign_folders_are_refused(board: Any, tmp_path: Path) -> None:
    other = write_shapes(tmp_path / "other", each=10)
    with pytest.raises(InputError, match="was begun on other data or another split"):
        compare(other, board.folder, GRID)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    with pytest.raises(InputError, match="exists and is no bench"):
        compare(other, tmp_path / "taken", GRID)
    with pytest.raises(InputError, match="no baseline 'lasso' among the methods: cca"):
        compare(other, tmp_path / "new", Grid(aligners=("ridge", "cca")), baseline="lasso")
    with pytest.raises(InputError, match="test=often: expected none, winner, all"):
        compare(other, tmp_path / "new", GRID, test="often")


def test_differences_are_paired_by_query() -> None:
    base = [outcome("ridge", seed, [0, 0, 1, 1, 1, 0, 0, 0, 0, 0] * 4, 0.3) for seed in (0, 1)]
    more = [outcome("cca", seed, [1, 1, 1, 1, 1, 0, 0, 0, seed, 0] * 4, 0.6) for seed in (0, 1)]
    first, second = lines([*base, *more], baseline="ridge")
    assert (first.method, second.against) == ("cca", {})
    held = first.against["image->text"]
    gain = np.mean(
        [np.array(a.hits["image->text"], float) - b.hits["image->text"] for a, b in zip(more, base, strict=True)], axis=0
    )
    assert held.gain == pytest.approx(gain.mean()) == pytest.approx(0.25)
    assert held.interval == bootstrap(gain, base[0].groups["image->text"])
    assert held.verdict == "better"
    assert first.spreads["image->text R@1"] == pytest.approx(np.std([0.5, 0.6], ddof=1))


def test_of_a_tuned_method_the_best_trial_stands_and_trials_are_equal(shapes: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the [bench] extra is not installed")
    grid = Grid(aligners=("ridge", "gradient(loss=info-nce, epochs=2)"), seeds=2)
    board = compare(shapes, tmp_path / "b", grid, trials=3)
    assert [line.trials for line in board.validation] == [3, 3]
    assert {line.seeds for line in board.validation} == {2}
    ridge = next(line for line in board.validation if line.method == "ridge")
    tried = {one.run.aligner: one.figures["score"] for one in outcomes(board.folder, "val") if one.run.method == "ridge"}
    assert len(tried) == 3
    assert all("alpha=" in spec for spec in tried)
    assert tried[ridge.aligner] == max(tried.values())
    before = len(list((board.folder / "runs").glob("*.json")))
    compare(shapes, tmp_path / "b", grid, trials=3)
    assert len(list((board.folder / "runs").glob("*.json"))) == before, "the same trials are suggested again, and found"


def test_what_is_tuned_is_what_the_spec_leaves_open() -> None:
    class Trial:
        def __init__(self) -> None:
            self.asked: dict[str, Any] = {}

        def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
            self.asked[name] = low, high, log
            return low

    trial = Trial()
    spec = suggested(trial, "gradient(loss=info-nce, projector=mlp(dropout=0.2), rate=0.01)")
    assert set(trial.asked) == {"decay", "loss.temperature"}
    held = aligner(spec).inner
    assert held.plan.rate == 0.01
    assert held.plan.loss == "info-nce(temperature=0.02)"
    trial = Trial()
    suggested(trial, "kernel-ridge(view=canonical)")
    assert set(trial.asked) == {"width", "alpha", "view.shrinkage", "view.power"}


class Foreign:
    """An aligner of another package, with settings of its own."""

    ragged = False

    def __init__(
        self,
        *,
        softness: Annotated[Positive | None, Tuned(low=0.1, high=2.0)] = None,
        depth: Annotated[Count, Tuned(low=1, high=4)] = 2,
        inner: Annotated[str, Part(kind="loss")] = "triplet",
        rate: Positive = 0.1,
    ) -> None:
        self.alpha = softness

    def fit(self, task: Task) -> Any:
        return Ridge(alpha=self.alpha).fit(task)


def test_an_aligner_of_another_package_is_tuned_by_its_signature(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trial:
        def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
            asked[name] = low, high, log
            return low

        def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
            asked[name] = low, high, log
            return high

    asked: dict[str, Any] = {}
    honest = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: Foreign if name == "foreign" else honest(kind, name))
    assert suggested(Trial(), "foreign") == "foreign(softness=0.1, depth=4, inner=triplet(margin=0.05))"
    assert asked == {"softness": (0.1, 2.0, True), "depth": (1, 4, True), "inner.margin": (0.05, 0.5, True)}
    assert suggested(Trial(), "foreign(softness=1, depth=1, inner=mse)") == "foreign(softness=1, depth=1, inner=mse)"
    pytest.importorskip("optuna")
    board = compare(shapes, tmp_path / "b", Grid(aligners=("foreign",)), trials=3)
    assert (board.validation[0].trials, board.failed) == (3, ())


def test_without_optuna_the_install_line_is_said(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingError, match=r'pip install "textanchor\[bench\]"'):
        compare(shapes, tmp_path / "b", Grid(aligners=("ridge",)), trials=2)


def test_a_method_that_cannot_be_fitted_is_named_and_stops_no_other(
    run: Callable[..., Any], shapes: Path, tmp_path: Path
) -> None:
    bad = ["ridge(view=all-but-the-top(directions=9))", "gradient(loss=mse, projector=linear, rate=1e30)"]
    board = compare(shapes, tmp_path / "b", Grid(aligners=("ridge", *bad), seeds=2), baseline="ridge")
    assert [line.method for line in board.validation] == ["ridge"]
    assert len(board.failed) == 2, "once a method, not once a seed"
    assert "directions=9 of the" in board.failed[0]
    assert "the loss is no number any more" in board.failed[1]
    assert "left out: gradient(loss=mse" in (tmp_path / "b" / "board.html").read_text()
    asked = ["bench", shapes, "-o", tmp_path / "b2", "--seeds", "1", "--aligner", "ridge", "--aligner", bad[0]]
    shown = run(*asked)
    assert "left out: ridge(view=all-but-the-top(directions=9)): all-but-the-top" in shown.stderr
    assert json.loads(run(*asked, "--json").stdout)["failed"]
    with pytest.raises(InputError, match="nothing is left"):
        compare(shapes, tmp_path / "none", Grid(aligners=(bad[0],)))


def test_a_failing_trial_is_counted_and_passed_over(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("optuna")
    real, seen = package.measured, []

    def sometimes(*told: Any, **more: Any) -> Outcome:
        seen.append(told[0].aligner)
        if len(seen) == 2:
            raise InputError("diverged")
        return real(*told, **more)

    monkeypatch.setattr(package, "measured", sometimes)
    board = compare(shapes, tmp_path / "b", Grid(aligners=("ridge",), seeds=1), trials=3)
    assert len(seen) == 3
    assert board.failed == ()
    assert board.validation[0].trials == 2


def test_one_diverging_seed_of_a_tuned_method_stops_nothing(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    real = package.measured

    def sometimes(run: Run, world: World, side: str) -> Outcome:
        if run.seed == 1:
            raise InputError("the loss is no number any more")
        return real(run, world, side)

    monkeypatch.setattr(package, "measured", sometimes)
    board = compare(shapes, tmp_path / "b", Grid(aligners=("ridge", "cca"), seeds=3), trials=2)
    assert [line.seeds for line in board.validation] == [2, 2]
    assert [why.split("(")[0] for why in board.failed] == ["ridge", "cca"]
    assert all("seed 1: the loss is no number" in why for why in board.failed)


def test_a_method_that_fails_only_in_its_refit_for_test_stops_no_other(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = package.measured

    def sometimes(run: Run, world: World, side: str) -> Outcome:
        if side == "test" and run.method == "cca":
            raise np.linalg.LinAlgError("singular")
        return real(run, world, side)

    monkeypatch.setattr(package, "measured", sometimes)
    board = compare(shapes, tmp_path / "b", Grid(aligners=("cca", "ridge")), test="all")
    assert [line.method for line in board.test] == ["ridge"]
    assert board.failed == ("cca for test: singular",)
    assert board.reads == 2, "the look was taken"


def test_on_test_those_seeds_are_judged_that_could_be_fitted(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = package.measured

    def sometimes(run: Run, world: World, side: str) -> Outcome:
        if run.seed == 1:
            raise InputError("the loss is no number any more")
        return real(run, world, side)

    monkeypatch.setattr(package, "measured", sometimes)
    board = compare(shapes, tmp_path / "b", Grid(aligners=("ridge",), seeds=3), test="winner")
    assert [run.seed for run in board.validation[0].runs] == [0, 2]
    assert [run.seed for run in board.test[0].runs] == [0, 2]
    assert [look.seed for look in ledger(board.folder)] == [0, 2], "a seed that has no validation is not looked at on test"


@pytest.mark.parametrize(
    "why", [ValueError("array must not contain infs or NaNs"), RuntimeError("torch"), FloatingPointError()]
)
def test_whatever_a_solver_raises_is_named_and_an_error_in_the_code_is_not(
    why: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(run: Run, world: World, side: str) -> Outcome:
        raise why if run.method == "ridge" else TypeError("a bug")

    monkeypatch.setattr(package, "measured", failing)
    run = Run(anchor="a", encoders={}, aligner="ridge", seed=0, method="ridge")
    assert package.Measure(folder=tmp_path, run=run)(toy_world()) == (f"ridge: {str(why) or 'FloatingPointError'}",)
    with pytest.raises(TypeError, match="a bug"):
        package.Measure(folder=tmp_path, run=replace(run, method="bank"))(toy_world())


def test_figures_that_are_no_numbers_are_named_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = outcomes_module.judge

    def judged(*told: Any, **more: Any) -> Any:
        return replace(honest(*told, **more), scores={"image": float("nan")})

    monkeypatch.setattr(outcomes_module, "judge", judged)
    run = Run(anchor="a", encoders={}, aligner="ridge", seed=0, method="ridge")
    (reason,) = package.Measure(folder=tmp_path, run=run)(toy_world())
    assert reason.startswith("ridge: score is nan")
    assert not list(tmp_path.iterdir())


def test_other_words_other_views_and_other_weights_are_other_rows(shapes: Path, tmp_path: Path) -> None:
    grid = Grid(aligners=("ridge",))
    plain = compare(shapes, tmp_path / "b", grid)
    worded = compare(shapes, tmp_path / "b", grid, wording=textanchor.wording({"image": ["a drawing of a {}"]}))
    assert [line.name for line in worded.validation if "drawing" in line.name] == ["ridge · image=a drawing of a {}"]
    shared = compare(shapes, tmp_path / "b", grid, shared_view=True)
    assert sorted(line.name for line in shared.validation) == [
        "ridge",
        "ridge · image=a drawing of a {}",
        "ridge · shared view",
    ]
    ids = {outcome.run.id for outcome in outcomes(tmp_path / "b", "val")}
    assert len(ids) == 3
    assert plain.validation[0].figures != next(one for one in worded.validation if "drawing" in one.name).figures
    (run,) = grid.runs()
    weights = [replace(run, conditions=Conditions(fingerprints={"image": name})).id for name in ("one", "other")]
    assert weights[0] != weights[1]
    looked = compare(shapes, tmp_path / "b", grid, shared_view=True, test="all")
    assert [line.run.conditions.shared_view for line in looked.test] == [True], "only what this call is about"
    assert rerun(tmp_path / "b").same


def test_a_folder_of_the_version_before_is_refused_with_the_way_out(board: Any, shapes: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(board.folder, tmp_path / "old")
    told = json.loads((copy / "bench.json").read_text())
    (copy / "bench.json").write_text(json.dumps({key: value for key, value in told.items() if key != "version"}))
    with pytest.raises(InputError, match="another version .* textanchor bench PAIRS -o FOLDER"):
        compare(shapes, copy, GRID)
    (copy / "bench.json").write_text(json.dumps({**told, "asked": [{}]}))
    with pytest.raises(DamagedError, match="is damaged"):
        compare(shapes, copy, GRID)


def test_two_benches_that_begin_at_once_are_both_remembered(board: Any, tmp_path: Path) -> None:
    facts = board.facts

    def call(number: int) -> None:
        begin(tmp_path / "b", replace(facts, asked=[replace(facts.asked[0], trials=number)]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(16)))
    assert sorted(asked.trials for asked in facts_of(tmp_path / "b").asked) == list(range(16))


def test_the_ledger_only_grows_whoever_writes(tmp_path: Path) -> None:
    def write(number: int) -> None:
        note_read(tmp_path, Run(anchor="a", encoders={}, aligner="ridge", seed=number, method="ridge"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    assert sorted(look.seed for look in ledger(tmp_path)) == list(range(64))
    with (tmp_path / "ledger.jsonl").open("a") as stream:
        stream.write('{"run": "cut of')
    assert len(ledger(tmp_path)) == 65, "a look that was cut off was a look"


def test_pairs_are_read_and_hashed_once_for_all_encoders(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, honest = [], comparing.prepare
    monkeypatch.setattr(comparing, "prepare", lambda *told, **more: calls.append(told) or honest(*told, **more))
    seen = tiny_hub(tmp_path / "vit")
    grid = Grid(aligners=("ridge", "cca"), encoders={"image": ["signal", f"hub:{seen}"]}, seeds=2)
    board = compare(shapes, tmp_path / "b", grid)
    assert len(board.validation) == 4
    assert len(calls) == 1


def test_what_travels_to_a_worker_is_small(tmp_path: Path) -> None:
    run = Run(anchor="a", encoders={}, aligner="ridge", seed=0, method="ridge")
    assert len(pickle.dumps((package.Measure(folder=tmp_path, run=run), tmp_path))) < 2000


def test_what_has_no_partner_reaches_the_bench() -> None:
    given: list[Task] = []

    class Watching:
        ragged = False

        def fit(self, task: Task) -> Any:
            given.append(task)
            return aligner("ridge(alpha=0.1)").fit(task)

    lone = Unpaired(texts=("a text",), anchors=make_toy(items=40, seed=9).anchors[:1])
    world = toy_world(unpaired=lone)
    trial(Watching(), world.tasks(seed=0, refit=False))
    assert given[0].unpaired.texts == ("a text",)
    assert not given[0].refit


def test_a_leak_in_one_method_stops_all(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaks(*_: Any, **__: Any) -> Outcome:
        raise LeakError("trained on test")

    monkeypatch.setattr(package, "measured", leaks)
    with pytest.raises(LeakError):
        compare(shapes, tmp_path / "b", GRID)


def test_leaks_are_errors() -> None:
    parts = toy_parts()["image"]
    check_apart(parts, shares_groups=False)
    same = {**parts, "test": parts["val"]}
    with pytest.raises(LeakError, match="60 items stand in val and in test"):
        check_apart(same, shares_groups=False)
    grouped = {**parts, "test": replace(parts["test"], groups=parts["train"].groups)}
    with pytest.raises(LeakError, match="60 groups stand in train and in test"):
        check_apart(grouped, shares_groups=False)
    check_apart(grouped, shares_groups=True)


@pytest.mark.parametrize("name", ["ridge", "kernel-ridge", "cca", "asif", "procrustes", "gradient(epochs=1)", "auto", "bank"])
def test_selecting_on_what_was_trained_is_an_error(name: str) -> None:
    parts = toy_parts()["image"]
    with pytest.raises(LeakError, match="60 validation items are training items too"):
        aligner(name).fit(Task(train=parts["train"], val=parts["train"]))


def test_a_predefined_split_that_leaks_stops_the_bench(tmp_path: Path, shapes: Path) -> None:
    rows = (shapes / "pairs.csv").read_text().splitlines()
    table = [f"{rows[0]},split", *(f"{shapes / row},{('train', 'test')[k % 2]}" for k, row in enumerate(rows[1:]))]
    (tmp_path / "pairs.csv").write_text("\n".join(table))
    with pytest.raises(LeakError, match="groups on both sides"):
        compare(tmp_path / "pairs.csv", tmp_path / "b", GRID)


def test_training_items_of_one_text_are_refused_as_by_fit(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "pairs", each=6)
    rows = (folder / "pairs.csv").read_text().splitlines()
    sides = {"circle": "train", "square": "val"}
    table = [f"{rows[0]},split", *(f"{row},{sides.get(row.split(',')[1], 'test')}" for row in rows[1:] if "image/" in row)]
    (folder / "pairs.csv").write_text("\n".join(table))
    for refused in (lambda: compare(folder, tmp_path / "b", GRID), lambda: textanchor.fit(folder)):
        with pytest.raises(InputError, match="6 training items with 1 distinct text; at least 2 texts are needed"):
            refused()


def test_a_space_selected_on_its_test_has_nothing_left_to_be_judged_on(shapes: Path, tmp_path: Path) -> None:
    space = textanchor.fit(shapes, aligner="ridge", fractions=(0.7, 0.3, 0.0))
    with pytest.raises(LeakError, match="were seen when the space was fitted"):
        textanchor.evaluate(space, shapes)


def test_figures_of_validation_come_from_a_fit_on_train_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = toy_world()
    parts = {"image": world.sides["image"].pairs}
    run = Run(anchor="a", encoders={}, aligner="ridge(alpha=0.1)", seed=0, method="ridge")
    done = {side: measured(run, world, side) for side in ("val", "test")}
    alone = aligner("ridge(alpha=0.1)").fit(Task(train=parts["image"]["train"]))
    from textanchor.aligners.selection import score

    assert done["val"].figures["score"] == pytest.approx(score(alone.projector, alone.view, parts["image"]["val"]), abs=1e-6)
    both = aligner("ridge(alpha=0.1)").fit(Task(train=parts["image"]["train"], val=parts["image"]["val"]))
    assert done["test"].figures["score"] == pytest.approx(score(both.projector, both.view, parts["image"]["test"]), abs=1e-6)


def test_damaged_rows_are_measured_again(board: Any) -> None:
    one = outcomes(board.folder, "val")[0]
    place = board.folder / "runs" / f"{one.run.id}.val.npz"
    before = place.read_bytes()
    for damage in (b"", before[: len(before) // 2], b"not a zip at all"):
        place.write_bytes(damage)
        assert stored(board.folder, one.run, "val") is None
    place.write_bytes(before)
    assert stored(board.folder, one.run, "val") is not None


def test_the_files_of_a_board(board: Any) -> None:
    with (board.folder / "board.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["score"]) == pytest.approx(board.validation[0].figures["score"])
    page = (board.folder / "board.html").read_text()
    assert page.count("<svg") == 2
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?!#)[^\"'>]*//", page), "nothing outside the page is fetched"
    assert "cca(alpha=0.1)" in page
    sides = re.findall(r"<tr><td>(test|validation)</td>", page)
    assert sides.count("validation") == sum(len(line.against) for line in board.validation) > 0
    assert sides.count("test") == sum(len(line.against) for line in board.test)


def test_rerun_repeats_a_bench_and_a_space(board: Any, saved: Path, shapes: Path, tmp_path: Path) -> None:
    found = rerun(board.folder)
    assert (found.same, found.compared, found.differences) == (True, 6, ())
    found = rerun(saved, output=tmp_path / "again", pairs=shapes)
    assert (found.same, found.compared) == (True, 2)
    assert textanchor.load(tmp_path / "again").kinds
    changed = write_shapes(tmp_path / "changed", each=11)
    found = rerun(saved, pairs=changed)
    assert not found.same
    assert "the data" in found.differences[0]
    with pytest.raises(InputError, match="are not here; say where they are: --pairs"):
        rerun(saved, pairs=tmp_path / "gone.csv")
    with pytest.raises(InputError, match="holds neither space.json nor bench.json"):
        rerun(shapes)


def test_rerun_repeats_all_fits_of_a_space(shapes: Path, tmp_path: Path) -> None:
    rows = (shapes / "pairs.csv").read_text().splitlines()
    for kind in ("image", "audio"):
        own = [f"{shapes / row}" for row in rows[1:] if row.startswith(f"{kind}/")]
        (tmp_path / f"{kind}s.csv").write_text("\n".join([rows[0], *own]))
    first = textanchor.fit(tmp_path / "images.csv", aligner="ridge", seed=1)
    both = textanchor.fit(tmp_path / "audios.csv", aligner="cca", into=first, fractions=(0.6, 0.2, 0.2))
    both.save(tmp_path / "space")
    found = rerun(tmp_path / "space", output=tmp_path / "again", pairs=[tmp_path / "audios.csv", tmp_path / "images.csv"])
    assert (found.same, found.compared, found.differences) == (True, 2, ())
    again = textanchor.load(tmp_path / "again")
    assert [story.source for story in again.stories] == ["images.csv", "audios.csv"]
    assert rerun(tmp_path / "space", pairs=tmp_path).same, "a folder that holds both tables"
    (tmp_path / "audios.csv").write_text("\n".join((tmp_path / "audios.csv").read_text().splitlines()[:-1]))
    changed = rerun(tmp_path / "space", pairs=tmp_path)
    assert "(audios.csv)" in changed.differences[0]


def test_a_space_that_differs_by_rounding_alone_is_the_same(saved: Path, shapes: Path, tmp_path: Path) -> None:
    for change, same in ((1e-6, True), (1e-2, False)):
        space = textanchor.load(saved)
        kept = space.modalities["image"].projector
        kept.numbers = {name: (value + change).astype(value.dtype) for name, value in kept.numbers.items()}
        space.save(tmp_path / f"{same}")
        found = rerun(tmp_path / f"{same}", pairs=shapes)
        assert found.same == same
        assert [line.split(":")[0] for line in found.differences] == ([] if same else ["image"])


def test_a_changed_row_is_named_by_rerun(board: Any, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(board.folder, tmp_path / "copy")
    file = sorted((copy / "runs").glob("*.val.json"))[0]
    row = json.loads(file.read_text())
    row["figures"]["score"] += 0.1
    file.write_text(json.dumps(row))
    found = rerun(copy)
    assert not found.same
    assert len(found.differences) == 1
    assert "score" in found.differences[0]


def test_from_the_command_line(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    done = run(
        "bench", shapes, "-o", tmp_path / "b", "--aligner", "ridge", "--aligner", "seed", "--seeds", 1, "--baseline", "ridge"
    )
    assert done.exit_code == 0, done.stderr
    assert "Validation (fitted on train)" in done.stdout
    assert "test was read never" in done.stdout
    again = run("bench", shapes, "-o", tmp_path / "b", "--aligner", "ridge", "--seeds", 1, "--test", "all", "--json")
    told = json.loads(again.stdout)
    assert told["test reads"] == 1
    assert {row["method"] for row in told["validation"]} == {"ridge", "seed"}
    assert [row["method"] for row in told["test"]] == ["ridge"]
    assert run("rerun", tmp_path / "b").stdout.strip().endswith("all the same")
    wrong = run("bench", shapes, "-o", tmp_path / "c", "--loss", "hinge")
    assert wrong.exit_code == 2
    assert "no loss is called 'hinge'" in wrong.stderr


def test_anchors_and_layers_are_compared(run: Callable[..., Any], shapes: Path, tmp_path: Path) -> None:
    other, seen = tiny_anchor(tmp_path / "anchor"), tiny_hub(tmp_path / "vit")
    done = run(
        "bench", shapes, "-o", tmp_path / "b", "--aligner", "ridge", "--seeds", 1, "--json",
        "--anchor", "all-MiniLM-L6-v2", "--anchor", other, "--encoder", "image=signal", "--encoder", f"image=hub:{seen}",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    names = [row["method"] for row in json.loads(done.stdout)["validation"]]
    assert len(names) == 4
    assert sum("MiniLM" in name for name in names) == 2
    assert sum("hub:" in name for name in names) == 2
