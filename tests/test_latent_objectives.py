"""Objectives of latent-space systems against slow twins in plain loops, and against cases that are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from textanchor import registry
from textanchor.aligners.latent.frames import Drawn
from textanchor.aligners.latent.networks import System
from textanchor.aligners.latent.objectives import STAGES
from textanchor.aligners.latent.objectives.gaussian import SCALES, discrepancy
from textanchor.aligners.latent.objectives.reversal import reversed_gradient, told_apart
from textanchor.aligners.latent.passing import Pass
from textanchor.aligners.latent.stages import directions, warmth

TERMS = {name: term for terms in STAGES.values() for name, term in terms.items()}
Rows = list[list[float]]
Twin = Callable[[System, Drawn], float]


def made(seed: int = 0, *, heat: float = 1.0) -> Pass:
    """A system of random numbers everywhere, and a batch with an item that has two texts and a single that comes twice."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        system = System(items=5, texts=4, dim=3, hidden=6, dropout=0.0).eval()
        for one in system.parameters():
            nn.init.normal_(one, std=0.7)
        same = torch.eye(4, dtype=torch.bool)
        same[0, 1] = True
        items, texts = torch.randn(6, 5), torch.randn(6, 4)
        items[5] = items[0]
        batch = Drawn(item=torch.randn(4, 5), text=torch.randn(4, 4), same=same, items=items, texts=texts)
    return Pass(system, batch, search=registry.part("loss", "triplet"), heat=heat)


def rows(network: nn.Module, vectors: Rows) -> Rows:
    """A network row by row."""
    return [network(torch.tensor([row]))[0].tolist() for row in vectors]


def error(ones: Rows, others: Rows) -> float:
    """Mean squared error."""
    gaps = [(a - b) ** 2 for one, other in zip(ones, others, strict=True) for a, b in zip(one, other, strict=True)]
    return sum(gaps) / len(gaps)


def cosine(one: list[float], other: list[float]) -> float:
    """Of two vectors."""
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / math.sqrt(sum(a * a for a in one)) / math.sqrt(sum(b * b for b in other))


def hinges(ones: Rows, others: Rows, same: list[list[bool]]) -> float:
    """The max of hinges with a margin of .2, both ways, rows without a negative at 0."""
    count, total = len(ones), 0.0
    for i in range(count):
        own = cosine(ones[i], others[i])
        there = [0.2 - own + cosine(ones[i], others[j]) for j in range(count) if not same[i][j]]
        back = [0.2 - own + cosine(ones[j], others[i]) for j in range(count) if not same[j][i]]
        total += max([0.0, *there]) + max([0.0, *back])
    return total / count / 2


def entropy(judge: nn.Module, ones: Rows, zeros: Rows) -> float:
    """Binary cross entropy of a judge, both samples counting a half."""
    first = sum(math.log1p(math.exp(-logit)) for (logit,) in rows(judge, ones)) / len(ones)
    return (first + sum(math.log1p(math.exp(logit)) for (logit,) in rows(judge, zeros)) / len(zeros)) / 2


def mmd(ones: Rows, others: Rows) -> float:
    """Unbiased squared MMD of inverse multiquadratic kernels."""

    def kernel(x: list[float], y: list[float]) -> float:
        gap = sum((a - b) ** 2 for a, b in zip(x, y, strict=True))
        return sum(2 * len(x) * scale / (2 * len(x) * scale + gap) for scale in SCALES)

    def within(side: Rows) -> float:
        pairs = [(i, j) for i in range(len(side)) for j in range(len(side)) if i != j]
        return sum(kernel(side[i], side[j]) for i, j in pairs) / len(pairs)

    across = [kernel(one, other) for one in ones for other in others]
    return within(ones) + within(others) - 2 * sum(across) / len(across)


def autoreconstruction(s: System, b: Drawn) -> float:
    items, texts = b.items.tolist(), b.texts.tolist()
    return (error(rows(s.to_item, rows(s.item, items)), items) + error(rows(s.to_text, rows(s.text, texts)), texts)) / 2


def there(s: System, items: Rows) -> Rows:
    """Items as texts."""
    return rows(s.to_text, rows(s.item, items))


def back(s: System, texts: Rows) -> Rows:
    """Texts as items."""
    return rows(s.to_item, rows(s.text, texts))


def cyclic(s: System, b: Drawn) -> float:
    items, texts = b.items.tolist(), b.texts.tolist()
    return (error(back(s, there(s, items)), items) + error(there(s, back(s, texts)), texts)) / 2


def paired_reconstruction(s: System, b: Drawn) -> float:
    items, texts = b.item.tolist(), b.text.tolist()
    return (error(there(s, items), texts) + error(back(s, texts), items)) / 2


def paired_search(s: System, b: Drawn) -> float:
    return hinges(rows(s.item, b.item.tolist()), rows(s.text, b.text.tolist()), b.same.tolist())


def unpaired_search(s: System, b: Drawn) -> float:
    items, texts = b.items.tolist(), b.texts.tolist()
    first = hinges(rows(s.item, items), rows(s.text, there(s, items)), [[one == other for other in items] for one in items])
    same = [[one == other for other in texts] for one in texts]
    return (first + hinges(rows(s.item, back(s, texts)), rows(s.text, texts), same)) / 2


def latent_adversary(s: System, b: Drawn) -> float:
    return entropy(s.judges["latent"], rows(s.item, b.items.tolist()), rows(s.text, b.texts.tolist()))


def domain_adversary(s: System, b: Drawn) -> float:
    items, texts = b.items.tolist(), b.texts.tolist()
    return (entropy(s.judges["text"], texts, there(s, items)) + entropy(s.judges["item"], items, back(s, texts))) / 2


def gaussian(s: System, b: Drawn) -> float:
    sides = rows(s.item, b.items.tolist()), rows(s.text, b.texts.tolist())
    return sum(mmd(side, torch.randn(6, 3).tolist()) for side in sides) / 2


def prior_adversary(s: System, b: Drawn) -> float:
    latents = rows(s.item, b.items.tolist()) + rows(s.text, b.texts.tolist())
    return entropy(s.judges["prior"], torch.randn(12, 3).tolist(), latents)


def preservation(s: System, b: Drawn) -> float:
    total = 0.0
    for before, after in ((b.items.tolist(), there(s, b.items.tolist())), (b.texts.tolist(), back(s, b.texts.tolist()))):
        gaps = [
            (cosine(before[i], before[j]) - cosine(after[i], after[j])) ** 2
            for i in range(len(before))
            for j in range(len(before))
        ]
        total += sum(gaps) / len(gaps)
    return total / 2


TWINS: tuple[Twin, ...] = (
    autoreconstruction, cyclic, paired_reconstruction, paired_search, unpaired_search, latent_adversary, domain_adversary,
    gaussian, prior_adversary, preservation,
)  # fmt: skip


def test_every_objective_has_a_twin() -> None:
    assert {twin.__name__ for twin in TWINS} == set(TERMS)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_objective_is_its_formula(twin: Twin, seed: int) -> None:
    passed = made(seed, heat=0.3)
    with torch.random.fork_rng():
        torch.manual_seed(9)
        fast = float(TERMS[twin.__name__](passed).detach())
        torch.manual_seed(9)  # the twin draws from the same Gaussian, in the same order
        slow = twin(passed.system, passed.batch)
    assert fast == pytest.approx(slow, rel=1e-4, abs=1e-6)
    assert abs(slow) > 1e-3


@pytest.mark.parametrize("heat", [0.0, 0.4, 1.0])
def test_a_reversed_gradient_is_minus_heat_times_the_gradient(heat: float) -> None:
    vectors, weight = torch.randn(3, 2, requires_grad=True), torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, 4.0]])
    out = reversed_gradient(vectors, heat)
    assert torch.equal(out, vectors)
    (out * weight).sum().backward()
    torch.testing.assert_close(vectors.grad, -heat * weight)


def test_a_judge_learns_and_both_samples_resist() -> None:
    judge = nn.Linear(1, 1)
    nn.init.constant_(judge.weight, 2.0)
    nn.init.zeros_(judge.bias)
    ones, zeros = torch.zeros(1, 1, requires_grad=True), torch.zeros(1, 1, requires_grad=True)
    loss = told_apart(judge, ones, zeros, 0.5)
    assert float(loss.detach()) == pytest.approx(math.log(2)), "a judge that does not know"
    loss.backward()
    # d/dlogit of the two halves at 0 is -1/4 and 1/4; times the weight 2 and minus the heat
    assert (float(ones.grad), float(zeros.grad)) == pytest.approx((0.25, -0.25))
    ones, zeros = torch.ones(1, 1), -torch.ones(1, 1)
    judge.zero_grad()
    told_apart(judge, ones, zeros, 0.5).backward()
    assert float(judge.weight.grad) == pytest.approx(-1 / (1 + math.exp(2))), "the judge's own gradient is not turned"


@pytest.mark.parametrize(
    ("name", "judge", "resisting"),
    [
        ("latent_adversary", "latent", ("item", "text")),
        ("prior_adversary", "prior", ("item", "text")),
        ("domain_adversary", "text", ("item", "to_text")),
        ("domain_adversary", "item", ("text", "to_item")),
    ],
)
def test_networks_are_moved_against_the_judge_by_heat(name: str, judge: str, resisting: tuple[str, ...]) -> None:
    def gradients(heat: float) -> tuple[dict[str, Tensor], Tensor]:
        passed = made(2, heat=heat)
        with torch.random.fork_rng():
            torch.manual_seed(3)
            TERMS[name](passed).backward()
        system: Any = passed.system
        moved = {one: next(getattr(system, one).parameters()).grad for one in resisting}
        return moved, next(system.judges[judge].parameters()).grad

    (half, judged), (whole, same) = gradients(0.5), gradients(1.0)
    torch.testing.assert_close(judged, same)
    for one in resisting:
        assert whole[one].abs().max() > 1e-4
        torch.testing.assert_close(half[one] * 2, whole[one])


def test_mmd_of_known_kernel_values() -> None:
    one, other = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]])

    def kernel(gap: float) -> float:
        return sum(2 * scale / (2 * scale + gap) for scale in SCALES)

    expected = kernel(1) + kernel(4) - 2 * (kernel(0) + kernel(4) + 2 * kernel(1)) / 4
    assert float(discrepancy(one, other)) == pytest.approx(expected, rel=1e-5)
    assert kernel(0) == len(SCALES)


def test_mmd_is_near_nothing_for_the_same_law_and_not_for_another() -> None:
    drawn = torch.Generator().manual_seed(0)
    one, other = torch.randn(400, 4, generator=drawn), torch.randn(400, 4, generator=drawn)
    assert abs(float(discrepancy(one, other))) < 0.02
    assert float(discrepancy(one, other + 2)) > 0.5
    assert float(discrepancy(one, 0.2 * other)) > 0.2
    # a sample against itself: only the kernel's diagonal, which the unbiased form leaves out within, is there across
    itself = float(discrepancy(one, one))
    within = mmd(one[:30].tolist(), one[:30].tolist())
    assert -0.1 < itself < 0
    assert float(discrepancy(one[:30], one[:30])) == pytest.approx(within, abs=1e-4)


def test_adversaries_are_heard_from_nothing_to_all() -> None:
    assert warmth(0.0) == 0.0
    assert warmth(1.0) == pytest.approx((1 - math.exp(-10)) / (1 + math.exp(-10)))
    heard = [warmth(step / 10) for step in range(11)]
    assert heard == sorted(heard)
    assert heard[5] == pytest.approx(math.tanh(2.5))


def test_directions_of_known_latents() -> None:
    square = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert directions(square) == pytest.approx(2)
    assert directions(square * torch.tensor([1.0, 0, 0])) == pytest.approx(1)
    assert directions(torch.ones(5, 3)) == 0.0
    assert directions(square + 100) == pytest.approx(2), "the mean is no direction"
    share = 9 / 10
    uneven = math.exp(-share * math.log(share) - (1 - share) * math.log(1 - share))
    assert directions(square * torch.tensor([3.0, 1, 1])) == pytest.approx(uneven)
