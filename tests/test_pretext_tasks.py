"""Pretext tasks: their losses against loops and cases worked out by hand, and what all of them keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from sklearn.datasets import load_digits
from torch import Tensor

from textanchor import registry
from textanchor.encoders.own import OwnNetwork
from textanchor.errors import InputError
from textanchor.pretraining.inputs import standardised
from textanchor.pretraining.objectives import Facts, Learner, Seen, pretext
from textanchor.pretraining.objectives.masked import hidden
from textanchor.pretraining.objectives.sigreg import Predicting, epps_pulley
from textanchor.pretraining.objectives.simclr import NTXent
from textanchor.pretraining.objectives.triplet import TripletHinge
from textanchor.pretraining.objectives.vicreg import VarianceInvarianceCovariance

SHAPE = (1, 8, 8)
VIT = "vit(width=16,depth=2,heads=2,patch=2)"
BACKBONES = {"masked": VIT}
TASKS = registry.names("pretext")
UNUSED = torch.zeros(4, dtype=torch.long)


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(backbone: str = "resnet(width=8,stages=2)") -> OwnNetwork:
    torch.manual_seed(0)
    return OwnNetwork(shape=SHAPE, backbone=backbone)


def apart(a: Tensor, b: Tensor) -> float:
    left, right = (one.tolist() for one in (a / a.norm(), b / b.norm()))
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(left, right, strict=True)))


# --- SimCLR ---------------------------------------------------------------------------------------------------------


def slow_nt_xent(views: Tensor, temperature: float) -> float:
    flat = [one / one.norm() for view in views for one in view]
    items, total = len(views[0]), 0.0
    for here, one in enumerate(flat):
        partner = (here + items) % len(flat)
        odds = [math.exp(float(one @ other) / temperature) for there, other in enumerate(flat) if there != here]
        total -= math.log(math.exp(float(one @ flat[partner]) / temperature) / sum(odds))
    return total / len(flat)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_nt_xent_is_its_formula(temperature: float) -> None:
    views = vectors(2, 5, 6)
    assert float(NTXent(temperature)(views, UNUSED)) == pytest.approx(slow_nt_xent(views, temperature), rel=1e-5)


def test_nt_xent_by_hand() -> None:
    """Two items at right angles, each view exactly like its partner: e / (e + 2) in all four roles at temperature 1."""
    views = torch.eye(2).repeat(2, 1, 1)
    assert float(NTXent(1.0)(views, UNUSED)) == pytest.approx(-math.log(math.e / (math.e + 2)), rel=1e-6)


# --- triplets -------------------------------------------------------------------------------------------------------


def slow_triplets(embedded: Tensor, labels: list[int], mining: str, margin: float) -> float:
    """For classes of two, where one's like is no matter of chance."""
    found = []
    for here, own_class in enumerate(labels):
        likes = [apart(embedded[here], embedded[at]) for at, one in enumerate(labels) if one == own_class and at != here]
        others = [apart(embedded[here], embedded[at]) for at, one in enumerate(labels) if one not in (own_class, -1)]
        if own_class < 0 or not likes or not others:
            continue
        own = max(likes)
        farther = [one for one in others if one > own]
        against = min(others) if mining == "hard" else min(farther) if farther else max(others)
        found.append(max(0.0, margin + own - against))
    return sum(found) / len(found)


@pytest.mark.parametrize("mining", ["semi-hard", "hard"])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0, 1, 2, 1, 2, 0], [0, 0, 1, -1, 1, 2]])
def test_mined_triplets_are_their_formula(mining: Any, labels: list[int]) -> None:
    for seed in range(5):
        embedded = vectors(6, 3, seed=seed)
        fast = float(TripletHinge(0.2, mining)(embedded[None], torch.tensor(labels)))
        assert fast == pytest.approx(slow_triplets(embedded, labels, mining, 0.2), abs=1e-5)


def test_hard_triplets_are_those_of_pytorch_metric_learning() -> None:
    embedded, labels = vectors(30, 4), torch.arange(30) % 4
    distance = LpDistance(normalize_embeddings=True)
    theirs = TripletMarginLoss(margin=0.3, distance=distance, reducer=MeanReducer())
    mined = BatchHardMiner(distance=distance)(embedded, labels)
    assert float(TripletHinge(0.3, "hard")(embedded[None], labels)) == pytest.approx(
        float(theirs(embedded, labels, mined)), rel=1e-4
    )


def test_random_triplets_are_drawn_from_all() -> None:
    """One's like is fixed, the other is one of two: the loss is one of the possible means, and over draws near their mean."""
    embedded, labels = vectors(3, 4), torch.tensor([0, 0, 1])
    torch.manual_seed(0)
    only = [max(0.0, 0.9 + apart(embedded[a], embedded[b]) - apart(embedded[a], embedded[2])) for a, b in ((0, 1), (1, 0))]
    assert float(TripletHinge(0.9, "random")(embedded[None], labels)) == pytest.approx(sum(only) / 2, abs=1e-5)
    embedded, labels = vectors(4, 4), torch.tensor([0, 0, 1, 2])
    drawn = {round(float(TripletHinge(2.0, "random")(embedded[None], labels)), 4) for _ in range(60)}
    possible = {
        round(
            sum(2 + apart(embedded[a], embedded[1 - a]) - apart(embedded[a], embedded[c]) for a, c in ((0, first), (1, second)))
            / 2,
            4,
        )
        for first in (2, 3)
        for second in (2, 3)
    }
    assert {min(abs(one - other) for other in possible) < 2e-4 for one in drawn} == {True}
    assert len(drawn) == len(possible)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [-1, -1, -1]])
def test_a_batch_without_triplets_teaches_nothing(labels: list[int]) -> None:
    embedded = vectors(1, 3, 4).requires_grad_()
    loss = TripletHinge(0.2, "hard")(embedded, torch.tensor(labels))
    loss.backward()
    assert float(loss.detach()) == 0
    assert embedded.grad is not None
    assert not embedded.grad.any()


def test_equal_embeddings_cost_the_margin_and_have_a_gradient_that_is_a_number() -> None:
    embedded = torch.ones(1, 4, 3, requires_grad=True)
    loss = TripletHinge(0.2, "hard")(embedded, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.2, abs=1e-4)
    assert embedded.grad is not None
    assert embedded.grad.isfinite().all()


# --- VICReg ---------------------------------------------------------------------------------------------------------


def slow_vicreg(first: np.ndarray, second: np.ndarray, weights: tuple[float, float, float]) -> float:
    items, wide = first.shape
    invariance = sum((first[i, j] - second[i, j]) ** 2 for i in range(items) for j in range(wide)) / (items * wide)
    variance = covariance = 0.0
    for view in (first, second):
        mean = [sum(view[:, j]) / items for j in range(wide)]
        for a in range(wide):
            for b in range(wide):
                found = sum((view[i, a] - mean[a]) * (view[i, b] - mean[b]) for i in range(items)) / (items - 1)
                if a == b:
                    variance += max(0.0, 1 - math.sqrt(found + 1e-4)) / wide / 2
                else:
                    covariance += found**2 / wide
    return weights[0] * invariance + weights[1] * variance + weights[2] * covariance


def test_vicreg_is_its_formula() -> None:
    views = 0.7 * vectors(2, 7, 4)
    fast = VarianceInvarianceCovariance(25.0, 20.0, 3.0)(views, UNUSED)
    assert float(fast) == pytest.approx(slow_vicreg(*views.double().numpy(), (25.0, 20.0, 3.0)), rel=1e-5)


def test_vicreg_by_hand() -> None:
    """Collapsed to a point, only deviations cost: 1 - 0.01 in both views. Two equal numbers: covariance 2, twice."""
    assert float(VarianceInvarianceCovariance(25.0, 1.0, 1.0)(torch.ones(2, 3, 5), UNUSED)) == pytest.approx(0.99, rel=1e-5)
    line = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).repeat(2, 1, 1)
    assert float(VarianceInvarianceCovariance(25.0, 25.0, 1.0)(line, UNUSED)) == pytest.approx(2 * (4 + 4) / 2, rel=1e-5)


# --- SIGReg ---------------------------------------------------------------------------------------------------------


def slow_epps_pulley(values: list[float]) -> float:
    knots = [-5 + 10 * at / 16 for at in range(17)]
    heights = []
    for t in knots:
        empirical = sum(complex(math.cos(t * x), math.sin(t * x)) for x in values) / len(values)
        heights.append(abs(empirical - math.exp(-t * t / 2)) ** 2 * math.exp(-t * t / 2))
    return len(values) * sum((a + b) / 2 * 10 / 16 for a, b in pairwise(heights))


def test_epps_pulley_is_its_formula() -> None:
    values = vectors(9, 3)
    for column, found in zip(values.T.tolist(), epps_pulley(values).tolist(), strict=True):
        assert found == pytest.approx(slow_epps_pulley(column), rel=1e-4)


def test_epps_pulley_by_hand() -> None:
    """All at 0: the characteristic function is 1, and the integral of (1 - g)^2 g with g = exp(-t^2/2) is
    sqrt(2 pi) (1 - 2 / sqrt 2 + 1 / sqrt 3)."""
    exact = math.sqrt(2 * math.pi) * (1 - 2 / math.sqrt(2) + 1 / math.sqrt(3))
    assert float(epps_pulley(torch.zeros(6, 1))[0]) == pytest.approx(6 * exact, rel=1e-3)


def test_epps_pulley_knows_a_normal_cloud() -> None:
    normal, wide = vectors(2000, 1), 2 * vectors(2000, 1)
    assert float(epps_pulley(normal)[0]) < 2 < 50 < float(epps_pulley(wide)[0])
    assert float(epps_pulley(normal + 0.5)[0]) > 50


def test_lejepa_is_prediction_and_the_mean_statistic_of_slices() -> None:
    views = vectors(3, 5, 4)
    torch.manual_seed(3)
    fast = float(Predicting(0.1, 6)(views, UNUSED))
    torch.manual_seed(3)
    across = [column / column.norm() for column in torch.randn(4, 6).T]
    centre = views.mean(dim=0)
    apart = sum(float((view - centre).square().sum()) for view in views) / (3 * 5 * 4)
    statistics = [slow_epps_pulley([float(one @ line) for one in view]) for view in views for line in across]
    assert fast == pytest.approx(0.9 * apart + 0.1 * sum(statistics) / len(statistics), rel=1e-4)


# --- masked patches -------------------------------------------------------------------------------------------------


def revealing(target: str, shape: tuple[int, int, int], backbone: str, share: float = 0.5) -> Any:
    torch.manual_seed(0)
    made = OwnNetwork(shape=shape, backbone=backbone)
    return pretext(f"masked(target={target},share={share})").learner(made, Facts(classes=0, shape=shape))


@pytest.mark.parametrize(("target", "numbers"), [("colour", 3), ("low", 12), ("patch", 192)])
def test_targets_of_patches_are_theirs(target: str, numbers: int) -> None:
    """Against plain cuts of the picture; a low resolution is the means of squares of four."""
    learner, pictures = revealing(target, (3, 16, 24), "vit(width=8,depth=1,heads=2,patch=8)"), vectors(2, 3, 16, 24)
    found = learner.targets(pictures)
    assert found.shape == (2, 6, numbers)
    for row in range(2):
        for column in range(3):
            cut = pictures[:, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            if target == "colour":
                cut = cut.mean(dim=(2, 3))
            elif target == "low":
                squares = [cut[:, :, a : a + 4, b : b + 4].mean(dim=(2, 3)) for a in (0, 4) for b in (0, 4)]
                cut = torch.stack(squares, dim=2)
            assert torch.allclose(found[:, 3 * row + column], cut.flatten(1), atol=1e-5)


@pytest.mark.parametrize("target", ["colour", "low", "patch"])
def test_only_hidden_patches_count(target: str) -> None:
    """A head that says 0: the loss is the mean square of hidden patches' targets, summed in a loop."""
    learner, pictures = revealing(target, SHAPE, VIT, share=0.25), vectors(3, *SHAPE)
    for one in learner.tell.parameters():
        torch.nn.init.zeros_(one)
    torch.manual_seed(7)
    loss = float(learner(Seen(views=pictures[None], labels=torch.full((3,), -1))).detach())
    torch.manual_seed(7)
    masked, targets = hidden(3, 16, 0.25, torch.device("cpu")), learner.targets(pictures)
    squares = [float(x) ** 2 for i in range(3) for p in range(16) if masked[i, p] for x in targets[i, p]]
    assert loss == pytest.approx(sum(squares) / len(squares), rel=1e-5)


def test_what_is_hidden_is_not_seen() -> None:
    made, pictures = network(VIT).eval(), vectors(1, *SHAPE)
    masked = torch.zeros(1, 16, dtype=torch.bool)
    masked[0, 0] = True
    other = pictures.clone()
    other[:, :, :2, :2] += 5
    for before, after in zip(made.layers(pictures, masked=masked), made.layers(other, masked=masked), strict=True):
        assert torch.equal(before, after)
    assert not torch.equal(made(pictures), made(other))


@pytest.mark.parametrize(("share", "count"), [(0.5, 8), (0.01, 1), (0.99, 15)])
def test_as_many_patches_of_each_item_are_hidden(share: float, count: int) -> None:
    assert hidden(5, 16, share, torch.device("cpu")).sum(dim=1).tolist() == [count] * 5


def test_masking_refuses_what_cannot_hide_patches() -> None:
    with pytest.raises(InputError, match="resnet cannot hide patches; take --backbone vit"):
        pretext("masked").learner(network(), Facts(classes=0, shape=SHAPE))
    with pytest.raises(InputError, match=r"one patch of \(8, 8\)"):
        pretext("masked").learner(network("vit(patch=8)"), Facts(classes=0, shape=SHAPE))
    with pytest.raises(InputError, match="share=1"):
        pretext("masked(share=1.0)")


# --- what all keep --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    pictures, labels = load_digits(return_X_y=True)
    return (pictures.reshape(-1, *SHAPE) * 15.9).astype(np.uint8)[:192], labels[:192]


def seen_of(digits: tuple[np.ndarray, np.ndarray], views: int) -> Seen:
    """Views differ by noise, so that tasks without an augmentation of their own have something to do."""
    values = torch.from_numpy(digits[0]).float()
    noisy = [values + 20 * vectors(*values.shape, seed=view) for view in range(views)]
    return Seen(views=torch.stack(noisy), labels=torch.from_numpy(digits[1]).long())


def made(name: str, digits: tuple[np.ndarray, np.ndarray]) -> tuple[Any, OwnNetwork, Any]:
    task, own = pretext(name), network(BACKBONES.get(name, "resnet(width=8,stages=2)"))
    standardised(own, digits[0])
    return task, own, task.learner(own, Facts(classes=10, shape=SHAPE))


@pytest.mark.parametrize("name", TASKS)
def test_a_few_steps_lower_the_loss(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    task, own, learner = made(name, digits)
    seen = seen_of(digits, task.views)
    learner.train()
    optimiser = torch.optim.AdamW(learner.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        torch.manual_seed(1)
        loss = learner(seen)
        assert loss.shape == ()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    own.eval()
    with torch.inference_mode():
        latents = own(seen.views[0])
    assert latents.shape == (192, own.dim)
    assert latents.isfinite().all()
    assert float(latents.std(dim=0).mean()) > 1e-3


@pytest.mark.parametrize("name", TASKS)
def test_the_network_is_part_of_what_is_trained(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    task, own, learner = made(name, digits)
    torch.manual_seed(1)
    learner(seen_of(digits, task.views)).backward()
    mute = {key for key, one in own.named_parameters() if one.grad is None}
    assert mute <= {"backbone.hidden"}  # which nothing but masking sees
    ids = {id(one) for one in learner.parameters()}
    assert {id(one) for one in own.parameters()} <= ids
    assert len(ids) == len(list(learner.parameters()))


@pytest.mark.parametrize("name", TASKS)
def test_labelled_tasks_refuse_data_without_classes(name: str) -> None:
    task, own = pretext(name), network(BACKBONES.get(name, "resnet(width=8,stages=2)"))
    for classes in (0, 1):
        if task.labelled:
            with pytest.raises(InputError, match=f"{name}: {classes} classes"):
                task.learner(own, Facts(classes=classes, shape=SHAPE))
        else:
            task.learner(own, Facts(classes=classes, shape=SHAPE))


@pytest.mark.parametrize("name", [name for name in TASKS if name != "masked"])
def test_two_steps_of_a_learner_are_its_call(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    """What the gradient cache relies on."""
    task, _, learner = made(name, digits)
    if not isinstance(learner, Learner):
        pytest.skip(f"{name} judges items one by one")
    seen = seen_of(digits, task.views)
    learner.eval()
    with torch.inference_mode():
        embedded = torch.stack([learner.embed(view) for view in seen.views])
        torch.manual_seed(1)
        apart = learner.compare(embedded, seen.labels)
        torch.manual_seed(1)
        assert float(learner(seen)) == pytest.approx(float(apart), rel=1e-4)


def test_settings_out_of_range_are_refused() -> None:
    calls: list[Callable[[], object]] = [
        lambda: pretext("triplet(mining=easy)"), lambda: pretext("triplet(margin=-1)"), lambda: pretext("sigreg(weight=2)"),
        lambda: pretext("masked(target=edges)"), lambda: pretext("vicreg(dim=0)"), lambda: pretext("jigsaw"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(InputError):
            call()
