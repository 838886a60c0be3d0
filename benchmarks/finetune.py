"""What fine-tuning brings, in tables: `python benchmarks/finetune.py ablation|mining|sounds|photos [DATA] [--models MODELS]`.

ablation  scikit-learn's digits: an own: ResNet pretrained without labels on 800 images is tuned on 100 labelled ones of the
          others, 100 choose the epoch, 797 judge; warm-up, frozen layers, layer-wise rates, gradual unfreezing, new layers,
          copied layers, and the same network from scratch.
mining    the same, tuned by `triplet` with random, semi-hard and hard negatives at equal steps, beside `bank`.
sounds    ESC-50 part by its folds: an own: ResNet on spectrograms, pretrained by us on the training folds without labels. The
          sound encoder that the library's other figures use is an ONNX graph and cannot be tuned.
photos    Caltech part: a hub: MobileNet tuned on few photos.

Each row: R@1 of the class name on the test side after an ordinary closed form on the encoder's latents, and accuracy of a
linear probe on all training labels; mean and standard deviation over seeds, or folds. A seed draws the labelled items too.
What is compared was not chosen on the test sides. Prints Markdown.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from textanchor.encoders.own import Description, write_folder
from textanchor.finetuning import Finetuned, Recipe, finetune
from textanchor.pretraining import Plan, pretrain
from textanchor.pretraining import Recipe as Pretext
from textanchor.runtime import Runtime
from textanchor.space.preparing import Encoding

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PLAN = Plan(epochs=20, batch=25, rate=1e-3, warmup=0.1)
PLAIN = Recipe(plan=PLAN)
BACKBONE, FRONT = "resnet(width=16)", "pixels(side=8,channels=1)"
ROWS: Mapping[str, Recipe] = {
    "all layers": PLAIN,
    "no warm-up": replace(PLAIN, plan=replace(PLAN, warmup=0.0)),
    "warm-up over a third": replace(PLAIN, plan=replace(PLAN, warmup=0.33)),
    "a third of the rate": replace(PLAIN, plan=replace(PLAN, rate=3e-4)),
    "first layer frozen": replace(PLAIN, freeze=1),
    "first three of four frozen": replace(PLAIN, freeze=3),
    "rates fall by .7 a layer": replace(PLAIN, layer_decay=0.7),
    "rates fall by .3 a layer": replace(PLAIN, layer_decay=0.3),
    "a layer more every 4 epochs": replace(PLAIN, unfreeze_every=4),
    "all frozen, two new layers": replace(PLAIN, freeze=4, new_layers=2),
    "two layers copied, the others new": replace(PLAIN, copy_first=2),
}
MINING: Mapping[str, Recipe] = {
    "bank": PLAIN,
    **{f"triplet, {kind}": replace(PLAIN, loss=f"triplet(mining={kind})") for kind in ("random", "semi-hard", "hard")},
}


@dataclass(frozen=True, kw_only=True)
class World:
    """A seed's or fold's pairs in a folder, and the encoder that is tuned."""

    pairs: Path
    encoder: str
    modality: str
    seed: int


def main() -> None:
    """Print one table."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("part", choices=["ablation", "mining", "sounds", "photos"])
    told.add_argument("data", type=Path, nargs="?", default=Path())
    told.add_argument("--models", type=Path)
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        if asked.part in ("ablation", "mining"):
            rows = ROWS if asked.part == "ablation" else MINING
            worlds = list(digits(work, asked.seeds))
            table(worlds, rows)
            if asked.part == "ablation":
                table([replace(one, encoder=f"own:{untrained(work)}") for one in worlds], {"from scratch": PLAIN}, head=False)
        elif asked.part == "sounds":
            gentle = replace(PLAIN, plan=replace(PLAN, rate=3e-4))
            table(list(sounds(asked.data, work, asked.seeds)), {"all layers": gentle})
        else:
            gentle = replace(PLAIN, plan=replace(PLAN, epochs=6, rate=1e-4), layer_decay=0.8)
            table(list(photos(asked.data, asked.models, work, asked.seeds)), {"rates fall by .8 a layer": gentle})


def table(worlds: Sequence[World], rows: Mapping[str, Recipe], *, head: bool = True) -> None:
    """Frozen first, then a row a recipe."""
    if head:
        print("| tuned | R@1 | linear probe | verdicts: better, worse |\n|---|---|---|---|")
    for place, (name, recipe) in enumerate(rows.items()):
        found = [tuned(world, recipe) for world in worlds]
        if place == 0:
            label = "frozen" if head else "from scratch, not trained"
            print(
                f"| {label} | {spread([r.verdict.found[1].recall for r in found])} | {spread(probes(found, 1))} | |", flush=True
            )
        words = [one.gain.verdict for r in found for one in r.verdict.found[1:] if one.gain is not None]
        recalls = [r.verdict.found[0].recall for r in found]
        judged = f"{words.count('better')}, {words.count('worse')} of {len(words)}"
        print(f"| {name} | {spread(recalls)} | {spread(probes(found, 0))} | {judged} |", flush=True)


def tuned(world: World, recipe: Recipe) -> Finetuned:
    """One training, judged."""
    encoding = Encoding(encoders={world.modality: world.encoder})
    return finetune(world.pairs, replace(recipe, seed=world.seed), encoding=encoding, runtime=Runtime(device="cpu"))


def probes(found: Sequence[Finetuned], which: int) -> list[float]:
    """Accuracy with all labels, of the tuned encoder (0) or the frozen one (1)."""
    return [[row for row in one.verdict.probes if row.share == 1.0][which].accuracy for one in found]


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.3f}"


def digits(work: Path, seeds: int) -> Iterator[World]:
    """One encoder, pretrained on 800 images that nobody labels; labelled ones are drawn from the others."""
    held = load_digits()
    images = (held.images * 15).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(images))
    bare, rest = work / "bare", order[800:]
    bare.mkdir()
    for row in order[:800]:
        Image.fromarray(images[row]).save(bare / f"{row}.png")
    base = made(bare, work / "base", "simclr", "pictures(flip=0,crop=0.5)", front=FRONT, epochs=15)
    for seed in range(seeds):
        own = np.random.default_rng(seed).permutation(rest)
        few = np.concatenate([own[held.target[own] == one][:20] for one in range(10)]).reshape(10, 20)
        sides = {"train": few[:, :10].ravel(), "val": few[:, 10:].ravel(), "test": np.setdiff1d(own, few)}
        folder, rows = work / f"digits-{seed}", []
        folder.mkdir()
        for side, numbers in sides.items():
            for number in numbers:
                Image.fromarray(images[number]).save(folder / f"{number}.png")
                rows.append((f"{number}.png", NAMES[held.target[number]], side))
        yield World(pairs=written(folder, rows), encoder=f"own:{base}", modality="image", seed=seed)


def untrained(work: Path) -> Path:
    """The same network with numbers that nobody trained."""
    import torch

    torch.manual_seed(0)
    told = Description(front=FRONT, backbone=BACKBONE)
    write_folder(work / "untrained", told, told.network())
    return work / "untrained"


def sounds(data: Path, work: Path, folds: int) -> Iterator[World]:
    """A fold is the test side, the next validates, the others teach, first without labels and then with them."""
    with (data / "esc50_part" / "meta.csv").open() as stream:
        classes = {row["filename"]: row["category"].replace("_", " ") for row in csv.DictReader(stream)}
    with (data / "splits" / "esc50_part.csv").open() as stream:
        told = list(csv.DictReader(stream))
    for fold in range(folds):
        number = sorted({int(row["fold"]) for row in told})
        test, val = number[fold], number[(fold + 1) % len(number)]
        folder, bare, rows = work / f"fold-{fold}", work / f"bare-{fold}", []
        for row in told:
            file = data / "esc50_part" / "audio" / row["filename"]
            side = {test: "test", val: "val"}.get(int(row["fold"]), "train")
            rows.append((str(file.resolve()), classes[row["filename"]], side))
            if side == "train":
                bare.mkdir(exist_ok=True)
                (bare / file.name).symlink_to(file.resolve())
        front = "log-mel(bands=64,frames=64,seconds=5)"
        base = made(bare, work / f"base-{fold}", "simclr", "spectra", front=front, epochs=10)
        yield World(pairs=written(folder, rows), encoder=f"own:{base}", modality="audio", seed=fold)


def photos(data: Path, models: Path, work: Path, seeds: int) -> Iterator[World]:
    """Five photos a class teach, two choose, the rest of ten classes' worth judges."""
    for seed in range(seeds):
        rng, rows = np.random.default_rng(seed), []
        kinds = sorted(one for one in (data / "caltech101_part" / "images").iterdir() if one.is_dir())
        for kind in rng.permutation(np.asarray(kinds, dtype=object))[:20]:
            files = rng.permutation(np.asarray(sorted(kind.iterdir()), dtype=object))[:17]
            sides = ["train"] * 5 + ["val"] * 2 + ["test"] * 10
            text = kind.name.replace("_", " ").lower()
            rows += [(str(file.resolve()), text, side) for file, side in zip(files, sides, strict=False)]
        model = f"hub:{models / 'mobilenet_v1_0.75_224'}"
        yield World(pairs=written(work / f"photos-{seed}", rows), encoder=model, modality="image", seed=seed)


def made(bare: Path, folder: Path, task: str, augmentation: str, *, front: str, epochs: int) -> Path:
    """An encoder from items without labels."""
    recipe = Pretext(task=task, backbone=BACKBONE, augmentation=augmentation, plan=Plan(epochs=epochs, batch=128))
    pretrain(bare, recipe, front=front, folder=folder, against=[], runtime=Runtime(device="cpu"))
    return folder


def written(folder: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    """A table in a folder."""
    folder.mkdir(exist_ok=True)
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text", "split"), *rows])
    return folder / "pairs.csv"


if __name__ == "__main__":
    main()
