"""One contract for every aligner, and each closed form against its slow twin."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from textanchor import registry
from textanchor.aligners import Aligner, aligner, gradient
from textanchor.aligners.selection import score
from textanchor.errors import InputError, UnknownNameError
from textanchor.metrics.retrieval import retrieval, rows_of
from textanchor.projectors import project
from textanchor.records import Choice, Task
from textanchor.views import as_item, as_text

WEAK = {
    "asif": 0.5,
    "procrustes": 0.4,
    "csa": 0.3,
    "structure": 0.4,
}  # less is asked of what trains nothing or cannot weigh directions


@pytest.mark.parametrize("name", registry.names("aligner"))
def test_contract(name: str, toy, toy_named) -> None:
    train, val, test = toy(items=120, seed=1, per=2), toy(items=60, seed=2), toy(items=60, seed=3)
    held: Aligner = aligner(name)
    assert isinstance(held, Aligner)
    before = train.items.vectors.copy(), train.anchors.copy()
    named = toy_named if "names" in name else None
    fit = held.fit(Task(train=train, val=val, seed=4, named=named))
    np.testing.assert_array_equal(train.items.vectors, before[0])
    np.testing.assert_array_equal(train.anchors, before[1])
    out = project(fit.projector, test.items.vectors)
    assert out.shape == (60, 8)
    assert np.isfinite(out).all()
    found = retrieval(as_item(fit.view, out), as_text(fit.view, test.anchors), rows_of(test.relevant))
    assert found.recall(1) > WEAK.get(name, 0.6), "a nearly linear world is learned"
    again = held.fit(Task(train=train, val=val, seed=4, named=named))
    np.testing.assert_array_equal(project(again.projector, test.items.vectors), out)
    assert Choice.read(json.loads(json.dumps(fit.choice.described()))) == fit.choice
    assert aligner(fit.choice.fixed), "what was chosen can be named"
    alone = held.fit(Task(train=train, val=val, seed=4, refit=False, named=named))
    if name != "seed":
        assert 0 < fit.choice.score <= 1
        assert alone.choice.score == pytest.approx(fit.choice.score)
        assert score(alone.projector, alone.view, val) == pytest.approx(alone.choice.score, abs=1e-6), "it is what was scored"
    assert not np.array_equal(project(alone.projector, test.items.vectors), out), "validation pairs are fitted in the end"


@pytest.mark.parametrize("name", [name for name in registry.names("aligner") if name != "auto"])
def test_without_validation_the_default_is_used_and_said(name: str, toy, toy_named) -> None:
    fit = aligner(name).fit(Task(train=toy(seed=1), named=toy_named if "names" in name else None))
    assert fit.choice.chosen_on == "default"


def test_nothing_global_is_disturbed_by_a_fit(toy) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    aligner("bank").fit(Task(train=toy(seed=1), val=toy(seed=2)))
    torch.testing.assert_close(torch.rand(3), expected)


@pytest.mark.parametrize("shape", [(80, 12), (20, 60)])
def test_ridge_is_its_normal_equations(shape: tuple[int, int], toy) -> None:
    train = toy(items=shape[0], dim=shape[1], per=2, noise=0.5)
    fit = aligner("ridge", alpha=0.3).fit(Task(train=train))
    x, y = train.items.vectors.astype(float), train.targets.astype(float)
    cx, cy = x - x.mean(axis=0), y - y.mean(axis=0)
    penalty = 0.3 * (cx**2).sum() / shape[1]
    slow = np.linalg.solve(cx.T @ cx + penalty * np.eye(shape[1]), cx.T @ cy)
    np.testing.assert_allclose(project(fit.projector, train.items.vectors), cx @ slow + y.mean(axis=0), atol=1e-4)


def test_kernel_ridge_is_its_dual_form(toy) -> None:
    train = toy(items=60, per=2, noise=0.5)
    fit = aligner("kernel-ridge", width=0.7, alpha=0.05).fit(Task(train=train))
    x, y = train.items.vectors.astype(float), train.targets.astype(float)
    distance = np.array([[((a - b) ** 2).sum() for b in x] for a in x])
    kernel = np.exp(-0.7 * distance / distance.mean())
    slow = kernel @ np.linalg.solve(kernel + 0.05 * np.eye(60), y - y.mean(axis=0)) + y.mean(axis=0)
    np.testing.assert_allclose(project(fit.projector, train.items.vectors), slow, atol=2e-4)


def test_nystroem_with_every_landmark_is_exact_and_with_few_is_near(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.aligners import kernel_ridge

    train = toy(items=150, noise=0.5)
    exact = aligner("kernel-ridge", width=1.0, alpha=0.1).fit(Task(train=train))
    truth = project(exact.projector, train.items.vectors)
    with monkeypatch.context() as patch:
        patch.setattr(kernel_ridge._Solver, "_exact", kernel_ridge._Solver._nystroem)
        same = aligner("kernel-ridge", width=1.0, alpha=0.1).fit(Task(train=train))
    np.testing.assert_allclose(project(same.projector, train.items.vectors), truth, atol=1e-3)
    few = aligner("kernel-ridge", width=1.0, alpha=0.1, landmarks=60).fit(Task(train=train))
    assert few.choice.notes["landmarks"] == 60
    error = np.abs(project(few.projector, train.items.vectors) - truth).mean()
    assert error < 0.3 * np.abs(truth - truth.mean(axis=0)).mean()


def test_values_are_chosen_on_validation_and_the_score_is_honest(toy) -> None:
    train, val = toy(items=30, dim=40, seed=1, noise=2.0), toy(items=60, dim=40, seed=2, noise=2.0)
    fit = aligner("ridge").fit(Task(train=train, val=val))
    from textanchor.aligners.ridge import ALPHAS

    rates = {}
    for alpha in ALPHAS:
        alone = aligner("ridge", alpha=alpha).fit(Task(train=train))
        rates[alpha] = score(alone.projector, alone.view, val)
    assert fit.choice.settings["alpha"] == max(rates, key=lambda alpha: rates[alpha])
    assert fit.choice.score == pytest.approx(max(rates.values()), abs=1e-6)


def test_auto_says_all_scores_and_takes_the_best(toy) -> None:
    fit = aligner("auto").fit(Task(train=toy(seed=1), val=toy(seed=2)))
    scores = fit.choice.scores
    assert set(scores) == {"ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)", "bank"}
    assert scores[fit.choice.aligner] == max(scores.values())
    captions = aligner("auto").fit(Task(train=toy(seed=1, items=19), val=toy(seed=2)))
    assert "bank" not in captions.choice.scores, "19 items of 10 texts hardly repeat"
    with pytest.raises(InputError, match="choosing an aligner needs validation pairs"):
        aligner("auto").fit(Task(train=toy(seed=1)))


def test_gradient_chooses_the_number_of_epochs_and_fits_both_sides_for_as_many(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.aligners import gradient

    runs, honest, rates = [], gradient.trained, iter([0.3, 0.9, 0.5, 0.4])

    def watched(projector, plan, train, view, *, watch, **how):
        runs.append((len(train.items), watch is not None, how["stop"]))
        return honest(projector, plan, train, view, watch=watch, **how)

    monkeypatch.setattr(gradient, "trained", watched)
    monkeypatch.setattr(gradient, "score", lambda *_: next(rates))
    fit = aligner("bank", epochs=20).fit(Task(train=toy(seed=1), val=toy(seed=2)))
    assert (fit.choice.settings["epochs"], fit.choice.score) == (10, 0.9)
    assert runs == [(80, True, 20), (160, False, 10)]


def test_large_banks_are_sampled(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.aligners import training

    monkeypatch.setattr(training, "BANK_LIMIT", 6)
    train = toy(items=60, texts=30, seed=1)
    rng = np.random.default_rng(0)
    rows = np.array([3, 5])
    bank = training.bank_of(train, rows, rng)
    assert set(train.relevant[rows].indices) <= set(bank)
    assert sorted(bank) == list(bank)
    assert 6 <= len(bank) <= 8
    fit = aligner("bank", epochs=5).fit(Task(train=train))
    assert np.isfinite(fit.choice.notes["last loss"])


LOSSES = [name for name in registry.names("loss") if name not in ("relational", "uniformity", "sum")]
TERMS = ["sum(a=mse, b=relational)", "sum(a=cosine, b=uniformity, weights=[1, 0.1])", "triplet(mining=semi-hard)"]


@pytest.mark.parametrize("loss", LOSSES + TERMS)
def test_every_loss_learns_a_linear_world(loss: str, toy) -> None:
    train, val, test = toy(items=120, seed=1), toy(items=60, seed=2), toy(items=60, seed=3)
    fit = aligner(f"gradient(loss={loss}, rate=0.003)").fit(Task(train=train, val=val))
    assert score(fit.projector, fit.view, test) > 0.75
    assert fit.choice.settings["loss"].startswith(loss.partition("(")[0])


@pytest.mark.parametrize("projector", ["linear", "mlp(hidden=32)", "residual-mlp(blocks=1)", "mixture(experts=2, hidden=16)"])
@pytest.mark.parametrize("more", ["", "mixup=1", "view=whitening, hubness=csls"])
def test_every_projector_is_trained(projector: str, more: str, toy) -> None:
    train, val, test = toy(items=120, seed=1), toy(items=60, seed=2), toy(items=60, seed=3)
    spec = f"gradient(projector={projector}, loss=cosine, rate=0.01, batch=32{', ' + more if more else ''})"
    fit = aligner(spec).fit(Task(train=train, val=val))
    assert score(fit.projector, fit.view, test) > 0.7
    assert (fit.view.hubness.method == "csls") == ("csls" in more)
    again = aligner(spec).fit(Task(train=train, val=val))
    np.testing.assert_array_equal(project(again.projector, test.inputs), project(fit.projector, test.inputs))


def test_a_residual_starts_from_the_closed_form_and_keeps_it(toy) -> None:
    train, val = toy(items=60, seed=1, noise=0.5), toy(items=60, seed=2, noise=0.5)
    base = aligner("ridge(alpha=1.0, view=canonical)").fit(Task(train=train))
    start = "gradient(start=ridge(alpha=1.0, view=canonical), view=canonical, loss=info-nce, epochs={})"
    nothing = aligner(start.format(1), rate=1e-12).fit(Task(train=train, val=val, refit=False))
    np.testing.assert_allclose(project(nothing.projector, val.inputs), project(base.projector, val.inputs), atol=1e-5)
    moved = aligner(start.format(20)).fit(Task(train=train, val=val, refit=False))
    np.testing.assert_allclose(project(moved.projector.base, val.inputs), project(base.projector, val.inputs), atol=1e-6)
    assert np.abs(project(moved.projector, val.inputs) - project(base.projector, val.inputs)).max() > 1e-3
    with pytest.raises(InputError, match="canonical view depends on fitted items; add start=ridge"):
        aligner("gradient(view=canonical)")
    with pytest.raises(InputError, match="view and hubness must be named"):
        aligner("gradient(view=auto)")


def test_mixup_trains_on_mixed_latents_and_both_texts(toy) -> None:
    from textanchor.aligners import training

    train, seen = toy(items=40, texts=10), []
    plan = training.Plan(loss="mse", epochs=1, rate=1e-3, decay=0.0, batch=40, mixup=0.7)

    class Watched(torch.nn.Module):
        def forward(self, latents: torch.Tensor) -> torch.Tensor:
            seen.append(latents)
            return latents[:, :8]

    raw = registry.part("view", "raw", anchors=train.anchors, items=train.targets, targets=train.targets)
    objective = training._Naming(Watched(), registry.part("loss", "mse"), plan, train, raw, "cpu")
    objective.begin(np.random.default_rng(4))
    value = objective(np.arange(40), np.random.default_rng(5))
    anchors, text_of = torch.from_numpy(train.anchors), training._one_text_each(train, np.random.default_rng(4))
    twin = np.random.default_rng(5)
    keep, other = twin.beta(0.7, 0.7), twin.permutation(40)
    x = torch.from_numpy(keep * train.items.vectors + (1 - keep) * train.items.vectors[other]).float()
    torch.testing.assert_close(seen[0], x)
    own = [((x[:, :8] - anchors[rows_]) ** 2).mean() for rows_ in (text_of, text_of[other])]
    assert value.item() == pytest.approx((keep * own[0] + (1 - keep) * own[1]).item(), rel=1e-5)


def test_a_training_of_stages_steps_every_optimiser_and_comes_back_to_the_cpu() -> None:
    from textanchor.aligners.loop import Stage, follow, moved, seeded

    near, far = torch.nn.Linear(3, 1), torch.nn.Linear(1, 1)
    module = torch.nn.Sequential(near, far)
    begun = []

    class Shrinking:
        def begin(self, rng: np.random.Generator) -> None:
            begun.append(rng.integers(9))

        def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
            return module(torch.ones(len(rows), 3)).square().mean()

    def stage(epochs: int, *trained: torch.nn.Module) -> Stage:
        optimisers = [torch.optim.SGD(one.parameters(), 0.05) for one in trained]
        return Stage(objective=Shrinking(), module=module, optimisers=optimisers, items=10, batch=4, epochs=epochs)

    first, second = near.weight.clone(), far.weight.clone()
    looks: list[int] = []
    with seeded(0, "cpu"), moved(module, "cpu"):
        start = follow(stage(1, far), np.random.default_rng(0))
        torch.testing.assert_close(near.weight, first)
        end = follow(stage(12, near, far), np.random.default_rng(0), looks.append)
    assert not torch.equal(near.weight, first)
    assert not torch.equal(far.weight, second)
    assert end < start
    assert looks == [5, 10, 12]
    assert len(begun) == 13
    assert not module.training


def test_attention_takes_tokens_and_finds_the_one_that_matters(toy) -> None:
    from dataclasses import replace

    from textanchor.records import Ragged

    def tokens(pairs, seed: int):
        """Each item's latent among noise tokens, marked by a large last number; means of tokens hardly tell anything."""
        rng = np.random.default_rng(seed)
        parts = []
        for row in pairs.items.vectors:
            count = int(rng.integers(3, 7))
            held = np.concatenate([rng.normal(3, 6, size=(count, 12)), np.zeros((count, 1))], axis=1)
            held[rng.integers(count)] = [*row, 9.0]
            parts.append(held.astype(np.float16))
        items = Ragged(
            tokens=np.concatenate(parts),
            offsets=np.cumsum([0, *map(len, parts)]),
            ids=pairs.items.ids,
            contents=pairs.items.contents,
            fingerprint="tokens",
        )
        return replace(pairs, items=items)

    train, val, test = (tokens(toy(items=n, seed=k), k) for n, k in ((400, 1), (100, 2), (100, 3)))
    held = aligner("gradient(projector=attention(heads=1, hidden=64, dropout=0.0), loss=cosine, rate=0.01, epochs=60)")
    assert held.ragged
    fit = held.fit(Task(train=train, val=val))
    means = [replace(part, items=toy(items=len(part.items), seed=k).items) for k, part in enumerate((train, val, test), 1)]
    for part, other in zip(means, (train, val, test), strict=True):
        part.items.vectors[:] = other.means[:, :12]
    blind = aligner("ridge").fit(Task(train=means[0], val=means[1]))
    assert score(fit.projector, fit.view, test) > score(blind.projector, blind.view, means[2]) + 0.1
    with pytest.raises(InputError, match="the latents are tokens"):
        aligner("ridge").fit(Task(train=train, val=val))


def test_procrustes_is_the_best_rotation(toy) -> None:
    train = toy(items=80, dim=8, out=8, noise=0.5)
    fit = aligner("procrustes").fit(Task(train=train))
    weight = fit.projector.map.weight.detach().numpy().T.astype(float)
    scale = np.linalg.norm(weight, 2)
    np.testing.assert_allclose(weight.T @ weight / scale**2, np.eye(8), atol=1e-5)
    x, y = (side - side.mean(axis=0) for side in (train.items.vectors.astype(float), train.targets.astype(float)))
    best_error = ((x @ weight - y) ** 2).sum()
    rng = np.random.default_rng(0)
    for _ in range(30):
        turn, _ = np.linalg.qr(rng.normal(size=(8, 8)) * 0.2 + weight / scale)
        assert ((scale * x @ turn - y) ** 2).sum() >= best_error - 1e-6
    for factor in (0.9, 1.1):
        assert ((factor * x @ weight - y) ** 2).sum() > best_error


def test_asif_is_its_sparse_relative_representation(toy) -> None:
    train, test = toy(items=30, seed=1), toy(items=10, seed=2)
    fit = aligner("asif(k=4, power=3.0)").fit(Task(train=train))
    mean = train.items.vectors.mean(axis=0)
    for row, out in zip(test.items.vectors, project(fit.projector, test.items.vectors), strict=True):
        near = {}
        for j, other in enumerate(train.items.vectors):
            a, b = row - mean, other - mean
            near[j] = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        top = sorted(near, key=lambda j: -near[j])[:4]
        total = sum(near[j] ** 3 for j in top)
        slow = sum(near[j] ** 3 / total * train.targets[j] for j in top)
        np.testing.assert_allclose(out, slow, atol=1e-4)


def test_views_and_corrections_are_chosen_on_validation(toy) -> None:
    from textanchor.aligners.comparison import HUBNESS, VIEWS

    train, val = toy(items=60, dim=30, seed=1, noise=2.0), toy(items=60, dim=30, seed=2, noise=2.0)
    fit = aligner("ridge(alpha=0.1, view=auto, hubness=auto)").fit(Task(train=train, val=val, refit=False))
    rates = {}
    for view in VIEWS:
        for hubness in HUBNESS:
            alone = aligner(f"ridge(alpha=0.1, view={view}, hubness={hubness})").fit(Task(train=train))
            rates[view, hubness] = score(alone.projector, alone.view, val)
    plain = sorted((rates[view, "none"] for view in VIEWS), reverse=True)[:2]
    finals = {key: rate for key, rate in rates.items() if rates[key[0], "none"] in plain}
    assert fit.choice.score == pytest.approx(max(finals.values()), abs=1e-6)
    assert rates[fit.choice.view, fit.choice.hubness] == pytest.approx(fit.choice.score, abs=1e-6)


def test_texts_of_other_modalities_count_for_a_shared_view(toy) -> None:
    train = toy(seed=1)
    more = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    held = aligner("ridge(alpha=0.1, view=whitening)").fit(Task(train=train, view_texts=more)).view
    np.testing.assert_allclose(held.text.mean, np.concatenate([train.anchors, more]).mean(axis=0), atol=1e-6)
    other = aligner("ridge(alpha=0.1, view=whitening)").fit(Task(train=train)).view
    assert held.id != other.id


def test_the_selection_figure_is_the_mean_of_two_directions(toy) -> None:
    val = toy(items=30, seed=2)
    fit = aligner("ridge").fit(Task(train=toy(seed=1)))
    items, texts = as_item(fit.view, project(fit.projector, val.items.vectors)), as_text(fit.view, val.anchors)
    there = retrieval(items, texts, rows_of(val.relevant)).reciprocal_rank
    back = retrieval(texts, items, rows_of(val.relevant.T.tocsr())).mean_average_precision
    assert score(fit.projector, fit.view, val) == pytest.approx((there + back) / 2)


@pytest.mark.parametrize(("scores", "taken"), [([0.5, 0.5, 0.4], 5), ([0.1, 0.3, 0.2], 10)])
def test_the_first_of_the_best_looks_is_taken(scores: list[float], taken: int, toy, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(scores)
    monkeypatch.setattr(gradient, "score", lambda *_: next(left))
    fit = aligner("gradient(epochs=15)").fit(Task(train=toy(), val=toy(seed=1), refit=False))
    assert fit.choice.settings["epochs"] == taken
    assert fit.choice.score == max(scores)


def test_unknown_names_and_settings() -> None:
    with pytest.raises(UnknownNameError, match="no aligner is called"):
        aligner("magic")
    with pytest.raises(InputError, match="aligner ridge: .*unexpected keyword argument 'epochs' .known: alpha, view, hubness"):
        aligner("ridge", epochs=3)
