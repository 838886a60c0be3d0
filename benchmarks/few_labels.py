"""Few labels a class beside unlabelled items: `python benchmarks/few_labels.py DATA MODELS [--parts sounds digits]`.

DATA holds esc50_part/ and splits/; MODELS the folder audioset_mn04. So many training items of each class keep their label, the
others stay without one; class names are known. A fifth of the labels chooses values, all are fitted in the end. Sounds: the
five folds of ESC-50 part. Digits: scikit-learn's, five seeds. Prints accuracy over the class names, and the paired difference
to the same closed form on the labels alone, with 95 % intervals over groups.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from losses import ALL, esc50, read

import textanchor
from textanchor.judging import naming_hits, paired, trial
from textanchor.records import Unpaired
from textanchor.space.preparing import Sides
from textanchor.space.thinning import with_own_validation

BASE = "kernel-ridge(landmarks=2000, view=centring, hubness=csls)"
METHODS = {
    "kernel ridge, labels only": BASE,
    "kernel CCA, labels only": BASE.replace("centring", "canonical"),
    "control: bank of all items": f"soft-pairs(base={BASE}, rounds=0)",
    "soft pairs": f"soft-pairs(base={BASE})",
    "soft pairs, row softmax": f"soft-pairs(base={BASE}, matching=softmax)",
    "mutual neighbours": f"mutual-neighbours(base={BASE})",
    "Wasserstein-Procrustes": "wasserstein-procrustes",
    "the default (auto)": "auto",
}
SHOTS = (1, 2, 4)


def main() -> None:
    """Print the parts asked for."""
    parts: dict[str, Callable[[Path, Path, Path], Iterator[Sides]]] = {"sounds": sounds, "digits": digits}
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for part in asked.parts:
            print(f"\n### {part}\n", flush=True)
            table(list(parts[part](asked.data.resolve(), asked.models.resolve(), Path(work))))


def sounds(data: Path, models: Path, work: Path) -> Iterator[Sides]:
    """A fold is test, the others are labelled or not."""
    for fold in esc50(data, work):
        yield opened(fold, "audio", f"onnx:{models / 'audioset_mn04'}")


def digits(_data: Path, _models: Path, work: Path) -> Iterator[Sides]:
    """The same images five times; the labels differ."""
    sides = opened(textanchor.write_sample("digits", work / "digits"), "image", "signal")
    yield from [sides] * 5


def opened(place: Path, modality: str, encoder: str) -> Sides:
    """Train and validation as one."""
    sides = read(place, encoders={modality: encoder}).sides(modality, ALL)
    assert sides is not None
    return replace(sides, pairs={**sides.pairs, "train": sides.train.joined(sides.val)}, named=None)


def labelled(sides: Sides, shots: int, seed: int) -> Sides:
    """So many labels a class; what shares no group with those is unpaired."""
    train, rng = sides.train, np.random.default_rng(seed)
    order = rng.permutation(len(train.items))
    place = np.array([np.sum(train.first_text[order[:number]] == train.first_text[row]) for number, row in enumerate(order)])
    kept = np.sort(order[place < shots])
    taken = {train.groups[row] for row in kept}
    rest = train.take([row for row, group in enumerate(train.groups) if group not in taken])
    few = replace(sides, pairs={**sides.pairs, "train": train.take(kept)}, unpaired=Unpaired())
    return replace(with_own_validation(few, seed=seed), unpaired=Unpaired(items=rest.items, groups=rest.groups))


def table(folds: list[Sides]) -> None:
    """A row a method, a column a number of labels."""
    print("| method | " + " | ".join(f"{shots} a class" for shots in SHOTS) + " |\n|" + "---|" * (len(SHOTS) + 1))
    groups = [group for number, sides in enumerate(folds) for group in named(number, sides)]
    base: dict[int, np.ndarray] = {}
    for name, spec in METHODS.items():
        cells = []
        for shots in SHOTS:
            hits = [hit(labelled(sides, shots, seed), spec, seed) for seed, sides in enumerate(folds)]
            found = np.concatenate(hits).astype(float)
            told = paired(found, base.setdefault(shots, found), groups)
            gain = f" ({told.gain:+.3f} [{told.interval[0]:+.3f}, {told.interval[1]:+.3f}])" if told.interval else ""
            cells.append(f"{found.mean():.3f}{gain if found is not base[shots] else ''}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def named(number: int, sides: Sides) -> list[str]:
    """Groups of the test items; of digits an image counts as one however often it is judged."""
    test = sides.pairs["test"]
    return list(test.groups) if test.modality == "image" else [f"{number} {group}" for group in test.groups]


def hit(sides: Sides, spec: str, seed: int) -> np.ndarray:
    """Which test items are named right."""
    modality = sides.train.modality
    return naming_hits(trial(spec, {modality: sides.task(device="cpu", seed=seed)}).geometry, sides.pairs["test"])


if __name__ == "__main__":
    main()
