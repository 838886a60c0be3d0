"""Representations from scratch: `python benchmarks/pretext.py DATA [--sets mnist fsdd] [--seeds 3] [--rows pca simclr ...]`.

DATA holds mnist/ and fsdd/. Each task trains a network on the training side; a linear probe with 1, 10 and 100 % of its labels
is judged on the test side: MNIST's own, and of FSDD a speaker whom nothing has heard. Supervised tasks know all labels of the
training side whatever the probe is given. *From scratch* knows only the probe's own. Prints Markdown: mean and standard
deviation over seeds, and the seconds of one training.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import textanchor
from textanchor.pretraining import Plan, Recipe, pretrain
from textanchor.pretraining.probing import drawn
from textanchor.records import Pairs
from textanchor.runtime import Reading, Splitting

SHARES = (0.01, 0.1, 1.0)
SCRATCH = "from scratch on the same labels"
VIT = "vit(width=64, depth=3, patch=7)"
TASKS: Mapping[str, tuple[str, str]] = {
    "pca": ("pca(dim=64)", ""),
    "supervised": ("supervised", ""),
    "triplet, random": ("triplet(mining=random)", ""),
    "triplet, semi-hard": ("triplet(mining=semi-hard)", ""),
    "triplet, hard": ("triplet(mining=hard)", ""),
    "simclr": ("simclr", ""),
    "vicreg": ("vicreg", ""),
    "sigreg": ("sigreg", ""),
    "masked, mean colour": ("masked(target=colour)", VIT),
    "masked, small patch": ("masked(target=low)", VIT),
    "masked, full patch": ("masked(target=patch)", VIT),
}
UNHEARD, IMAGES = "theo", 3000


@dataclass(frozen=True, kw_only=True)
class Set:
    """Pairs with their sides, and what is trained on them."""

    pairs: Pairs
    recipe: Recipe


def main() -> None:
    """Print a table a set."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("data", type=Path)
    told.add_argument("--sets", nargs="+", choices=("mnist", "fsdd"), default=("mnist", "fsdd"))
    told.add_argument("--rows", nargs="+", choices=(*TASKS, SCRATCH), default=(*TASKS, SCRATCH))
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = textanchor.write_sample(
            "mnist-fsdd", Path(work) / "digits", root=asked.data, speaker=UNHEARD, train=IMAGES, test=2000
        )
        pairs = textanchor.read_pairs(folder)
        for name in asked.sets:
            print(f"\n### {name}\n\n| task | 1 % | 10 % | 100 % | seconds |\n|---|---|---|---|---|", flush=True)
            given = sets(pairs)[name]
            for row in asked.rows:
                print(f"| {row} | {line(given, row, asked.seeds)} |", flush=True)


def sets(pairs: Pairs) -> dict[str, Set]:
    """Images and sounds."""
    images = Recipe(
        backbone="resnet(width=16)",
        augmentation="pictures(flip=0, crop=0.5, turn=15)",
        plan=Plan(epochs=20, batch=128),
    )
    sounds = replace(images, augmentation="spectra(waves=4)", front="log-mel(bands=64, frames=48, seconds=0.8)")
    return {"mnist": Set(pairs=pairs.only("image"), recipe=images), "fsdd": Set(pairs=pairs.only("audio"), recipe=sounds)}


def line(given: Set, row: str, seeds: int) -> str:
    """Cells of a row."""
    began = time.perf_counter()
    found = [scratch(given, seed) if row == SCRATCH else accuracies(given, row, seed) for seed in range(seeds)]
    cells = [f"{np.mean(one):.3f} ± {np.std(one, ddof=1) if seeds > 1 else 0:.3f}" for one in zip(*found, strict=True)]
    return f"{' | '.join(cells)} | {(time.perf_counter() - began) / seeds:.0f}"


def accuracies(given: Set, row: str, seed: int) -> list[float]:
    """Of the probe, a share each."""
    task, backbone = TASKS[row]
    recipe = replace(given.recipe, task=task, backbone=backbone or given.recipe.backbone, seed=seed)
    return judged(given.pairs, recipe)


def judged(pairs: Pairs, recipe: Recipe) -> list[float]:
    """What the verdict says of the encoder itself."""
    found = pretrain(pairs, recipe, against=(), splitting=Splitting(seed=recipe.seed), reading=Reading())
    return [row.accuracy for row in found.verdict]


def scratch(given: Set, seed: int) -> list[float]:
    """A classifier taught with the probe's own labels alone, then probed with all of these."""
    train = [pair for pair in given.pairs.rows if pair.split == "train"]
    classes = np.unique([pair.text for pair in train], return_inverse=True)[1]
    found = []
    for share in SHARES:
        kept = {train[row].item.id for row in drawn(classes, share, seed=seed)}
        rows = tuple(pair for pair in given.pairs.rows if pair.split != "train" or pair.item.id in kept)
        steps = Plan(epochs=round(20 * min(10.0, 1 / share)), batch=min(128, max(8, len(kept) // 2)))
        recipe = replace(given.recipe, task="supervised", seed=seed, plan=steps)
        found.append(judged(replace(given.pairs, rows=rows), recipe)[-1])
    return found


if __name__ == "__main__":
    main()
