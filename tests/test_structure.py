"""Items and texts matched by structure alone: assignment, restarts, answers and abstentions, and spaces that saw no pair."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textanchor
from textanchor import registry
from textanchor.aligners import aligner
from textanchor.aligners.ridge import linear
from textanchor.aligners.unpaired.assignment import assigned, similarities, unrelated
from textanchor.aligners.unpaired.axes import Axes
from textanchor.aligners.unpaired.candidates import candidates
from textanchor.aligners.unpaired.restarts import Matched, agreement, matched, part
from textanchor.aligners.unpaired.structure import Structure, _Restart, _Search
from textanchor.errors import AbstainedError, InputError, LeakError, NothingUsableError
from textanchor.projectors import project
from textanchor.records import Choice, PairedLatents, Pooled, Task, Unpaired
from textanchor.views import as_item, as_text

Planting = tuple[Task, np.ndarray, np.ndarray]  # what is to be matched, and topics of its items and texts
DIM, TOPICS, QUICK = 16, 40, "structure(clusters=20, restarts=3)"


def world(items: int, seed: int, *, of: int = 5) -> tuple[PairedLatents, np.ndarray]:
    """Items that are turned texts with noise, each with a text of its own about one of 40 topics of unequal size; its topic."""
    rng = np.random.default_rng(of)
    scale = np.arange(1, DIM + 1) ** -0.5
    topics, mass = rng.normal(size=(TOPICS, DIM)) * scale, rng.dirichlet(np.full(TOPICS, 2.0))
    turn = np.linalg.qr(rng.normal(size=(DIM + 4, DIM + 4)))[0][:DIM]
    rng = np.random.default_rng(seed)
    topic = rng.choice(TOPICS, size=items, p=mass)
    anchors = topics[topic] + 0.4 * scale * rng.normal(size=(items, DIM))
    latents = 3 * anchors @ turn + 0.3 * rng.normal(size=(items, DIM + 4))
    return table(latents, anchors, f"{seed}"), topic


def table(latents: np.ndarray, anchors: np.ndarray, name: str) -> PairedLatents:
    names, rows = tuple(f"{name}-{row}" for row in range(len(latents))), np.arange(len(latents))
    return PairedLatents(
        modality="image",
        items=Pooled(vectors=latents.astype(np.float32), ids=names, contents=names, fingerprint="made"),
        texts=names,
        anchors=anchors.astype(np.float32),
        edges=np.stack([rows, rows], axis=1),
        weights=np.ones(len(latents), np.float32),
        groups=names,
    )


def loose(items: PairedLatents, texts: PairedLatents, **more: Any) -> Task:
    """Items of the one table and texts of the other, and no pair unless it is given."""
    unpaired = Unpaired(items=items.items, groups=items.groups, texts=texts.texts, anchors=texts.anchors)
    return Task(**{"train": items.take([]), "unpaired": unpaired, **more})


def nearest(fit: Any, task: Task) -> np.ndarray:
    """The row of the unpaired text that each unpaired item finds."""
    items = as_item(fit.view, project(fit.projector, task.unpaired.items.vectors))
    return (items @ as_text(fit.view, task.unpaired.anchors).T).argmax(axis=1)


@pytest.fixture(scope="module")
def planted() -> Planting:
    (items, topic), (texts, other) = world(600, 1), world(800, 2)
    return loose(items, texts), topic, other


@pytest.mark.parametrize("sizes", [(6, 6), (5, 6), (6, 4)])
@pytest.mark.parametrize("known", [0, 2])
def test_an_assignment_is_the_best_of_all(sizes: tuple[int, int], known: int) -> None:
    right = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        left, there = (similarities(rng.normal(size=(size, 4))) for size in sizes)
        found = assigned(left, there, rng, known=known).partners
        most = max(sizes)
        every = [order for order in itertools.permutations(range(most)) if order[:known] == tuple(range(known))]
        best = max(worth(left, there, order[: sizes[0]]) for order in every)
        assert found[:known].tolist() == list(range(known)), "known partners stay partners"
        assert (found == -1).sum() == max(0, sizes[0] - sizes[1])
        right += worth(left, there, found) == pytest.approx(best)
    assert right >= 5, "a local search misses rarely"


def worth(left: np.ndarray, right: np.ndarray, partners: Sequence[int]) -> float:
    """The sum by loops; who has no partner counts nothing."""
    there = [(i, p) for i, p in enumerate(partners) if 0 <= p < len(right)]
    return sum(left[i, j] * right[p, q] for i, p in there for j, q in there)


def test_similarities_are_a_standardised_kernel() -> None:
    points = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    near = similarities(points)
    squares = [((points[i].astype(float) - points[j]) ** 2).sum() for i in range(7) for j in range(i)]
    kernel = np.exp(-np.array(squares) / np.median(squares))
    expected = (kernel - kernel.mean()) / kernel.std()
    np.testing.assert_allclose([near[i, j] for i in range(7) for j in range(i)], expected, rtol=1e-5)
    np.testing.assert_allclose(similarities(10 * points + 5), near, atol=1e-4)
    assert (np.diag(near) == 0).all()
    turned = unrelated(near, np.random.default_rng(1))
    assert abs(np.corrcoef(turned[np.triu_indices(7, 1)], near[np.triu_indices(7, 1)])[0, 1]) < 0.9


def test_agreement_is_the_mean_cosine_between_answers() -> None:
    answers = [np.random.default_rng(seed).normal(size=(9, 4)).astype(np.float32) + seed for seed in range(3)]
    centred = [one - one.mean(axis=0) for one in answers]
    slow = [
        float(one[row] @ other[row] / np.linalg.norm(one[row]) / np.linalg.norm(other[row]))
        for one, other in itertools.combinations(centred, 2)
        for row in range(9)
    ]
    assert agreement(answers).mean() == pytest.approx(np.mean(slow), abs=1e-5)
    assert agreement([answers[0]] * 3) == pytest.approx(1, abs=1e-5)
    assert agreement([answers[0], answers[1], answers[1]]).argmax() == 1, "who agrees with most"


def test_the_answer_that_most_restarts_share_is_taken(planted: Planting, monkeypatch: pytest.MonkeyPatch) -> None:
    known, pairs = candidates(planted[0]), world(30, 3)[0]
    search = _Search(known=known, pairs=pairs, count=20, seed=0, asked=Structure(), choice=Choice())
    turns = [np.linalg.qr(np.random.default_rng(seed).normal(size=(8, 8)))[0] for seed in (0, 1, 1, 2)]
    alone = Matched(clusters=pairs, likeness=1.0)  # the most alike is not the most shared
    found = [
        _Restart(matched=replace(alone, likeness=1.0 - row), projector=linear(turn, np.zeros(8)))
        for row, turn in enumerate(turns)
    ]
    monkeypatch.setattr(search, "_restarts", lambda chance: found)
    assert search.best()[0] in found[1:3]


def test_axes_lead_back_to_where_they_came_from(planted: Planting) -> None:
    task, pairs = planted[0], world(60, 3)[0]
    known = candidates(task)
    axes = Axes(known)
    held = axes.pairs(pairs)
    assert held.pooled.shape == held.anchors.shape == (60, 8)
    fit = aligner("procrustes").fit(Task(train=held))
    inner = axes.texts.inverse_transform(project(fit.projector, held.pooled))
    np.testing.assert_allclose(project(axes.whole(fit.projector), pairs.pooled), inner, atol=1e-3)
    back = axes.pairs(axes.pairs_back(held))
    np.testing.assert_allclose(back.pooled, held.pooled, atol=1e-3)


def test_with_no_pair_items_find_texts_of_their_topic(planted: Planting) -> None:
    task, topic, other = planted
    fit = aligner(QUICK).fit(task)
    right = (other[nearest(fit, task)] == topic).mean()
    chance = sum((topic == one).mean() * (other == one).mean() for one in range(TOPICS))
    assert right > 0.9 > 10 * chance
    notes = fit.choice.notes
    assert notes["agreement"] > 0.6 > 0.3 > notes["agreement by chance"]
    assert notes["likeness"] > notes["likeness by chance"]
    assert (notes["matched clusters"], notes["unpaired items"]) == (20, 600)
    again, few = aligner(fit.choice.fixed).fit(task), task.unpaired.items.vectors[:9]
    np.testing.assert_array_equal(project(again.projector, few), project(fit.projector, few))


@pytest.mark.parametrize("of", [6, 7])
def test_structures_that_have_nothing_to_do_with_each_other_get_no_answer(of: int) -> None:
    with pytest.raises(
        AbstainedError, match=r"restarts' answers is -?0\.\d+, by chance -?0\.\d+, expected at least 0\.\d+; give"
    ):
        aligner(QUICK).fit(loose(world(600, 1)[0], world(800, 2, of=of)[0]))


def test_what_is_symmetric_is_matched_wrongly_by_half_or_not_at_all() -> None:
    """A mirror image fits as well as the truth, and no agreement can tell the two: what the docstring warns of."""
    rng = np.random.default_rng(0)
    half, flip = rng.normal(size=(5, 6)) * np.arange(1, 7) ** -0.5, np.array([-1, 1, 1, 1, 1, 1])
    places = np.concatenate([half, half * flip])
    wrong = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        near = similarities(places + 1e-3 * rng.normal(size=places.shape))
        found = assigned(near, similarities(places), rng)
        assert found.likeness > 0.99, "either is a perfect match"
        wrong.append(found.partners.tolist() != list(range(10)))
    assert any(wrong)


def test_too_little_is_no_structure() -> None:
    with pytest.raises(AbstainedError, match=r"9 items and 800 texts: too few for 4 clusters of either; give some pairs"):
        aligner("structure").fit(loose(world(9, 1)[0], world(800, 2)[0]))
    with pytest.raises(AbstainedError, match="no unpaired items and texts"):
        aligner("structure").fit(Task(train=world(9, 1)[0].take([])))


def test_pairs_are_known_partners_of_the_clusters(planted: Planting) -> None:
    task, pairs, rng = planted[0], world(30, 3)[0], np.random.default_rng(0)
    known = candidates(task)
    axes = Axes(known)
    seen = part(axes.candidates(known), 20, rng)
    assert (len(seen.items), len(seen.anchors)) == (300, 400)
    true = [right(matched(seen, axes.pairs(pairs), 20, np.random.default_rng(seed)).clusters, axes) for seed in range(5)]
    swapped = replace(pairs, edges=np.stack([np.arange(30), np.random.default_rng(1).permutation(30)], axis=1))
    false = [right(matched(seen, axes.pairs(swapped), 20, np.random.default_rng(seed)).clusters, axes) for seed in range(5)]
    assert np.mean(true) > 0.7
    assert np.mean(true) > np.mean(false) + 0.2, "wrong partners mislead"


def right(clusters: PairedLatents, axes: Axes) -> float:
    """The mean cosine between the texts that clusters of items stand for and the ones that they got."""
    back = axes.pairs_back(clusters)
    rng = np.random.default_rng(5)
    rng.normal(size=(TOPICS, DIM)), rng.dirichlet(np.full(TOPICS, 2.0))
    turn = np.linalg.qr(rng.normal(size=(DIM + 4, DIM + 4)))[0][:DIM]
    meant = back.pooled @ turn.T
    centred = [one - one.mean(axis=0) for one in (meant, back.anchors)]
    return float(np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(*centred, strict=True)]))


def test_with_pairs_there_is_always_an_answer_and_validation_says_whether_clusters_help() -> None:
    items, texts = world(600, 1)[0], world(800, 2)[0]
    task = loose(items, texts, train=world(3, 3)[0], val=world(60, 4)[0], refit=False)
    fit = aligner(QUICK).fit(task)
    assert fit.choice.settings["clusters"] == 20, "three pairs say less than the structure"
    assert {"agreement", "likeness"} <= fit.choice.notes.keys()
    assert fit.choice.score > aligner("structure(clusters=0)").fit(task).choice.score
    strangers = loose(items, world(800, 2, of=6)[0], train=world(100, 3)[0], val=world(60, 4)[0], refit=False)
    fit = aligner(QUICK).fit(strangers)
    assert fit.choice.settings["clusters"] == fit.choice.notes["matched clusters"] == 0
    assert aligner(QUICK).fit(replace(strangers, val=None)).choice.notes["matched clusters"] == 20


def test_items_that_judge_are_refused() -> None:
    items, val = world(600, 1)[0], world(60, 4)[0]
    shared = replace(val, items=replace(val.items, contents=(items.items.contents[3], *val.items.contents[1:])))
    with pytest.raises(LeakError, match="1 unpaired items"):
        aligner(QUICK).fit(loose(items, world(800, 2)[0], train=world(20, 3)[0], val=shared))


class Planted:
    """Encodes `17` as the vector of item or text 17 of `world`."""

    def __init__(self, argument: str, modality: str) -> None:
        self.modality, self.fingerprint = modality, f"planted {argument}"
        self.vectors = (
            world(600, 1)[0].pooled if argument == "items" else world(800, 2, of=5 if argument == "texts" else 6)[0].anchors
        )
        self.dim = self.vectors.shape[1]

    def encode(self, batch: Sequence[str]) -> np.ndarray:
        return self.vectors[[int(text) for text in batch]]


def make(argument: str, *, modality: str, runtime: textanchor.Runtime) -> Planted:
    """An encoder as an entry point gives it."""
    return Planted(argument, modality)


@pytest.fixture
def numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of 600 items and 800 texts in rows of their own, and the encoder that knows them."""
    monkeypatch.setitem(registry.BUILT_IN["encoder"], "planted", "test_structure:make")
    with (tmp_path / "loose.csv").open("w", newline="") as stream:
        told = csv.writer(stream)
        told.writerows([("item_text", "text"), *((row, "") for row in range(600)), *(("", row) for row in range(800))])
    return tmp_path / "loose.csv"


STRUCTURE = ("--by", QUICK, "--encoder", "document=planted:items")


def test_a_space_from_loose_items_and_texts(numbers: Path, run: Any) -> None:
    space = numbers.parent / "space"
    made = run("start", numbers, "-o", space, *STRUCTURE, "--anchor", "planted:texts")
    assert made.exit_code == 0, made.output
    assert "600 items and 800 texts, no pairs; agreement 0." in made.stdout
    assert "necessary and not sufficient" in made.stderr
    held = textanchor.load(space)
    story, topic, other = held.stories[-1], world(600, 1)[1], world(800, 2)[1]
    assert story.loose
    assert "no pair was seen" in story.notes
    assert held.modalities["document"].choice.chosen_on == "nothing"
    assert set(held.seen.contents.values()) == {"train"}
    asked = [textanchor.Item(id=str(row), modality="document", value=str(row)) for row in range(40)]
    hits = held.search(asked, [str(row) for row in range(800)], k=1)
    assert np.mean(other[[int(found[0].id) for found in hits]] == topic[:40]) > 0.9
    again = run("rerun", space, "--pairs", numbers)
    assert again.exit_code == 0, again.output


def test_no_space_without_agreement(numbers: Path, run: Any) -> None:
    made = run("start", numbers, "-o", numbers.parent / "space", *STRUCTURE, "--anchor", "planted:strangers")
    assert made.exit_code == 1
    assert "document: the structure of items and texts does not say which belong together" in made.stderr
    assert not (numbers.parent / "space").exists()


def test_rows_that_a_split_holds_out_are_left_alone(numbers: Path) -> None:
    rows = [{"item_text": str(row), "split": "test" if row < 9 else "train"} for row in range(600)]
    space = textanchor.start(
        by=QUICK,
        data=[*rows, *({"text": str(row)} for row in range(800))],
        anchor="planted:texts",
        encoders={"document": "planted:items"},
    )
    assert space.stories[-1].counts["document"]["train"].lone_items == 591
    assert len(space.seen.contents) == 591


def test_what_structure_is_not_for_is_said(shapes: Path, tmp_path: Path, run: Any) -> None:
    done = run("start", shapes, "-o", tmp_path / "space", "--by", "structure")
    assert done.exit_code == 2
    assert "96 rows have an item and a text" in done.stderr
    assert "textanchor fit" in done.stderr
    with pytest.raises(NothingUsableError, match=r"holds 2 items and 0 texts; expected both, each in rows of its own"):
        textanchor.start(by="structure", data=[{"item_text": "a"}, {"item_text": "b"}])
    with pytest.raises(InputError, match="by=structure needs data"):
        textanchor.start(by="structure")
    with pytest.raises(InputError, match="by=names: expected names, without data, or structure, with data"):
        textanchor.start(data=shapes)
    with pytest.raises(NothingUsableError, match="or begin with their structure alone: textanchor start --by structure"):
        textanchor.read_pairs([{"item_text": "a"}, {"text": "b"}])
