"""Names alone, and the first labels: `python benchmarks/first_labels.py [--sets caltech mnist esc esc-ten fsdd] [--seeds 10]`.

A project is started with a space, as a person would; what names say of its items is the proposer `names`. Then 1, 2, 5 and 10
labels a class are drawn at random, of a class never more than half of its items, and everything without a label is judged:
mean and standard deviation over draws. Spaces: `textanchor.start()` of the shared MobileNet, which knows ImageNet's names; the
default fit to Flickr8k's captions; the default fit to ESC-50, of esc-ten to forty of its classes while the other ten are named,
in another partition of the classes each draw. *Texts* stands for names without a space: which of them resemble each other.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from label_sets import IMAGES, SHARED, SOUNDS, LabelSet, label_set
from losses import flickr8k, written
from PIL import Image

import textanchor
from textanchor import registry
from textanchor.labelling.choosing import choose
from textanchor.labelling.pool import Labelled, Pool
from textanchor.records import Item
from textanchor.space import Space

SHOTS = (0, 1, 2, 5, 10)
TEXTS, NOTHING = "texts", "not known"
OWN = f"{IMAGES}@size=96,pool=mean"  # by which MNIST is seen; its names come by the space's own
ALONE = ("names", "name-shots", "em")
BARE, NAMED = ("logistic", "kernel-ridge"), ("name-shots", "em")
SETS = ("caltech", "mnist", "esc", "esc-ten", "fsdd")


def main() -> None:
    """A table a set."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    told.add_argument("--seeds", type=int, default=10)
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for name in asked.sets:
            found = Found()
            for seed in range(asked.seeds):
                judge(list(worlds(name, Path(work), seed)), seed, found)
            found.print(name)


@dataclass(frozen=True, kw_only=True)
class World:
    """Items of which all labels are known, as a project has them, by what is known of the classes' names."""

    truth: np.ndarray
    pools: dict[str, Pool]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Accuracies by row and number of labels, one a seed; labels a class that there were; what was chosen."""

    right: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    each: dict[int, list[float]] = field(default_factory=dict)
    took: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)

    def print(self, name: str) -> None:
        """Markdown. No column where classes have too few items for half of the labels."""
        counts = {shots: float(np.mean(self.each[shots])) for shots in SHOTS}
        shown = [shots for shots in SHOTS if not shots or counts[shots] > shots / 2]
        heads = [str(shots) if counts[shots] == shots else f"{shots} ({counts[shots]:.1f})" for shots in shown]
        print(f"\n### {name}\n\n| proposer, names | {' | '.join(heads)} |\n|---|{'---|' * len(shown)}")
        for row in dict.fromkeys(row for row, _ in self.right):
            print(f"| {row} | {' | '.join(spread(self.right.get((row, shots), [])) for shots in shown)} |")
        for row in dict.fromkeys(row for row, _ in self.took):
            print(f"| {row}: which | | {' | '.join(most(self.took[row, shots]) for shots in shown[1:])} |", flush=True)


def judge(given: Sequence[World], seed: int, found: Found) -> None:
    """All rows of one draw; of several worlds the items are put together."""
    for shots in SHOTS:
        drawn = [draw(one.truth, shots, seed) for one in given]
        each = sum(map(len, drawn)) / sum(len(set(one.truth)) for one in given)
        found.each.setdefault(shots, []).append(each)
        if shots and each <= shots / 2:
            continue
        hits: dict[str, list[np.ndarray]] = {"chance": [np.full(len(one.truth), 1 / len(set(one.truth))) for one in given]}
        for world, known in zip(given, drawn, strict=True):
            for row, right, took in rows(world, known, seed):
                hits.setdefault(row, []).append(np.delete(right, known.rows))
                if took:
                    found.took.setdefault((row, shots), Counter())[took] += 1
        for row, right in hits.items():
            found.right.setdefault((row, shots), []).append(float(np.concatenate(right).mean()))


def rows(world: World, known: Labelled, seed: int) -> Iterator[tuple[str, np.ndarray, str]]:
    """Which items each proposer names right, and which one was chosen."""
    for state, pool in world.pools.items():
        asked = ALONE if pool.by_names is not None else () if not len(known) else NAMED
        if len(known):
            asked = (*asked, *BARE)
        said = {name: registry.part("proposer", name).propose(pool, known, seed=seed) for name in asked}
        right = {name: one.argmax(axis=1) == world.truth for name, one in said.items()}
        if len(known) and state in (next(iter(world.pools)), NOTHING):
            took = choose(pool, known, seed=seed).name
            yield f"**chosen**, {state}", right[took], took
        for name, one in right.items():
            if name not in BARE:
                yield f"`{name}`, {state}", one, ""
            elif state == NOTHING:
                yield f"`{name}`, which looks at no names", one, ""


def draw(truth: np.ndarray, shots: int, seed: int) -> Labelled:
    """So many of each class, at most half."""
    rng = np.random.default_rng(seed)
    own = [rng.permutation(np.flatnonzero(truth == one)) for one in np.unique(truth)]
    drawn = np.concatenate([one[: min(shots, len(one) // 2)] for one in own])
    return Labelled(rows=drawn, classes=truth[drawn], drawn=np.ones(len(drawn), dtype=bool))


def worlds(name: str, work: Path, seed: int) -> Iterator[World]:
    """What a draw is made of: a set, or five times ten classes."""
    if name != "esc-ten":
        yield whole(name, work)
        return
    given = label_set("esc")
    for ten in np.random.default_rng(seed).permutation(len(given.pool.classes)).reshape(5, 10):
        inside = np.isin(given.truth, ten)
        own = {source_of(given, row) for row in np.flatnonzero(inside)}
        others = [row for row in np.flatnonzero(~inside) if source_of(given, row) not in own]
        items = tuple(given.items[row] for row in np.flatnonzero(inside))
        names = tuple(given.pool.classes[one] for one in ten)
        truth = np.array([list(ten).index(one) for one in given.truth[inside]])
        yield known_by(items, names, truth, {"40 other classes": sounds(given, others, work)}, work)


@cache
def whole(name: str, work: Path) -> World:
    """A set by the spaces that may know it."""
    given = label_set(name)
    spaces: dict[str, Space] = {}
    if name in ("caltech", "mnist"):
        spaces["ImageNet's names"] = textanchor.start(encoders={"image": IMAGES})
        spaces["Flickr8k"] = textanchor.fit(flickr8k(SHARED / "data", work), encoders={"image": IMAGES})
    if name == "fsdd":
        spaces["ESC-50"] = sounds(label_set("esc"), range(len(label_set("esc").pool)), work)
    return known_by(given.items, given.pool.classes, given.truth, spaces, work)


def known_by(
    items: Sequence[Item], names: tuple[str, ...], truth: np.ndarray, spaces: Mapping[str, Space], work: Path
) -> World:
    """Projects with each space and without one, that see the items alike."""
    kind = items[0].modality
    seen = {kind: SOUNDS if kind == "audio" else OWN if isinstance(items[0].value, Image.Image) else IMAGES}
    pools: dict[str, Pool] = {}
    for state, space in (spaces or {TEXTS: None}).items():
        with tempfile.TemporaryDirectory(dir=work) as place:
            begun = textanchor.Project.start(Path(place) / "p.label", list(items), classes=names, space=space, encoders=seen)
            with begun as project:
                pool = project.pool()
                assert list(project.overview().ids) == [item.id for item in items]
        first = next(iter(pools.values()), pool)
        pools[state] = replace(first, by_names=pool.by_names)
    return World(
        truth=truth, pools={**pools, TEXTS: replace(first, by_names=None), NOTHING: replace(first, by_names=None, texts=None)}
    )


def sounds(given: LabelSet, rows: Sequence[int], work: Path) -> Space:
    """The default fit to some of ESC-50."""
    table = [(given.items[row].path, given.pool.classes[given.truth[row]], source_of(given, row), "train") for row in rows]
    return textanchor.fit(written(work / "sounds.csv", table), encoders={"audio": SOUNDS})


def source_of(given: LabelSet, row: int) -> str:
    """The recording that a clip is cut from."""
    return given.items[row].id.split("-")[1]


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation, if there is any."""
    if not values:
        return ""
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if np.ptp(values) > 1e-9 else "")


def most(names: Counter[str]) -> str:
    """Names by how often they were taken."""
    return ", ".join(f"{name} {count}" for name, count in names.most_common())


if __name__ == "__main__":
    main()
