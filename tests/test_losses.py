"""Losses against the formula in plain Python, and what each promises."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from textanchor import registry
from textanchor.errors import InputError, UnknownNameError
from textanchor.losses import Batch

OWN = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]]
CHOSEN = [0, 0, 1, 1, 2]
SPECS = {"sum": "sum(a=mse, b=bank)"}


def batch(seed: int = 0) -> Batch:
    made = torch.Generator().manual_seed(seed)
    item, bank = torch.randn(5, 4, generator=made), torch.randn(3, 4, generator=made)
    return Batch(item=item, bank=bank, chosen=torch.tensor(CHOSEN), own=torch.tensor(OWN, dtype=torch.bool))


def lists(held: Batch) -> tuple[list[list[float]], list[list[float]]]:
    """Items and their drawn texts as plain numbers."""
    return held.item.tolist(), [held.bank.tolist()[row] for row in CHOSEN]


def cosine(x: list[float], y: list[float]) -> float:
    return sum(a * b for a, b in zip(x, y, strict=True)) / math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))


def same(i: int, j: int) -> bool:
    """The text drawn for j describes i."""
    return bool(OWN[i][CHOSEN[j]])


def log_share(scores: list[float], positive: list[bool], among: list[bool] | None = None) -> float:
    """Minus the mean log probability of the positives."""
    kept = among or [True] * len(scores)
    rest = math.log(sum(math.exp(score) for score, keep in zip(scores, kept, strict=True) if keep))
    mine = [score - rest for score, yes in zip(scores, positive, strict=True) if yes]
    return -sum(mine) / len(mine)


def mse(held: Batch) -> float:
    x, t = lists(held)
    return sum((x[i][d] - t[i][d]) ** 2 for i in range(5) for d in range(4)) / 20


def cosine_loss(held: Batch) -> float:
    x, t = lists(held)
    return sum(1 - cosine(x[i], t[i]) for i in range(5)) / 5


def bank(held: Batch) -> float:
    x, b = held.item.tolist(), held.bank.tolist()
    return sum(log_share([cosine(x[i], one) / 0.1 for one in b], [bool(v) for v in OWN[i]]) for i in range(5)) / 5


def info_nce(held: Batch, *, plain: bool = False) -> float:
    x, t = lists(held)
    score = [[cosine(x[i], t[j]) / 0.1 for j in range(5)] for i in range(5)]
    alike = [[i == j if plain else same(i, j) for j in range(5)] for i in range(5)]
    turned = [list(column) for column in zip(*score, strict=True)]
    return (sincere(score, alike) + sincere(turned, [list(column) for column in zip(*alike, strict=True)])) / 2


def sincere(score: list[list[float]], alike: list[list[bool]]) -> float:
    """Each positive against the true negatives alone."""
    total = 0.0
    for row, mine in zip(score, alike, strict=True):
        negatives = sum(math.exp(value) for value, yes in zip(row, mine, strict=True) if not yes)
        each = [-math.log(math.exp(value) / (math.exp(value) + negatives)) for value, yes in zip(row, mine, strict=True) if yes]
        total += sum(each) / len(each)
    return total / len(score)


def supcon(held: Batch) -> float:
    x, t = lists(held)
    total = 0.0
    for i in range(5):
        score = [cosine(x[i], one) / 0.1 for one in (*x, *t)]
        alike = [any(a and b for a, b in zip(OWN[i], OWN[j], strict=True)) for j in range(5)] + [same(i, j) for j in range(5)]
        others = [k != i for k in range(10)]
        total += log_share(score, [a and o for a, o in zip(alike, others, strict=True)], others)
    return total / 5


def siglip(held: Batch, same: Callable[[int, int], bool] = same) -> float:
    x, t = lists(held)
    total = 0.0
    for i in range(5):
        for j in range(5):
            logit = cosine(x[i], t[j]) / 0.1 - 10
            total += math.log(1 + math.exp(-logit if same(i, j) else logit))
    return total / 5


def triplet(held: Batch, mining: str, same: Callable[[int, int], bool] = same) -> float:
    x, t = lists(held)
    score = [[cosine(x[i], t[j]) for j in range(5)] for i in range(5)]

    def side(rows: list[list[float]], alike: Callable[[int, int], bool]) -> float:
        total = 0.0
        for i, row in enumerate(rows):
            others = [row[j] for j in range(5) if not alike(i, j)]
            farther = [value for value in others if value < row[i]]
            pick = max(others) if mining == "hard" else max(farther) if farther else min(others)
            total += max(0.0, 0.2 - row[i] + pick)
        return total / 5

    turned = [list(column) for column in zip(*score, strict=True)]
    return (side(score, same) + side(turned, lambda i, j: same(j, i))) / 2


def gram(held: Batch) -> float:
    x, t = lists(held)
    return sum((cosine(x[i], x[j]) - cosine(t[i], t[j])) ** 2 for i in range(5) for j in range(5)) / 25


def distance(held: Batch) -> float:
    sides = []
    for rows in lists(held):
        far = [[math.dist(a, b) for b in rows] for a in rows]
        mean = sum(map(sum, far)) / 25
        sides.append([[value / mean for value in row] for row in far])
    gaps = [abs(sides[0][i][j] - sides[1][i][j]) for i in range(5) for j in range(5)]
    return sum(gap * gap / 2 if gap < 1 else gap - 0.5 for gap in gaps) / 25


def uniformity(held: Batch) -> float:
    x, _ = lists(held)
    pairs = [(i, j) for i in range(5) for j in range(5) if not any(a and b for a, b in zip(OWN[i], OWN[j], strict=True))]
    return math.log(sum(math.exp(-2 * (2 - 2 * cosine(x[i], x[j]))) for i, j in pairs) / len(pairs))


def decorrelation(held: Batch) -> float:
    def standard(rows: list[list[float]]) -> list[list[float]]:
        columns = []
        for column in zip(*rows, strict=True):
            mean = sum(column) / 5
            spread = math.sqrt(sum((value - mean) ** 2 for value in column) / 5)
            columns.append([(value - mean) / spread for value in column])
        return columns

    x, t = (standard(rows) for rows in lists(held))
    total = 0.0
    for a in range(4):
        for b in range(4):
            found = sum(x[a][i] * t[b][i] for i in range(5)) / 5
            total += (1 - found) ** 2 if a == b else 0.005 * found**2
    return total / 4


TWINS: dict[str, Callable[[Batch], float]] = {
    "mse": mse,
    "cosine": cosine_loss,
    "bank": bank,
    "info-nce": info_nce,
    "info-nce(repeats-are-negatives=true)": lambda held: info_nce(held, plain=True),
    "supcon": supcon,
    "siglip": siglip,
    "siglip(repeats-are-negatives=true)": lambda held: siglip(held, int.__eq__),
    "triplet(mining=hard, repeats-are-negatives=true)": lambda held: triplet(held, "hard", int.__eq__),
    "triplet(mining=hard)": lambda held: triplet(held, "hard"),
    "triplet(mining=semi-hard)": lambda held: triplet(held, "semi-hard"),
    "relational": gram,
    "relational(kind=distance)": distance,
    "uniformity": uniformity,
    "decorrelation": decorrelation,
    "sum(a=mse, b=bank, weights=[2, 0.5])": lambda held: 2 * mse(held) + 0.5 * bank(held),
    "sum(a=relational, b=info-nce(temperature=0.1))": lambda held: gram(held) + info_nce(held),
}


@pytest.mark.parametrize("spec", TWINS)
@pytest.mark.parametrize("seed", [0, 1])
def test_slow_twin(spec: str, seed: int) -> None:
    held = batch(seed)
    assert registry.part("loss", spec)(held).item() == pytest.approx(TWINS[spec](held), rel=1e-4)


@pytest.mark.parametrize("name", registry.names("loss"))
def test_contract(name: str) -> None:
    held = registry.part("loss", SPECS.get(name, name))
    given = batch()
    given.item.requires_grad_(True)
    value = held(given)
    assert value.shape == ()
    assert torch.isfinite(value)
    value.backward()
    assert torch.isfinite(given.item.grad).all()
    assert given.item.grad.abs().sum() > 0
    order = torch.tensor([3, 1, 4, 0, 2])
    assert held(given.take(order, item=given.item[order])).item() == pytest.approx(value.item(), rel=1e-4)


@pytest.mark.parametrize("name", registry.names("loss"))
def test_a_batch_of_one_text_is_no_crash(name: str) -> None:
    item, bank_ = torch.randn(3, 4, requires_grad=True), torch.randn(1, 4)
    held = Batch(item=item, bank=bank_, chosen=torch.zeros(3, dtype=torch.long), own=torch.ones(3, 1, dtype=torch.bool))
    value = registry.part("loss", SPECS.get(name, name))(held)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(item.grad).all()


def twice() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Two items of one text and one of another, all of them right."""
    bank_ = torch.eye(2, 4)
    own = torch.eye(2, dtype=torch.bool)[[0, 0, 1]]
    return bank_[[0, 0, 1]].clone(), {"bank": bank_, "chosen": torch.tensor([0, 0, 1]), "own": own}


def test_equal_texts_are_never_negatives() -> None:
    item, rest = twice()
    for loss, least in (("info-nce(temperature=0.01", 2 / 3 * math.log(2)), ("triplet(margin=0.2", 2 / 3 * 0.2)):
        plain = registry.part("loss", f"{loss}, repeats-are-negatives=true)")(Batch(item=item, **rest))
        assert plain.item() == pytest.approx(least, rel=1e-3), "what is right already is punished"
        assert registry.part("loss", f"{loss})")(Batch(item=item, **rest)).item() == pytest.approx(0, abs=1e-6)


def test_with_frozen_texts_several_positives_in_the_denominator_are_the_plain_loss_again() -> None:
    """Why `info-nce` takes positives out of the denominator: the form of UniCL and SupCon changes nothing here."""
    made = torch.Generator().manual_seed(3)
    _, rest = twice()
    held = Batch(item=torch.randn(3, 4, generator=made), **rest)
    score = [[cosine(x, t) / 0.1 for t in lists_of(held)] for x in held.item.tolist()]
    alike = held.same.tolist()
    turned, back = [list(c) for c in zip(*score, strict=True)], [list(c) for c in zip(*alike, strict=True)]
    unicl = sum(log_share(row, mine) for row, mine in zip(score + turned, alike + back, strict=True)) / 6
    assert registry.part("loss", "info-nce(repeats-are-negatives=true)")(held).item() == pytest.approx(unicl, rel=1e-5)
    assert registry.part("loss", "info-nce")(held).item() < unicl


def lists_of(held: Batch) -> list[list[float]]:
    return held.text.tolist()


def test_published_triplets_teach_nothing_where_texts_repeat() -> None:
    """The hardest negative is the item's own text in another row: the two terms cancel, and so do their gradients."""
    _, rest = twice()
    for plain in (True, False):
        item = torch.tensor([[1.0, 0.9, 0, 0], [1.0, 0.9, 0, 0], [0, 1.0, 0, 0]], requires_grad=True)
        registry.part("loss", f"triplet(mining=hard, repeats-are-negatives={plain})")(Batch(item=item, **rest)).backward()
        there = float(item.grad[0].abs().sum())
        assert there < 1e-6 if plain else there > 0.05


def test_random_negatives_are_negatives_and_vary() -> None:
    held, found = batch(3), set()
    low, high = triplet(held, "semi-hard"), triplet(held, "hard")
    for seed in range(30):
        torch.manual_seed(seed)
        found.add(round(registry.part("loss", "triplet(mining=random)")(held).item(), 5))
    assert len(found) > 3
    assert max(found) <= high + 1e-5
    assert min(found) < max(found)
    assert low <= high


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("triplet(mining=soft)", "mining=soft; expected random, semi-hard, hard"),
        ("relational(kind=angle)", "kind=angle; expected gram or distance"),
        ("sum(a=mse, weights=[1, 2])", "1 losses and 2 weights"),
        ("sum", "0 losses"),
        ("info-nce(tau=1)", "loss info-nce .*no setting 'tau'"),
        ("info-nce(", "is no part; expected a name or a call"),
        ("info-nce(0.1)", "is no part"),
        ("__import__('os')", "is no part"),
        ("mse(x=__import__('os'))", "is no part"),
        ("mse(x=[1 for _ in y])", "is no setting"),
    ],
)
def test_wrong_names_and_settings_are_answers(spec: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        registry.part("loss", spec)


def test_an_unknown_loss_names_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'info-nce'"):
        registry.part("loss", "infonce")


@pytest.mark.parametrize("name", [name for name in registry.names("loss") if name not in ("supcon", "uniformity")])
def test_a_loss_stays_on_the_batchs_device(name: str) -> None:
    """On a device without numbers every mix with the CPU is refused, as a GPU would refuse it; two losses look at numbers."""
    here = batch()
    there = Batch(**{field: getattr(here, field).to("meta") for field in ("item", "bank", "chosen", "own")})
    loss = registry.part("loss", SPECS.get(name, name)).to("meta")
    assert loss(there).device.type == "meta"
