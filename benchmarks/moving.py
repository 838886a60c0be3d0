"""What a map keeps when a collection moves to another encoder or space: `python benchmarks/moving.py DATA MODELS`.

DATA holds flickr8k/ and splits/; MODELS mobilenet_v1_0.75_224. Spaces are fitted on 1000 training photos; up to 4000 others are
the items encoded in both, and the 1000 photos of dev are the gallery, which no map has seen. Queries are the first captions
of dev. Recall kept: the share of the ten best hits among re-encoded photos that mapped ones give. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from losses import ALL, flickr8k, read

from textanchor.collections.moving.judging import judged_map
from textanchor.collections.moving.mapping import fit_map
from textanchor.collections.moving.recall import Kept, recall_kept
from textanchor.judging import trial
from textanchor.records import PairedLatents, Task
from textanchor.space import TEXT, Comparison

FITTED, COUNTS, SEEDS = 1000, (200, 1000, 4000), 3
KINDS = ("as-is", "orthogonal", "ridge", "auto")
HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Place:
    """One space: how text asks photos, raw vectors of the items that move and of the gallery, and the queries."""

    comparison: Comparison
    items: np.ndarray
    gallery: np.ndarray
    queries: np.ndarray

    def scores(self, raw: np.ndarray) -> np.ndarray:
        """Of all queries with a gallery of raw vectors."""
        return np.asarray(self.comparison.query(self.queries) @ self.comparison.gallery(raw).T)

    def recall(self, raw: np.ndarray) -> float:
        """Recall@10 of each caption's own photo."""
        best = np.argsort(-self.scores(raw), axis=1, kind="stable")[:, :10]
        return float((best == np.arange(len(best))[:, None]).any(axis=1).mean())


def main() -> None:
    """All tables."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    asked = told.parse_args()
    encoders = {"EfficientNet-Lite0": {}, "MobileNet v1": {"image": f"hub:{asked.models.resolve() / 'mobilenet_v1_0.75_224'}"}}
    places: dict[str, Place] = {}
    with tempfile.TemporaryDirectory() as work:
        table = flickr8k(asked.data.resolve(), Path(work))
        for name, own in encoders.items():
            ready = read(table, encoders=own)
            sides = ready.sides("image", ALL)
            assert sides is not None
            for spec in ("auto", "ridge"):
                places[f"{name}, {spec}"] = placed(spec, sides.train, sides.val, sides.pairs["test"])
    moves = [("EfficientNet-Lite0, ridge", "EfficientNet-Lite0, auto"), ("MobileNet v1, auto", "EfficientNet-Lite0, auto")]
    moves += [("MobileNet v1, ridge", "EfficientNet-Lite0, ridge")]
    ahead(places, moves)
    midway(places, moves)
    kept(places, moves)


def placed(spec: str, train: PairedLatents, val: PairedLatents, dev: PairedLatents) -> Place:
    """A space fitted on a few photos."""
    rows = np.random.default_rng(0).permutation(np.argsort(train.items.ids))
    task = Task(train=train.take(rows[:FITTED]), val=val, device="cpu", seed=0, refit=False)
    geometry = trial(spec, {"image": task}).geometry
    raw, gallery = (geometry.project("image", own.pooled) for own in (train.take(rows[FITTED : FITTED + max(COUNTS)]), dev))
    return Place(comparison=geometry.between(TEXT, "image"), items=raw, gallery=gallery, queries=dev.anchors[dev.first_text])


def kept(places: dict[str, Place], moves: list[tuple[str, str]]) -> None:
    """Recall kept by kind and number of items, means over draws of the items."""
    print(f"| from → to | items | {' | '.join(KINDS)} | chosen | R@10, from | mapped | to |\n|" + "---|" * 10)
    for left, right in moves:
        old, new = places[left], places[right]
        for count in COUNTS:
            cells, chosen, maps = [], [], list(drawn(old, new, count, "auto"))
            for kind in KINDS:
                own = maps if kind == "auto" else list(drawn(old, new, count, kind))
                found = [measured(new, made(old.gallery)) for made in own]
                low, high = np.mean([one.interval for one in found], axis=0)
                cells.append(f"{np.mean([one.recall for one in found]):.3f} [{low:.3f}, {high:.3f}]")
            chosen = sorted({f"{one.form.kind}{f' {one.form.penalty:g}' if one.form.penalty else ''}" for one in maps})
            reached = np.mean([new.recall(made(old.gallery)) for made in maps])
            ends = f"{old.recall(old.gallery):.3f} | {reached:.3f} | {new.recall(new.gallery):.3f}"
            print(f"| {left} → {right} | {count} | {' | '.join(cells)} | {', '.join(chosen)} | {ends} |", flush=True)


def drawn(old: Place, new: Place, count: int, kind: str) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Maps fitted on random items; all items are drawn once."""
    for seed in range(SEEDS if count < len(old.items) else 1):
        rows = np.random.default_rng([count, seed]).permutation(len(old.items))[:count]
        yield fit_map(old.items[rows], new.items[rows], kind=kind, compared=new.comparison.gallery_unit)


def measured(new: Place, mapped: np.ndarray) -> Kept:
    """Against the re-encoded gallery."""
    galleries = (new.comparison.gallery(raw) for raw in (mapped, new.gallery))
    return recall_kept(*galleries, new.comparison.query(new.queries))


def ahead(places: dict[str, Place], moves: list[tuple[str, str]]) -> None:
    """What is judged on the items encoded in both, what that foresees among all others, and what is kept there."""
    print("| from → to | items | judged among them | foreseen among the others | kept there |\n|" + "---|" * 5)
    for left, right in moves:
        old, new = places[left], places[right]
        for count in COUNTS[:2]:
            made = judged_map(old.items[:count], new.items[:count], new.queries, new.comparison)
            others = [np.concatenate([own.gallery, own.items[count:]]) for own in (old, new)]
            galleries = [new.comparison.gallery(raw) for raw in (made.map(others[0]), others[1])]
            true = recall_kept(*galleries, new.comparison.query(new.queries))
            told = f"{made.kept.recall:.3f} | {made.kept.foreseen(true.items):.3f} of {true.items} | {true.recall:.3f}"
            print(f"| {left} → {right} | {count} | {told} |", flush=True)
    print()


def midway(places: dict[str, Place], moves: list[tuple[str, str]]) -> None:
    """Half of the gallery re-encoded, half mapped: what is kept, and the share of the ten best that the re-encoded half has."""
    print("\n| half re-encoded, 1000 items | recall kept | share of hits re-encoded | with vectors as they are: kept | share |")
    print("|" + "---|" * 5)
    for left, right in moves:
        old, new, cells = places[left], places[right], []
        for kind in ("auto", "as-is"):
            mixed, done = (
                next(drawn(old, new, 1000, kind))(old.gallery),
                np.random.default_rng(0).random(len(new.gallery)) < HALF,
            )
            mixed[done] = new.gallery[done]
            best = np.argsort(-new.scores(mixed), axis=1, kind="stable")[:, :10]
            cells.append(f"{measured(new, mixed).recall:.3f} | {done[best].mean():.3f} (of all {done.mean():.3f})")
        print(f"| {left} → {right} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
