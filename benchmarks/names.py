"""What names are worth before and beside pairs: `python benchmarks/names.py DATA MODELS [--parts captions ...] [--seeds 3]`.

DATA holds flickr8k/, caltech101_part/, esc50_part/ and splits/; MODELS audioset_mn04. Each share of the training pairs is
fitted by the default twice, with what the encoder's classifier knows and without. Captions: chosen on the validation photos,
which are not fitted, judged on dev. Objects: of each class's ten photos five are judged; of the labelled rest a fifth chooses,
and all are fitted in the end. Sounds have no packaged classifier, so one is made: logistic regression knows 25 classes of
ESC-50, and pairs are of the other 25. Prints Markdown; differences are paired over photos or sources, of means over seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from losses import ALL, esc50, flickr8k, read
from sklearn.linear_model import LogisticRegression

import textanchor
from textanchor.judging import Ranking, judge, naming_hits, paired, trial
from textanchor.records import Head, Named, PairedLatents, Task
from textanchor.space import Geometry
from textanchor.space.names import named
from textanchor.space.preparing import Sides, base_of
from textanchor.space.starting import started
from textanchor.space.thinning import thinned

SHARES = (0.01, 0.02, 0.05, 0.1, 1.0)
SHOTS = (1, 2, 5)
ROWS = "| {} | {} | {} | {} |"


def main() -> None:
    """Print the parts asked for."""
    parts: dict[str, Callable[[Path, Path, Path, int], None]] = {"captions": captions, "objects": objects, "sounds": sounds}
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for part in asked.parts:
            print(f"\n### {part}\n", flush=True)
            parts[part](asked.data.resolve(), asked.models.resolve(), Path(work), asked.seeds)


def captions(data: Path, _models: Path, work: Path, seeds: int) -> None:
    """Flickr8k dev, both directions."""
    sides = read(flickr8k(data, work)).sides("image", ALL)
    assert sides is not None
    assert sides.named is not None
    test = sides.pairs["test"]
    print("| photos | direction | R@1 / R@10, alone | with names | gain of R@1 | gain of R@10 | R@10, times |\n|" + "---|" * 7)
    for one in rankings(started("image", sides.named), test):
        print(f"| 0 | {one.name} |  | {one.recall(1):.3f} / {one.recall(10):.3f} |  |  |  |", flush=True)
    for share in SHARES:
        both: list[list[tuple[Ranking, ...]]] = [[], []]
        for seed in range(seeds):
            few = thinned(sides, share, seed)
            for place, own in enumerate((replace(few, named=None), few)):
                both[place].append(rankings(fitted(own, seed), test))
        for way in range(2):
            alone, with_names = ([rows[way] for rows in found] for found in both)
            gains = [gain(alone, with_names, k) for k in (1, 10)]
            less, more = recall(alone, 10), recall(with_names, 10)
            count = round(share * len(sides.train.items))
            shown = [f"{recall(found, 1):.3f} / {recall(found, 10):.3f}" for found in (alone, with_names)]
            print(f"| {count} | {alone[0].name} | {' | '.join(shown)} | {' | '.join(gains)} | {more / less:.2f} |", flush=True)


def objects(data: Path, _models: Path, work: Path, seeds: int) -> None:
    """Caltech-101: accuracy over 101 names with so many labelled photos a class."""
    root = data / "caltech101_part" / "images"
    photos = {place.name: sorted(place.glob("*")) for place in sorted(root.iterdir()) if place.is_dir()}
    print("| photos a class | alone | with names | gain |\n|" + "---|" * 4)
    for shots in (0, *SHOTS):
        both: list[list[np.ndarray]] = [[], []]
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            drawn = {name: [own[place] for place in rng.permutation(len(own))] for name, own in photos.items()}
            sides = of(drawn, shots, work / f"objects-{shots}-{seed}.csv")
            known = sides.named
            assert known is not None
            for place, given in enumerate((None, known)):
                if shots or given:
                    geometry = fitted(replace(sides, named=given), seed, refit=True) if shots else started("image", known)
                    both[place].append(naming_hits(geometry, sides.pairs["test"]))
        line(str(shots), both, [str(number) for number in range(len(both[1][0]))])


def of(drawn: dict[str, list[Path]], shots: int, table: Path) -> Sides:
    """The first five photos of each class on test, the next ones fitted; every fifth of those chooses."""
    rows = [("path", "text", "split")]
    for number, (name, own) in enumerate(drawn.items()):
        words = name.replace("_", " ")
        rows += [(str(photo), words, "test") for photo in own[:5]]
        for place, photo in enumerate(own[5 : 5 + max(shots, 1)]):
            rows.append((str(photo), words, "val" if (number * max(shots, 1) + place) % 5 == 4 else "train"))
    lines = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    table.write_text(lines + "\n")
    sides = read(table).sides("image", ALL)
    assert sides is not None
    return sides


def sounds(data: Path, models: Path, work: Path, seeds: int) -> None:
    """ESC-50 part: accuracy over 25 names that the classifier does not know, with so many labelled clips a class."""
    sides = read(next(iter(esc50(data, work))), encoders={"audio": f"onnx:{models / 'audioset_mn04'}"}).sides("audio", ALL)
    assert sides is not None
    every = sides.train.joined(sides.val).joined(sides.pairs["test"])
    print("| clips a class | alone | with names | gain |\n|" + "---|" * 4)
    draws = [list(half(every, seed)) for seed in range(seeds)]
    for shots in (0, 1, 2, 4):
        both: list[list[np.ndarray]] = [[], []]
        groups: list[str] = []
        for seed, (known, pool, test) in enumerate(draws):
            groups += [f"{seed} {group}" for group in test.groups]
            for place, given in enumerate((None, known)):
                if shots or given:
                    geometry = started("audio", known) if not shots else few_sounds(pool, shots, seed, given)
                    both[place].append(naming_hits(geometry, test))
        both = [[np.concatenate(found)] if found else [] for found in both]
        line(str(shots), both, groups)


def half(every: PairedLatents, seed: int) -> Iterator[Named | PairedLatents]:
    """A classifier of 25 classes, and pairs of the other 25: what may be labelled, and what is judged, no source in both."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(every.texts))
    seen, other = order[:25], order[25:]
    rows = np.flatnonzero(np.isin(every.first_text, seen))
    model = LogisticRegression(max_iter=2000, C=0.1).fit(every.pooled[rows], every.first_text[rows])
    names = tuple((every.texts[text],) for text in model.classes_)
    head = Head(names=names, weight=model.coef_.astype(np.float32), bias=model.intercept_.astype(np.float32))
    yield named(base_of(None, textanchor.Runtime()), head, "audio")
    rest = every.take(np.flatnonzero(np.isin(every.first_text, other)))
    sources = np.array(rest.groups)
    judged = np.isin(sources, rng.permutation(np.unique(sources))[::2])
    yield rest.take(np.flatnonzero(~judged))
    yield rest.take(np.flatnonzero(judged))


def few_sounds(pool: PairedLatents, shots: int, seed: int, known: Named | None) -> Geometry:
    """So many clips a class; a fifth of them chooses."""
    order = np.random.default_rng(seed).permutation(len(pool.items))
    kept = np.concatenate([order[pool.first_text[order] == text][:shots] for text in range(len(pool.texts))])
    val = pool.take(kept[4::5])
    train = pool.take(np.setdiff1d(kept, kept[4::5]))
    return trial("auto", {"audio": Task(train=train, val=val, named=known, seed=seed)}).geometry


def fitted(sides: Sides, seed: int, *, refit: bool = False) -> Geometry:
    """The default's fit."""
    return trial("auto", {"image": sides.task(device="cpu", seed=seed, refit=refit)}).geometry


def rankings(geometry: Geometry, test: PairedLatents) -> tuple[Ranking, ...]:
    """Photos that ask for captions, and the other way."""
    return judge(geometry, {"image": test}).alignment


def recall(found: list[Ranking], k: int) -> float:
    """Mean over seeds."""
    return float(np.mean([one.retrieval.rank < k for one in found]))


def gain(alone: list[Ranking], with_names: list[Ranking], k: int) -> str:
    """The paired difference of recall at k."""
    hits = [np.mean([one.retrieval.rank < k for one in found], axis=0) for found in (with_names, alone)]
    return told(hits[0], hits[1], alone[0].groups)


def told(mine: np.ndarray, others: np.ndarray, groups: tuple[str, ...] | list[str]) -> str:
    """A paired difference with its interval."""
    held = paired(mine, others, groups)
    return f"{held.gain:+.3f}" + (f" [{held.interval[0]:+.3f}, {held.interval[1]:+.3f}]" if held.interval else "")


def line(label: str, both: list[list[np.ndarray]], groups: list[str]) -> None:
    """A row of accuracies, and the paired difference over items."""
    alone, with_names = both
    shown = f"{np.mean(alone):.3f}" if alone else ""
    held = told(np.mean(with_names, axis=0), np.mean(alone, axis=0), groups) if alone else ""
    print(ROWS.format(label, shown, f"{np.mean(with_names):.3f}", held), flush=True)


if __name__ == "__main__":
    main()
