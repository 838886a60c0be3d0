"""The recall card against figures worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textanchor import recall_card
from textanchor.collections import recall as module
from textanchor.collections.recall import RecallRow, cheapest, measured
from textanchor.errors import InputError, MissingError, UnknownNameError


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMED", 5)


def row(index: str, recall: float, p50: float, memory: int | None) -> RecallRow:
    return RecallRow(index=index, recall=recall, p50=p50, p99=p50, memory=memory, measured="index", build=0)


ROWS = (row("exact", 1, 10, 1000), row("graph", 0.99, 1, 1200), row("codes", 0.9, 2, 100), row("far", 0.99, 0.1, None))


def test_the_cheapest_is_the_least_product_of_time_and_memory_that_reaches_the_recall() -> None:
    assert cheapest(ROWS, 0.5).index == "codes"
    assert cheapest(ROWS, 0.98).index == "graph", "what is not known to be small is not cheap"
    assert cheapest(ROWS, 1).index == "exact"
    with pytest.raises(InputError, match=r"no index reaches a recall of 0.98; the best, codes, reaches 0.900"):
        cheapest(ROWS[2:3], 0.98)


def test_recall_is_that_of_the_true_neighbours() -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    gallery, queries = (rng.normal(size=(count, 16)).astype(np.float32) for count in (1000, 30))
    exact, few = measured(gallery, queries, ["exact", "faiss(kind=ivf, lists=30, probes=2)"])
    assert exact.recall == 1
    assert (exact.memory, exact.measured) == (gallery.nbytes, "index")
    assert 0 < exact.p50 <= exact.p99
    import faiss

    index = faiss.index_factory(16, "IVF30,Flat", faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.train(gallery)
    index.add(gallery)
    index.nprobe = 2
    truth = np.argsort(-(queries @ gallery.T), axis=1)[:, :10]
    found = index.search(queries, 10)[1]
    assert few.recall == pytest.approx(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(truth, found, strict=True)]))


def test_equal_items_are_found_whichever_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    other = np.arange(19, 9, -1)[None]
    assert module._recall((np.ones((1, 10)), other), gallery, gallery[:1], np.ones(1)) == 1
    assert module._recall((np.ones((1, 10)), other + 10), gallery, gallery[:1], np.ones(1)) == 0


def test_a_card_of_a_collection(space: Any, shapes: Path) -> None:
    card = recall_card(
        space, shapes, ["circle", "cross", "circle", " "], modality="image", backends=["exact", "exact(block=2)"]
    )
    assert (card.modality, card.items, card.queries, card.k) == ("image", 48, 2, 10)
    assert [row.recall for row in card.rows] == [1, 1]
    with pytest.raises(InputError, match="the collection holds image, audio; an index holds one"):
        recall_card(space, shapes, ["circle"], backends=["exact"])
    with pytest.raises(InputError, match="there is no query"):
        recall_card(space, shapes, [" "], backends=["exact"])
    with pytest.raises(UnknownNameError):
        recall_card(space, shapes, ["circle"], backends=["exakt"])


def test_what_is_not_installed_is_said_before_any_work(space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(MissingError, match=r"textanchor\[index\]"):
        recall_card(space, "no such folder", ["circle"])


def test_the_command(saved: Path, shapes: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("a circle\n\na cross\n")
    asked = ("index-card", saved, "--in", shapes / "image", "--queries", queries, "--index", "exact")
    told = run(*asked, "--recall", ".98")
    assert told.exit_code == 0, told.stderr
    assert "48 items of modality image, 2 queries; recall of the 10 nearest" in told.stdout
    assert "cheapest with a recall of at least 0.98: exact" in told.stdout
    found = json.loads(run(*asked, "--recall", "1", "--json").stdout)
    assert (found["cheapest"], found["rows"][0]["recall"], found["rows"][0]["measured"]) == ("exact", 1.0, "index")
    assert run(*asked[:-1], "faiss(kind=ivf, lists=40, probes=1)", "--recall", "1").exit_code == 2
    from_table = run(*asked[:4], "--queries", shapes / "pairs.csv", "--index", "exact")
    assert "4 queries" in from_table.stdout
    queries.write_bytes(b"\xff\xfe")
    wrong = run(*asked)
    assert wrong.exit_code == 2
    assert "expected a text file in UTF-8" in wrong.stderr
