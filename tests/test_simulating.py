"""Labelling once more what is labelled already, and what further labels would bring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.curves import Curve, Simulation, interval
from textanchor.labelling.features import half_whitened
from textanchor.labelling.pool import Labelled, Pool
from textanchor.labelling.simulating import Replay, simulate

FAST = Replay(shares=(0.05, 0.1), seeds=2, proposers=("kernel-ridge",))


def digits(count: int = 300) -> tuple[Pool, np.ndarray]:
    """scikit-learn's, small and real."""
    given = load_digits()
    own = np.arange(count)
    features = (half_whitened("image", given.data[:count].astype(np.float32)),)
    return Pool(features=features, classes=tuple("0123456789"), groups=own, contents=own), given.target[:count]


@dataclass
class Counted:
    """Progress that counts."""

    done: int = 0
    totals: list[int | None] = field(default_factory=list)

    @contextmanager
    def bar(self, what: str, *, total: int | None = None, unit: str = "item") -> Iterator[Counted]:
        self.totals.append(total)
        yield self

    def advance(self, count: int = 1) -> None:
        self.done += count

    def note(self, **counts: int) -> None:
        pass


def test_random_is_what_one_would_do_by_hand() -> None:
    pool, truth = digits()
    found = simulate(pool, truth, (), replay=replace(FAST, left_out=0.0))
    assert [curve.strategy for curve in found.curves] == ["random"]
    proposer = registry.part("proposer", "kernel-ridge")
    for seed in range(2):
        rows: list[int] = []
        for place, size in enumerate((15, 30)):
            known = Labelled(rows=np.array(rows, int), classes=truth[rows], drawn=np.ones(len(rows), bool))
            more = registry.part("strategy", "random").ask(pool, known, None, size - len(rows), seed=seed * 100_003 + len(rows))
            rows += more.tolist()
            known = Labelled(rows=np.array(rows), classes=truth[rows], drawn=np.ones(len(rows), bool))
            right = proposer.propose(pool, known, seed=seed).argmax(axis=1) == truth
            rest = [row for row in range(len(pool)) if row not in rows]
            assert found.base.rest[seed, place] == pytest.approx(right[rest].mean())
            assert found.base.whole[seed, place] == pytest.approx((right[rest].sum() + size) / len(pool))
            assert found.base.classes[seed, place] == len(set(truth[rows].tolist()))


def test_each_seed_leaves_out_other_items_and_repeats_itself() -> None:
    pool, truth = digits()
    found, again = (simulate(pool, truth, ("covering",), replay=FAST) for _ in range(2))
    assert found.items == 270
    assert found.curves[1].labels.tolist() == [14, 27]
    np.testing.assert_array_equal(found.curves[1].rest, again.curves[1].rest)
    assert (found.curves[1].rest[0] != found.curves[1].rest[1]).any(), "covering has no chance in it, the items have"


def labelled_rows(pool: Pool, truth: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What is labelled after each batch, of all strategies."""
    from textanchor.labelling import simulating

    rows: list[np.ndarray] = []
    judged = simulating.Run._judged
    with monkeypatch.context() as watched:
        watched.setattr(
            simulating.Run, "_judged", lambda self, given: (rows.append(self.labelled.rows), judged(self, given))[1]
        )
        simulate(pool, truth, ("spread-then-margin",), replay=replace(FAST, seeds=1, left_out=0.0))
    return rows


def test_nothing_of_the_rest_chooses_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, truth = digits()
    rows = labelled_rows(pool, truth, monkeypatch)
    known = np.isin(np.arange(len(pool)), np.concatenate(rows))
    again = labelled_rows(pool, np.where(known, truth, (truth + 1) % 10), monkeypatch)
    assert len(rows) == len(again) == 4
    for one, other in zip(rows, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_of_groups_only_unheard_ones_are_the_rest() -> None:
    pool, truth = digits()
    grouped = replace(pool, groups=np.arange(len(pool)) // 5)
    found = simulate(grouped, truth, (), replay=replace(FAST, seeds=1, left_out=0.0, shares=(0.1,)))
    rows = registry.part("strategy", "random").ask(
        grouped, Labelled(rows=np.empty(0, int), classes=np.empty(0, int), drawn=np.empty(0, bool)), None, 30, seed=0
    )
    known = Labelled(rows=rows, classes=truth[rows], drawn=np.ones(30, bool))
    right = registry.part("proposer", "kernel-ridge").propose(grouped, known).argmax(axis=1) == truth
    unheard = [row for row in range(len(pool)) if row // 5 not in set((rows // 5).tolist())]
    assert found.base.rest[0, 0] == pytest.approx(right[unheard].mean())


def test_half_of_a_batch_may_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.labelling import simulating

    seen: list[Labelled] = []
    judged = simulating.Run._judged
    monkeypatch.setattr(simulating.Run, "_judged", lambda self, given: (seen.append(self.labelled), judged(self, given))[1])
    pool, truth = digits()
    simulate(pool, truth, ("covering",), replay=replace(FAST, seeds=1, drawn=0.5, left_out=0.0))
    assert [one.drawn.mean() for one in seen] == pytest.approx([1, 1, 8 / 15, 16 / 30])
    assert all(len(np.unique(one.rows)) == len(one) for one in seen)


def test_a_strategy_of_proposals_starts_at_random_and_progress_is_told() -> None:
    pool, truth = digits()
    counted = Counted()
    found = simulate(pool, truth, ("margin", "random"), replay=FAST, progress=counted)
    assert [curve.strategy for curve in found.curves] == ["random", "margin"]
    np.testing.assert_array_equal(found.curves[0].rest[:, 0], found.curves[1].rest[:, 0])
    assert counted.totals == [8]
    assert counted.done == 8


def made(base: list[float], other: list[float]) -> Simulation:
    def curve(name: str, means: list[float]) -> Curve:
        rest = np.array([means, means]) + np.array([[-0.01], [0.01]])
        return Curve(
            strategy=name, labels=np.array([10, 20, 40]), rest=rest, whole=rest, classes=np.full(rest.shape, 3, dtype=int)
        )

    return Simulation(items=100, classes=4, seeds=2, drawn=0.0, curves=(curve("random", base), curve("better", other)))


def test_what_is_needed_lies_between_two_batches() -> None:
    found = made([0.5, 0.6, 0.7], [0.4, 0.8, 0.9])
    base, better = found.curves
    assert better.needed(0.7) == pytest.approx(17.5)
    assert found.saved(better) == pytest.approx(17.5 / 40)
    assert found.saved(base) == pytest.approx(1.0)
    assert better.needed(0.3) == 10
    assert better.needed(0.95) is None
    assert found.behind(better) == pytest.approx(0.1)
    assert found.behind(base) == 0
    assert "| better | 0.900 [" in found.table()
    assert "| 18 (17.5%) | 44% | 0.100 |" in found.table()
    assert "| never |  |" in made([0.5, 0.6, 0.99], [0.4, 0.5, 0.6]).table()


def test_intervals_are_students() -> None:
    values = np.array([0.2, 0.4, 0.3, 0.5])
    half = 3.182446 * values.std(ddof=1) / 2
    assert interval(values) == pytest.approx((0.35 - half, 0.35 + half), abs=1e-6)
    assert interval(values[:1]) is None


def test_it_is_written_and_drawn() -> None:
    found = made([0.5, 0.6, 0.7], [0.4, 0.8, 0.9])
    told = json.loads(json.dumps(found.metrics()))
    assert told["format"] == "textanchor-simulation"
    assert [row["labels"] for row in told["rows"]] == [10, 20, 40] * 2
    assert told["summary"][1]["share of random's labels"] == pytest.approx(0.4375)
    assert "<svg" in found.picture()
    assert ">better<" in found.picture()


@pytest.mark.parametrize(
    "changed",
    [{"shares": ()}, {"shares": (0.2, 0.1)}, {"shares": (0.5, 1.0)}, {"seeds": 0}, {"drawn": 1.5}, {"shares": (0.1, 0.1001)}],
)
def test_what_cannot_be_replayed_is_refused(changed: dict[str, object]) -> None:
    pool, truth = digits(60)
    with pytest.raises(InputError, match="expected shares above 0 and below 1 that rise"):
        simulate(pool, truth, replay=Replay(**(changed | {"left_out": 0.0})))  # type: ignore[arg-type]
