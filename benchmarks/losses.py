"""The loss tables of docs/findings.md: `python benchmarks/losses.py DATA MODELS [--sets esc50 digits ...] [--seeds 5]`.

DATA holds mnist/, fsdd/, esc50_part/, flickr8k/ and splits/; MODELS the folders mobilenet_v1_0.75_224 and audioset_mn04.
Every row is fitted on train and validation, the number of epochs or the penalty chosen on validation, and judged on test
once; ESC-50 runs over its five folds instead of seeds. Prints Markdown: positive cosine and floor, accuracy or R@1,
emergent R@1, with the standard deviation over seeds or folds.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

import textanchor
from textanchor.judging import Figures, judge, trial
from textanchor.runtime import Runtime, Splitting
from textanchor.space.fitting import tasks
from textanchor.space.preparing import Encoding, Prepared, Sides, prepare

World = tuple[Prepared, dict[str, Sides]]
Judged = tuple[Figures, float]  # and the seconds of the fit
ALL = ("train", "val", "test")
LOSSES = {
    "seed recipe": "seed",
    "MSE": "mse",
    "cosine": "cosine",
    "InfoNCE, published": "info-nce(repeats-are-negatives=true)",
    "InfoNCE, several positives": "info-nce",
    "the same, mixup": "info-nce",
    "SupCon": "supcon",
    "bank softmax": "bank",
    "SigLIP, published": "siglip(repeats-are-negatives=true)",
    "SigLIP": "siglip",
    "triplet, random": "triplet(mining=random)",
    "triplet, semi-hard": "triplet(mining=semi-hard)",
    "triplet, hard (VSE++), published": "triplet(mining=hard, repeats-are-negatives=true)",
    "triplet, hard (VSE++)": "triplet(mining=hard)",
    "MSE + relations": "sum(a=mse, b=relational)",
    "cosine + uniformity": "sum(a=cosine, b=uniformity, weights=[1, 0.1])",
    "MSE + decorrelation": "sum(a=mse, b=decorrelation)",
    "ridge": "ridge",
    "our default (auto)": "auto",
}
EPOCHS = {"flickr8k": 20}
COLUMNS = (" positive cosine", " floor", " R@1")


def main() -> None:
    """Print one table a data set."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--sets", nargs="+", default=["esc50", "digits", "mnist-fsdd", "flickr8k"])
    told.add_argument("--seeds", type=int, default=5)
    asked = told.parse_args()
    image, audio = f"hub:{asked.models / 'mobilenet_v1_0.75_224'}", f"onnx:{asked.models / 'audioset_mn04'}"
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        sets: dict[str, Callable[[], list[Prepared]]] = {
            "esc50": lambda: [read(one, encoders={"audio": audio}) for one in esc50(asked.data, place)],
            "digits": lambda: [read(textanchor.write_sample("digits", place / "digits"), encoders={"image": "signal"})],
            "mnist-fsdd": lambda: [
                read(
                    textanchor.write_sample("mnist-fsdd", place / "mf", root=asked.data),
                    encoders={"image": f"{image}@size=96,pool=mean", "audio": audio},
                )
            ],
            "flickr8k": lambda: [read(flickr8k(asked.data, place), encoders={"image": image})],
        }
        for name in asked.sets:
            table(name, sets[name](), asked.seeds)


def spec(name: str, epochs: int) -> str:
    """The aligner of a row: closed forms by name, losses by an MLP under the centring view."""
    told = LOSSES[name]
    if told in ("seed", "ridge", "auto"):
        return told
    more = ", mixup=1" if "mixup" in name else ""
    return f"gradient(loss={told}, projector=mlp(dropout=0.3), epochs={epochs}{more})"


def table(name: str, ready: list[Prepared], seeds: int) -> None:
    """One row a loss."""
    worlds = [opened(one) for one in ready]
    columns: list[str] = []
    for loss in LOSSES:
        found: list[Judged] = []
        for world in worlds:
            repeats = seeds if len(worlds) == 1 and loss not in ("ridge", "our default (auto)") else 1
            for seed in range(repeats):
                found.append(judged(world, spec(loss, EPOCHS.get(name, 60)), seed))
        if not columns:
            columns = [key for key in found[0][0].plain() if key.endswith(COLUMNS)]
            print(f"\n### {name}\n\n| loss | {' | '.join(columns)} | seconds |\n|{'---|' * (len(columns) + 2)}", flush=True)
        plain = [figures.plain() for figures, _ in found]
        cells = [spread([figures[key] for figures in plain if key in figures]) for key in columns]
        print(f"| {loss} | {' | '.join(cells)} | {np.mean([seconds for _, seconds in found]):.1f} |", flush=True)


def read(table: Path, *, encoders: Mapping[str, str] | None = None, anchor: str | None = None) -> Prepared:
    """A table as `fit` reads and splits it."""
    return prepare(table, Encoding(encoders=encoders or {}, anchor=anchor), Splitting(), Runtime())


def opened(ready: Prepared, *, tokens: bool = False) -> World:
    """What is known of a data set, and the latents of all its sides by modality."""
    sides = {modality: ready.sides(modality, ALL, tokens=tokens) for modality in ready.encoders}
    return ready, {modality: own for modality, own in sides.items() if own is not None}


def judged(world: World, spec: str, seed: int) -> Judged:
    """A fit on train and validation, judged on test."""
    ready, sides = world
    outcome = trial(spec, tasks(sides, device=ready.device, seed=seed))
    figures = judge(outcome.geometry, {modality: own.pairs["test"] for modality, own in sides.items()})
    return figures, outcome.seconds


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def esc50(data: Path, work: Path) -> Iterator[Path]:
    """A table for each fold: it is test, validation is carved from the others by group."""
    with (data / "esc50_part" / "meta.csv").open() as stream:
        text = {row["filename"]: row["category"].replace("_", " ") for row in csv.DictReader(stream)}
    with (data / "splits" / "esc50_part.csv").open() as stream:
        folds = list(csv.DictReader(stream))
    for fold in sorted({row["fold"] for row in folds}):
        rows = [
            (
                data / "esc50_part" / "audio" / row["filename"],
                text[row["filename"]],
                row["group"],
                "test" if row["fold"] == fold else "train",
            )
            for row in folds
        ]
        yield written(work / f"esc50-{fold}.csv", rows)


def flickr8k(data: Path, work: Path) -> Path:
    """Train and validation as they are; dev is test."""
    with (data / "splits" / "flickr8k.csv").open() as stream:
        split = {row["file_name"]: row["split"].replace("dev", "test") for row in csv.DictReader(stream)}
    with (data / "flickr8k" / "captions.csv").open() as stream:
        rows = [
            (data / "flickr8k" / "images" / row["file_name"], row["text"], row["file_name"], split[row["file_name"]])
            for row in csv.DictReader(stream)
        ]
    return written(work / "flickr8k.csv", rows)


def written(place: Path, rows: list[tuple[Path, str, str, str]]) -> Path:
    """A table of pairs."""
    with place.open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text", "group", "split"), *((p.resolve(), *rest) for p, *rest in rows)])
    return place


if __name__ == "__main__":
    main()
