"""What may be labelled without a look: the promises hold on made-up worlds, ties, groups and batches, or are refused."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, betabinom, hypergeom

from textanchor import registry
from textanchor.errors import InputError, UnknownNameError
from textanchor.labelling.guarantee import Batch, Calibration, Guarantee, Promise, Rest, audited, decide, looks_needed, stream
from textanchor.labelling.guarantee.average import benjamini_hochberg, p_values
from textanchor.labelling.guarantee.by_group import capital
from textanchor.labelling.guarantee.counting import Bounds, bounds, failing
from textanchor.labelling.guarantee.forecast import freed
from textanchor.labelling.guarantee.ranking import ranked, running

World = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]  # scores, and which are wrong


def sloped(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Wrong ones are rare among high scores; about a sixth of all."""
    scores = rng.random(count)
    return scores, rng.random(count) < (1 - scores) ** 5


def flat(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores say nothing, and a twentieth is wrong: at the level itself."""
    return rng.random(count), rng.random(count) < 0.05


def rounded(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Votes of ten neighbours."""
    scores, wrong = sloped(rng, count)
    return scores.round(1), wrong


def saturated(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A softmax that is sure of nearly all, of which one in fifteen is wrong."""
    scores, wrong = sloped(rng, count)
    return np.minimum(scores, 0.14) / 0.14, wrong


def constant(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(count), rng.random(count) < 0.04


def all_wrong(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.random(count), np.ones(count, dtype=bool)


def all_right(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.random(count), np.zeros(count, dtype=bool)


WORLDS = (sloped, flat, rounded, saturated, constant, all_wrong, all_right)


def outcomes(world: World, promise: Promise, labels: int, rest: int, times: int) -> np.ndarray:
    """Share of wrong ones among what is let through, and share let through, of so many draws [times, 2]."""
    form: Guarantee = registry.part("guarantee", promise.form)
    found = []
    for turn in range(times):
        scores, wrong = world(np.random.default_rng([turn, 7]), labels + rest)
        calibration = Calibration(scores=scores[:labels], wrong=wrong[:labels], scored="held apart")
        through = form.accepted(calibration, Rest(scores=scores[labels:]), replace(promise, seed=turn))
        found.append((wrong[labels:][through].mean() if through.any() else 0.0, through.mean()))
    return np.array(found)


def above(shares: np.ndarray, promised: float) -> float:
    """By how many standard errors of the mean the shares exceed what was promised."""
    return float((shares.mean() - promised) / max(shares.std() / np.sqrt(len(shares)), 1e-6))


@pytest.mark.parametrize("kind", ["average", "confidence", "audit"])
def test_contract(kind: str) -> None:
    form = registry.part("guarantee", kind)
    assert isinstance(form, Guarantee)
    assert form.name == kind
    assert form.words.endswith(".")
    assert form.usual in ("held apart", "out of fold")
    scores, wrong = sloped(np.random.default_rng(0), 500)
    calibration, rest = Calibration(scores=scores[:200], wrong=wrong[:200]), Rest(scores=scores[200:])
    through = form.accepted(calibration, rest, Promise())
    assert through.shape == (300,)
    assert through.dtype == bool
    assert (form.accepted(calibration, rest, Promise()) == through).all()
    assert form.accepted(calibration, Rest(scores=np.zeros(0)), Promise()).shape == (0,)
    nothing = Calibration(scores=np.zeros(0), wrong=np.zeros(0, dtype=bool))
    assert form.audited or not form.accepted(nothing, rest, Promise()).any()
    assert form.resolution(calibration, rest, Promise()) >= 0
    order = np.random.default_rng(1).permutation(200)
    shuffled = Calibration(scores=scores[:200][order], wrong=wrong[:200][order])
    assert (form.accepted(shuffled, rest, Promise()) == through).all(), "without ties the order of labels says nothing"


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("labels", "level"), [(30, 0.05), (100, 0.05), (60, 0.5), (400, 0.01), (25, 0.001)])
def test_on_average_no_more_than_the_level_is_wrong(world: World, labels: int, level: float) -> None:
    found = outcomes(world, Promise(level=level), labels, 80, 800)
    assert above(found[:, 0], level) < 3


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    ("labels", "rest", "level", "delta"), [(100, 300, 0.05, 0.1), (200, 60, 0.1, 0.2), (60, 200, 0.5, 0.05)]
)
def test_with_confidence_it_is_hardly_ever_exceeded(world: World, labels: int, rest: int, level: float, delta: float) -> None:
    found = outcomes(world, Promise(form="confidence", level=level, delta=delta), labels, rest, 400)
    assert above((found[:, 0] > level + 1e-12).astype(float), delta) < 3


def test_counting_ties_to_one_side_breaks_what_lots_keep() -> None:
    """What packages do that compare by `>`: no wrong label is ever above the sure ones, so that all of them pass."""
    promise, wrong_shares = Promise(), []
    for turn in range(800):
        scores, wrong = saturated(np.random.default_rng([turn, 7]), 180)
        beaten = scores[None, :100] > scores[100:, None]
        p = (1 + (beaten & wrong[None, :100]).sum(axis=1)) / 101
        through = benjamini_hochberg(p, promise.level)
        wrong_shares.append(wrong[100:][through].mean() if through.any() else 0.0)
    assert above(np.array(wrong_shares), 0.06) > 3
    assert above(outcomes(saturated, promise, 100, 80, 800)[:, 0], 0.05) < 3


def test_a_tenth_of_the_level_is_kept_back_out_of_fold() -> None:
    scores, rest = np.random.default_rng(0).random(21), Rest(scores=np.random.default_rng(1).random(100))
    right = Calibration(scores=scores, wrong=np.zeros(21, dtype=bool))
    assert not decide(right, rest, Promise()).accepted.any(), "1 / 22 is more than .045"
    assert decide(replace(right, scored="held apart"), rest, Promise()).accepted.all()
    assert decide(right, rest, Promise()).resolution == pytest.approx(1 / 22 / 0.045)


def test_much_is_let_through_where_much_is_right() -> None:
    for form, share in (("average", 0.95), ("confidence", 0.95)):
        assert outcomes(all_right, Promise(form=form), 100, 200, 20)[:, 1].min() > share
    best = []
    for turn in range(40):
        scores, wrong = sloped(np.random.default_rng([turn, 7]), 1500)
        order = np.argsort(-scores[500:])
        rate = np.cumsum(wrong[500:][order]) / np.arange(1, 1001)
        best.append((np.flatnonzero(rate <= 0.05)[-1] + 1) / 1000)
    assert outcomes(sloped, Promise(), 500, 1000, 40)[:, 1].mean() > 0.95 * np.mean(best), "500 labels are as good as all"


def test_p_values_and_benjamini_hochberg_by_loops() -> None:
    rng = np.random.default_rng(0)
    for turn in range(20):
        scores, wrong = rng.random(25).round(1), rng.random(25) < 0.3
        groups, weights = rng.integers(6, size=25), rng.integers(1, 4, size=10).astype(float)
        calibration = Calibration(scores=scores[:10], wrong=wrong[:10], groups=groups[:10], weights=weights)
        rest = Rest(scores=scores[10:], groups=groups[10:] + 10)
        p = p_values(calibration, rest, ranked(calibration, rest, turn))
        lots = np.random.default_rng(turn).permutation(25)
        place = np.argsort(np.lexsort((lots, -scores)))
        for row in range(15):
            item = 10 + row
            mates = [other for other in range(10, 25) if groups[other] == groups[item]]
            own = sum(other == item or place[other] < place[item] for other in mates)
            worse = sum(weights[exam] for exam in range(10) if wrong[exam] and place[exam] < place[item])
            assert p[row] == pytest.approx((own + worse) / (weights.sum() + len(mates)))
        ranks = sorted(p)
        most = max((k for k in range(1, 16) if ranks[k - 1] <= 0.4 * k / 15), default=0)
        assert benjamini_hochberg(p, 0.4).sum() == most
    assert running(np.array([5, 3, 5, 5, 3])).tolist() == [1, 1, 2, 3, 2]


def test_failing_bounds_by_all_draws() -> None:
    """Every way in which 4 of 10 wrong items may be calibration items."""
    told = Bounds(seen=np.array([0, 1, 2]), hidden=np.array([2, 3, 5]))
    broken = 0
    for chosen in itertools.combinations(range(10), 4):
        drawn = [item in chosen for item in range(10)]
        paths = [(sum(drawn[: k + 1]), k + 1 - sum(drawn[: k + 1])) for k in range(10)]
        broken += any(hidden > told.on(np.array([seen]))[0] for seen, hidden in paths)
    assert failing(told, 4, 6) == pytest.approx(broken / 210)


def test_bounds_are_exact_and_all_at_once() -> None:
    told = bounds(150, 1000, 0.1, 50)
    assert 0.09 < failing(told, 150, 1000) <= 0.1
    alone = [hypergeom.cdf(seen, 1150, 150, seen + hidden + 1) for seen, hidden in zip(told.seen, told.hidden, strict=True)]
    assert max(alone) < 0.1 < sum(alone), "each is stricter than alone, none as strict as a sum of all would ask"
    assert (np.diff(told.hidden) > 0).all()
    assert told.on(np.array([told.seen[-1] + 1.0])) == np.inf
    broken = 0
    for turn in range(1000):
        drawn = np.zeros(1150, dtype=bool)
        drawn[np.random.default_rng(turn).permutation(1150)[:150]] = True
        seen, hidden = np.cumsum(drawn), np.cumsum(~drawn)
        broken += bool((hidden > told.on(seen.astype(float))).any())
    assert abs(broken / 1000 - failing(told, 150, 1000)) < 0.03
    assert not len(bounds(20, 100, 0.1, 5).seen), "no number of 20 labels vouches for 100 items at 5 %"
    assert bounds(2000, 200_000, 0.1, 10_000).seen.max() > 50


def clustered(rng: np.random.Generator, groups: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole speakers are understood or not, and scores know little of it."""
    heard = np.repeat(rng.random(groups) < 0.7, size)
    scores = rng.random(groups * size) + 0.4 * heard
    return scores, (rng.random(groups * size) < 0.02) | ~heard, np.repeat(np.arange(groups), size)


def by_group(promise: Promise, known: int, *, items: bool = False, size: int = 10) -> np.ndarray:
    """Of 200 worlds of 20 further groups: share of wrong ones among what is let through, and share let through."""
    form, found = registry.part("guarantee", promise.form), []
    for turn in range(200):
        scores, wrong, groups = clustered(np.random.default_rng([turn, 3]), known + 20, size)
        cut = known * size
        of = None if items else groups[:cut]
        calibration = Calibration(scores=scores[:cut], wrong=wrong[:cut], groups=of, scored="held apart")
        rest = Rest(scores=scores[cut:], groups=None if items else groups[cut:])
        through = form.accepted(calibration, rest, replace(promise, seed=turn))
        found.append((wrong[cut:][through].mean() if through.any() else 0.0, through.mean()))
    return np.array(found)


def test_items_of_few_groups_promise_what_they_cannot_keep_and_groups_refuse() -> None:
    promise = Promise(level=0.1)
    assert above(by_group(promise, 2, items=True)[:, 0], 0.11) > 2, "two groups look like twenty items"
    assert by_group(promise, 2)[:, 1].max() == 0
    for known in (10, 40, 100):
        assert above(by_group(promise, known)[:, 0], 0.1) < 3
    strict = by_group(Promise(form="confidence", level=0.25, delta=0.1), 150, size=4)
    assert strict[:, 1].mean() > 0.1
    assert above((strict[:, 0] > 0.35).astype(float), 0.1) < 3, "the rate is bounded; twenty groups scatter around it"


def test_too_few_groups_are_told_how_many_more() -> None:
    scores, wrong, groups = clustered(np.random.default_rng(0), 8, 50)
    wrong[:] = False
    told = decide(
        Calibration(scores=scores[:250], wrong=wrong[:250], groups=groups[:250]),
        Rest(scores=scores[250:], groups=groups[250:]),
        Promise(),
    )
    assert not told.accepted.any()
    assert not told.promised
    assert told.more_labels is None
    assert 14 <= (told.more_groups or 0) <= 25, "19 groups of one size vouch for one more at 5 %"
    assert told.reason.startswith("no promise can be made: 5 groups with labels are too few, whatever they say; label items of")
    with pytest.raises(InputError, match="give both or neither"):
        decide(Calibration(scores=scores[:250], wrong=wrong[:250], groups=groups[:250]), Rest(scores=scores[250:]), Promise())


def test_a_gamblers_capital_by_a_loop() -> None:
    found, promise = np.array([-0.05, 0.95, -0.1, 0.0]), Promise()
    ends = []
    for stake in np.linspace(0.05, 0.95, 10):
        money = 1.0
        for one in found:
            money *= 1 - stake / (0.95 * 3) * one
        ends.append(money)
    assert capital(found, 3.0, promise) == pytest.approx(np.mean(ends))


def test_no_wrong_label_promises_no_more_than_their_number_allows() -> None:
    rest = Rest(scores=np.random.default_rng(0).random(200))

    def right(count: int) -> Calibration:
        scores = np.random.default_rng(1).random(count)
        return Calibration(scores=scores, wrong=np.zeros(count, dtype=bool), scored="held apart")

    assert not decide(right(18), rest, Promise()).accepted.any()
    assert decide(right(19), rest, Promise()).accepted.all(), "1 / (19 + 1) is the level"
    assert decide(right(0), rest, Promise()).more_labels is not None
    few = decide(right(40), rest, Promise(form="confidence"))
    assert not few.accepted.any(), "ln(1 / delta) / level are 46"
    assert few.resolution > 1
    assert decide(right(60), rest, Promise(form="confidence")).accepted.all()
    assert decide(right(60), rest, Promise()).resolution == pytest.approx(1 / 61 / 0.05)


def test_a_refusal_says_how_many_labels_would_do_and_they_do() -> None:
    enough = 0
    for turn in range(20):
        scores, wrong = sloped(np.random.default_rng(turn), 3000)
        rest = Rest(scores=scores[1000:])
        told = decide(Calibration(scores=scores[:12], wrong=wrong[:12]), rest, Promise())
        assert told.more_labels is not None
        assert told.expected_error != told.expected_error
        known = 12 + told.more_labels
        enough += decide(Calibration(scores=scores[:known], wrong=wrong[:known]), rest, Promise()).accepted.any()
    assert enough >= 12, "an estimate; each is right more often than not"
    scores, wrong = sloped(np.random.default_rng(0), 1300)
    known, rest = Calibration(scores=scores[:100], wrong=wrong[:100]), Rest(scores=scores[300:])
    form = registry.part("guarantee", "confidence")
    told, promise = freed(form, known, rest, Promise(form="confidence"), more=200), Promise(form="confidence")
    then = form.accepted(Calibration(scores=scores[:300], wrong=wrong[:300]), rest, promise).mean()
    assert told == pytest.approx(then, abs=0.15)


def test_wrong_labels_of_people_cost_share_and_no_promise() -> None:
    """A twentieth of the labels is wrong: that looks like mistakes of the proposer, so that less is let through."""
    shares = {}
    for noise in (0.0, 0.05):
        found = []
        for turn in range(200):
            rng = np.random.default_rng([turn, 11])
            scores, wrong = sloped(rng, 600)
            told = wrong ^ (rng.random(600) < noise)
            calibration = Calibration(scores=scores[:200], wrong=told[:200], scored="held apart")
            through = decide(calibration, Rest(scores=scores[200:]), Promise(level=0.08)).accepted
            found.append((wrong[200:][through].mean() if through.any() else 0.0, through.mean()))
        shares[noise] = np.array(found)
    assert above(shares[0.05][:, 0], 0.08) < 3
    assert shares[0.05][:, 1].mean() < 0.9 * shares[0.0][:, 1].mean()


@pytest.mark.parametrize("of", [4, None])
def test_batches_together_keep_what_one_would(of: int | None) -> None:
    """Four batches of one calibration set: levels of their own would let more through than all may."""
    wrong_of_all, spent = [], []
    for turn in range(400):
        scores, wrong = sloped(np.random.default_rng([turn, 5]), 500)
        calibration, through = Calibration(scores=scores[:300], wrong=wrong[:300]), np.zeros(200, dtype=bool)
        for number in range(4):
            part = slice(50 * number, 50 * number + 50)
            promise = Promise(level=0.2, seed=turn, batch=Batch(number=number + 1, of=of, accepted=int(through.sum())))
            told = decide(calibration, Rest(scores=scores[300:][part]), promise)
            through[part] = told.accepted
            spent.append(told.spent_level)
        wrong_of_all.append(wrong[300:][through].mean() if through.any() else 0.0)
    assert sum(spent[:4]) <= 0.2 + 1e-12
    assert above(np.array(wrong_of_all), 0.2) < 3
    assert Promise(delta=0.1, batch=Batch(number=2, of=None)).spent_delta == pytest.approx(0.1 / 6)
    with pytest.raises(InputError, match="batch 3 of 2"):
        Batch(number=3, of=2)


def test_an_audit_is_right_however_often_one_looks() -> None:
    """Of 300 with 15 wrong: the interval is left at any of all looks in a tenth of the audits at most."""
    promise, missed, ends = Promise(form="audit", level=0.05, delta=0.1), 0, []
    for turn in range(150):
        wrong = np.zeros(300, dtype=bool)
        wrong[np.random.default_rng(turn).permutation(300)[:15]] = True
        told = [audited(300, wrong[:looks], promise) for looks in range(0, 301, 3)]
        truth = [wrong[one.looked :].sum() for one in told]
        missed += any(not one.low <= left <= one.high for one, left in zip(told, truth, strict=True))
        clear = next(one for one in told if one.verdict != "open")
        ends.append(clear.looked)
        assert told[-1].verdict == "met", "all were looked at"
    assert missed / 150 <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 150)


def test_an_audit_by_its_formula() -> None:
    told, promise = audited(60, [False] * 20 + [True], Promise(form="audit")), Promise(form="audit")
    inside = [
        count
        for count in range(1, 41)
        if betabinom.pmf(count, 60, 1, 39) / betabinom.pmf(count - 1, 39, 2, 59) < 1 / promise.delta
    ]
    assert (told.low, told.high) == (min(inside) - 1, max(inside) - 1)
    assert (told.looked, told.wrong, told.left, told.verdict) == (21, 1, 39, "open")
    assert told.share == pytest.approx(1 / 21)


def test_looks_that_were_declared_need_fewer() -> None:
    promise = Promise(form="audit")
    right = np.zeros(1000, dtype=bool)
    assert audited(1000, right[:50], promise, declared=90).verdict == "open"
    declared = audited(1000, right[:90], promise, declared=90)
    assert declared.verdict == "met"
    assert declared.high == max(k for k in range(911) if hypergeom.cdf(0, 1000, k, 90) > 0.05)
    assert declared.high / 1000 == pytest.approx(beta.ppf(0.95, 1, 90), abs=0.003)
    assert audited(1000, ~right[:30], promise).verdict == "refuted"
    assert looks_needed(1000, 0.0, promise) < looks_needed(1000, 0.02, promise) < 1000
    assert looks_needed(1000, 0.3, promise) < 60, "a bad list is found out soon"
    with pytest.raises(InputError, match="91 of 1000 items were looked at, 90 declared"):
        audited(1000, right[:91], promise, declared=90)


def test_what_is_on_trial_is_shown_in_a_random_order_and_promised_nothing() -> None:
    scores, wrong = sloped(np.random.default_rng(0), 1200)
    told = decide(
        Calibration(scores=scores[:200], wrong=wrong[:200]), Rest(scores=scores[200:]), Promise(form="audit(aim=0.5)")
    )
    assert told.accepted.any()
    assert not told.promised
    assert told.reason.endswith("nothing is promised until a person has looked at some of them, shown in random order")
    assert wrong[200:][told.accepted].mean() < 0.06
    order = stream(told.accepted, 0)
    assert sorted(order.tolist()) == np.flatnonzero(told.accepted).tolist() != order.tolist()
    alone = decide(Calibration(scores=np.zeros(0), wrong=np.zeros(0, dtype=bool)), Rest(scores=scores), Promise(form="audit"))
    assert alone.accepted.any(), "probabilities alone may put a list on trial"


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InputError, match=r"level is 1\.5; expected a share above 0 and below 1"):
        Promise(level=1.5)
    with pytest.raises(InputError, match="delta is nan"):
        Promise(delta=float("nan"))
    with pytest.raises(InputError, match="seed is -1"):
        Promise(seed=-1)
    with pytest.raises(InputError, match=r"shapes \(2,\), \(3,\)"):
        Calibration(scores=np.zeros(2), wrong=np.zeros(3, dtype=bool))
    with pytest.raises(InputError, match="1 of 2 scores are not finite"):
        Rest(scores=np.array([0.5, np.nan]))
    with pytest.raises(InputError, match="weights of calibration labels"):
        Calibration(scores=np.zeros(1), wrong=np.zeros(1, dtype=bool), weights=np.zeros(1))
    with pytest.raises(UnknownNameError, match="no guarantee is called 'averge'; did you mean 'average'"):
        decide(Calibration(scores=np.zeros(1), wrong=np.zeros(1, dtype=bool)), Rest(scores=np.zeros(1)), Promise(form="averge"))
    assert decide(
        Calibration(scores=np.zeros(1), wrong=np.zeros(1, dtype=bool)), Rest(scores=np.zeros(0)), Promise()
    ).reason == ("nothing is left to label")


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, textanchor.labelling.guarantee; print(any(one in sys.modules for one in ('torch', 'sklearn', 'transformers')))"  # noqa: E501
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "False"
