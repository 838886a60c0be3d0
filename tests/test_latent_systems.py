"""Latent-space systems as aligners: their stages, spaces, restarts and folders of finished stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import textanchor
from test_unpaired import captions, parted
from textanchor import registry
from textanchor.aligners import aligner
from textanchor.aligners.latent import stages, system
from textanchor.aligners.latent.frames import Frames, Supply
from textanchor.aligners.latent.stages import Plan, trained
from textanchor.errors import InputError
from textanchor.projectors import project
from textanchor.records import Fit, Task
from textanchor.views import as_item, as_text

ALIGNERS = ("vse", "adversarial", "jwae", "cycle", "vec2vec")
SMALL = {"dim": 8, "hidden": 16, "batch": 32, "epochs": 2}
TEST = captions(60, 9, noise=0.5)


@pytest.fixture(autouse=True)
def _short_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "STEPS", 2)


def task(*, unpaired: bool = True, **more: Any) -> Task:
    """Sixty pairs, and as many items and texts of others."""
    rest = {"unpaired": parted(captions(60, 51, noise=0.5), captions(60, 91))} if unpaired else {}
    return Task(train=captions(60, 1, noise=0.5), val=captions(40, 2, noise=0.5), **rest, **more)


def made(name: str, **settings: Any) -> system.LatentSystem:
    """The aligner itself, small."""
    held = registry.part("aligner", name, **{**SMALL, **settings})
    assert isinstance(held, system.LatentSystem)
    return held


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[stages.Progress]:
    """What every training ends with, as it ends."""
    held: list[stages.Progress] = []
    monkeypatch.setattr(system, "trained", lambda *given, **how: held.append(trained(*given, **how)) or held[-1])
    return held


def alike(one: stages.Progress, other: stages.Progress) -> bool:
    """Whether two trainings end with the same numbers."""
    return all(torch.equal(one.now[name], other.now[name]) for name in one.now)


def said(fit: Fit) -> np.ndarray:
    """What a fit says of items that it has not seen."""
    return project(fit.projector, TEST.items.vectors)


def ranks(fit: Fit) -> float:
    """Mean share of texts before an item's own, a half by chance."""
    items, texts = as_item(fit.view, said(fit)), as_text(fit.view, TEST.anchors)
    scores = (items / np.linalg.norm(items, axis=1, keepdims=True)) @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T
    return float((scores > scores.diagonal()[:, None]).sum(axis=1).mean() / (len(scores) - 1))


@pytest.mark.parametrize("space", ["anchor", "latent"])
@pytest.mark.parametrize("name", ALIGNERS)
def test_each_is_far_from_chance_in_both_spaces(name: str, space: str) -> None:
    fit = made(name, start="random", space=space, epochs=10, rate=1e-2).fit(task(refit=False))
    assert ranks(fit) < 0.3
    assert fit.choice.settings["space"] == space


@pytest.mark.parametrize("name", ["vse", "cycle"])
def test_a_start_at_cca_is_good_before_anything_is_trained(name: str) -> None:
    fit = made(name, start="cca(alpha=0.1)", rate=1e-9, epochs=1).fit(task(refit=False))
    closed = aligner("cca(alpha=0.1)").fit(task(refit=False, unpaired=False))
    assert float(fit.choice.notes["score after stage start"]) > 0.9 * float(closed.choice.score or 0)


@pytest.mark.parametrize("name", ALIGNERS)
def test_items_are_read_back_exactly_out_of_the_anchor_space(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    honest = system.LatentSystem._compared
    monkeypatch.setattr(system.LatentSystem, "_compared", lambda self, one, *more: kept.append(one) or honest(self, one, *more))
    train = task(refit=False)
    fit = made(name, space="latent").fit(train)
    frames = Frames.of(train.train)
    with torch.inference_mode():
        items = kept[0].item(frames.items(TEST.items.vectors)).numpy()
        texts = kept[0].text(frames.texts(TEST.anchors)).numpy()
    assert fit.view is not None
    np.testing.assert_allclose(fit.view.item(said(fit)), items, atol=1e-3 * np.abs(items).max())
    np.testing.assert_allclose(fit.view.text(TEST.anchors), texts, atol=1e-4 * np.abs(texts).max())


def test_a_latent_view_is_saved_and_loaded_with_its_space(shapes: Path, tmp_path: Path) -> None:
    held = textanchor.fit(shapes, aligner="vse(space=latent, dim=8, hidden=16, epochs=2, batch=16)")
    held.save(tmp_path / "space")
    again = textanchor.load(tmp_path / "space")
    asked = ["circle", shapes / "image" / "circle" / "00.png"]
    np.testing.assert_array_equal(again.embed(asked, compared_with="image"), held.embed(asked, compared_with="image"))
    assert again.embed(asked, compared_with="image").shape == (2, 8)
    with pytest.raises(InputError, match="dimensions differ: text in 8, audio in 384; embed one modality at a time"):
        again.embed(["circle", shapes / "audio" / "circle" / "00.wav"], compared_with="image")
    assert again.classify([asked[1]], ["circle", "cross"]) is not None
    assert again.modalities["image"].choice == held.modalities["image"].choice


def weights(name: str) -> list[str]:
    """An aligner's scenarios that are on by default."""
    return [one for one, weight in made(name).plan.weights.items() if weight]


@pytest.mark.parametrize(("name", "scenario"), [(name, one) for name in ALIGNERS[1:] for one in weights(name)])
def test_a_scenario_is_switched_off_alone(name: str, scenario: str, runs: list[stages.Progress]) -> None:
    on, off = made(name), made(name, **{scenario: 0.0})
    asked = [terms for _, terms in off.plan.stages][-1]
    assert set(asked) == set(weights(name)) - {scenario}
    few = replace(task(), val=None)
    on.fit(few)
    assert np.isfinite(said(off.fit(few))).all()
    assert not alike(*runs)


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="all weights of a latent-space aligner are 0"):
        made("vse", paired_search=0.0)


@pytest.mark.parametrize("name", ALIGNERS)
def test_the_seed_decides_and_unpaired_data_count_where_something_hears_them(name: str, runs: list[stages.Progress]) -> None:
    few = replace(task(), val=None)
    for given in (few, few, replace(few, seed=1), replace(task(unpaired=False), val=None)):
        made(name, start="random").fit(given)
    first, again, other, alone = runs
    assert alike(first, again)
    assert not alike(first, other)
    assert name == "vse" or not alike(first, alone)


def test_without_validation_all_epochs_are_taken(runs: list[stages.Progress]) -> None:
    held = made("cycle", epochs=7, start="random")
    held.fit(replace(task(), val=None))
    assert runs[0].taken == {"alone": 7, "pairs": 7, "cycles": 7}
    more, fewer = (numbers(replace(held.plan, epochs=epochs)) for epochs in (6, 5))
    assert any(not torch.equal(more[name], fewer[name]) for name in more)


def numbers(plan: Plan) -> dict[str, torch.Tensor]:
    """What training by a plan gives without a judge, its rate as if there were 6 epochs."""
    few = task(refit=False)
    one = made("cycle")._system(few, 0)
    stop = dict.fromkeys(("alone", "pairs", "cycles"), plan.epochs)
    supply = Supply(few, Frames.of(few.train), batch=plan.batch)
    return trained(one, replace(plan, epochs=6), supply, seed=0, rate=None, stop=stop).now


def test_the_chosen_epochs_are_taken_again_on_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[Any, stages.Progress]] = []

    def watched(*given: Any, **how: Any) -> stages.Progress:
        runs.append((how["stop"], trained(*given, **how)))
        return runs[-1][1]

    monkeypatch.setattr(system, "trained", watched)
    fit = made("adversarial", epochs=7, start="random").fit(task())
    (_, chosen), (stop, again) = runs
    told = dict(chosen.taken)
    assert told
    assert {name: epochs for name, epochs in stop.items() if epochs} == told == dict(again.taken)
    assert told == {name: fit.choice.notes[f"epochs of stage {name}"] for name in told}


def test_a_finished_stage_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = made("cycle", start="random").fit(task())
    first = made("cycle", start="random").kept_in(tmp_path / "stages").fit(task())
    np.testing.assert_array_equal(said(plain), said(first))
    monkeypatch.setattr(stages, "_stage", lambda *_, **__: pytest.fail("a stage was trained again"))
    again = made("cycle", start="random").kept_in(tmp_path / "stages").fit(task())
    np.testing.assert_array_equal(said(again), said(first))
    assert again.choice == first.choice
    (tmp_path / "stages").rename(tmp_path / "moved")
    np.testing.assert_array_equal(said(made("cycle", start="random").kept_in(tmp_path / "moved").fit(task())), said(first))


@pytest.mark.parametrize("ended", [1, 2, 4])
def test_an_interrupted_fit_goes_on_where_it_was(ended: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = made("cycle", start="random").fit(task())
    honest, begun = stages._stage, []

    def cut(*given: Any, **how: Any) -> Any:
        begun.append(given[1].name)
        if len(begun) > ended:
            raise KeyboardInterrupt
        return honest(*given, **how)

    with monkeypatch.context() as patch:
        patch.setattr(stages, "_stage", cut)
        with pytest.raises(KeyboardInterrupt):
            made("cycle", start="random").kept_in(tmp_path).fit(task())
    trained_now: list[str] = []
    monkeypatch.setattr(stages, "_stage", lambda *given, **how: trained_now.append(given[1].name) or honest(*given, **how))
    again = made("cycle", start="random").kept_in(tmp_path).fit(task())
    np.testing.assert_array_equal(said(again), said(plain))
    assert begun[ended] == trained_now[0]
    assert (begun[:ended] + trained_now)[:3] == ["alone", "pairs", "cycles"]


OTHER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a setting": ({"rate": 2e-3}, {}),
    "a weight": ({"cyclic": 0.5}, {}),
    "a start": ({"start": "cca(alpha=0.1)"}, {}),
    "a seed": ({}, {"seed": 1}),
    "other pairs": ({}, {"train": captions(60, 3, noise=0.5)}),
    "other single items": ({}, {"unpaired": parted(captions(60, 52), captions(60, 91))}),
    "other single texts": ({}, {"unpaired": parted(captions(60, 51, noise=0.5), captions(60, 92))}),
    "no single data": ({}, {"unpaired": textanchor.records.Unpaired()}),
    "no validation": ({}, {"val": None}),
}


@pytest.mark.parametrize("what", OTHER)
def test_another_fit_takes_nothing_out_of_the_folder(what: str, tmp_path: Path) -> None:
    settings, changed = OTHER[what]
    given = {"start": "random", **settings}
    made("cycle", start="random").kept_in(tmp_path).fit(task(refit=False))
    other = replace(task(refit=False), **changed)
    np.testing.assert_array_equal(
        said(made("cycle", **given).kept_in(tmp_path).fit(other)), said(made("cycle", **given).fit(other))
    )


def test_a_refit_takes_nothing_from_a_fit_of_all_pairs(tmp_path: Path) -> None:
    held, few = made("vse", epochs=6), task(unpaired=False)
    made("vse", epochs=6).kept_in(tmp_path).fit(replace(few, train=few.fitted, val=None))
    fit = held.fit(replace(few, refit=False))
    fit = replace(fit, choice=replace(fit.choice, notes={**fit.choice.notes, "epochs of stage pairs": 2}))
    again = made("vse", epochs=6).kept_in(tmp_path).again(fit, few)
    np.testing.assert_array_equal(said(again), said(held.again(fit, few)))


@pytest.mark.parametrize("rate", [1e3, 1e8, 1e30])
@pytest.mark.parametrize("name", ["vse", "jwae"])
def test_divergence_is_said(name: str, rate: float) -> None:
    with pytest.raises(
        InputError,
        match=r"(the loss is no number|latents are no numbers|all latents fell together).* after \d+ epochs at rate=",
    ):
        made(name, rate=rate, start="random", epochs=10).fit(task())


def test_latents_that_fall_together_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "directions", lambda vectors: 1.2 if vectors.requires_grad else 8.0)
    with pytest.raises(InputError, match=r"all latents fell together after 2 epochs at rate=0.001; take a smaller one"):
        made("vse").fit(task())


def test_two_classes_have_one_direction_and_that_is_no_collapse(toy: Any) -> None:
    train, val = toy(items=40, texts=2, seed=1, noise=0.01), toy(items=20, texts=2, seed=2, noise=0.01)
    fit = made("vse", epochs=10, rate=1e-2).fit(Task(train=train, val=val, refit=False))
    assert (fit.choice.score or 0) == pytest.approx(1)


def test_what_was_good_before_a_divergence_stays_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = iter([8.0, 8.0, 1.0])
    monkeypatch.setattr(stages, "directions", lambda vectors: next(looked) if vectors.requires_grad else 8.0)
    fit = made("cycle", start="random").fit(task(refit=False))
    assert str(fit.choice.notes["diverged"]).startswith("cycles: all latents fell together after 2 epochs")
    assert "score after stage cycles" not in fit.choice.notes


def test_restarts_say_how_often_they_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = made("vse", restarts=3, epochs=5, rate=5e-3).fit(task(refit=False, seed=4))
    assert fit.choice.notes["converged"] == "3 of 3"
    single = [made("vse", epochs=5, rate=5e-3).fit(task(refit=False, seed=4 + 1009 * k)).choice.score or 0 for k in range(3)]
    assert fit.choice.notes["seed"] == 4 + 1009 * int(np.argmax(single))
    honest = system.LatentSystem._fitted

    def unstable(self: Any, given: Task, val: Any, seed: int, **how: Any) -> Fit:
        if seed == 4:
            raise InputError("the loss is no number any more")
        return honest(self, given, val, seed, **how)

    monkeypatch.setattr(system.LatentSystem, "_fitted", unstable)
    assert made("vse", restarts=3, epochs=5, rate=5e-3).fit(task(seed=4)).choice.notes["converged"] == "2 of 3"
