"""One space over many data sets: `TEXTANCHOR_HOME=... python benchmarks/joint.py [--seeds 3]`; needs `../shared`.

Images: 4000 MNIST digits, Caltech objects, Flickr8k photos with captions. Sounds: FSDD digits, ESC-50 part. One encoder a
modality. `own` is a fit of one set alone. `shared` is one projector a modality, fitted on all its sets with weights (`balance`
1: each set the same, 0: each pair). `each` is one projector a set and a linear discriminant on latents that says whose an item
is, under one view. `after adding` compares a space before and after Flickr8k came to it. Figures are item->text R@1 on each
set's own test side and texts; differences are paired, with 95 % intervals over groups, of all seeds together. The penalty is
chosen on validation.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from label_sets import IMAGES, SHARED, SOUNDS, _caltech, _esc, _fsdd, _mnist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import nn

from textanchor.aligners import aligner
from textanchor.data.joining import joined
from textanchor.judging import naming_hits, paired
from textanchor.projectors import Kept, project
from textanchor.records import Fit, Item, Pair, PairedLatents, Pairs, Task, View
from textanchor.runtime import Runtime, Splitting
from textanchor.space.balancing import weighed
from textanchor.space.geometry import Geometry
from textanchor.space.preparing import Encoding, prepare
from textanchor.space.sides import FittedSide
from textanchor.views import view, with_hubness

SETS = {"image": ("mnist", "caltech", "flickr8k"), "audio": ("fsdd", "esc")}
KERNEL, RIDGE = "kernel-ridge(width=1.0, view=centring, hubness=csls)", "ridge(view=canonical)"
BANK = 1000  # items of a set from which a view of several projectors is made

Hits = dict[str, dict[str, list[np.ndarray]]]  # way -> set -> hits, a seed each


def main() -> None:
    """Two tables."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--seeds", type=int, default=3)
    hits: Hits = defaultdict(lambda: defaultdict(list))
    groups: dict[str, list[str]] = defaultdict(list)
    for seed in range(told.parse_args().seeds):
        for modality, names in SETS.items():
            one_seed(modality, names, seed, hits, groups)
        print(f"\nafter {seed + 1} seeds", flush=True)
        show(hits, groups)


def show(hits: Hits, groups: Mapping[str, list[str]]) -> None:
    """A line a set and way: R@1 by seed, and the difference from `own`; then before and after adding."""
    print("| set | way | R@1, mean over seeds (sd) | less own, points | 95 % interval |\n|---|---|---|---|---|")
    for name in groups:
        for way in ("own", "shared, balance 1", "shared, balance 0", "each", "ridge own", "ridge shared, balance 1"):
            if name in hits[way]:
                print(line(name, way, hits, groups, "ridge own" if way.startswith("ridge") else "own"))
    print("\n| set | way | after adding | less before, points | 95 % interval |\n|---|---|---|---|---|")
    for name in ("mnist", "caltech"):
        for way in ("shared, balance 1", "ridge shared, balance 1", "each"):
            print(line(name, way, hits, groups, f"before {way}"), flush=True)


def line(name: str, way: str, hits: Hits, groups: Mapping[str, list[str]], than: str) -> str:
    """One row."""
    shares = [float(own.mean()) for own in hits[way][name]]
    told = paired(np.concatenate(hits[way][name]), np.concatenate(hits[than][name]).astype(float), groups[name])
    low, high = told.interval or (float("nan"), float("nan"))
    figures = f"{np.mean(shares):.3f} ({np.std(shares):.3f}) | {100 * told.gain:+.1f} | [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"| {name} | {way} | {figures} |"


def one_seed(modality: str, names: tuple[str, ...], seed: int, hits: Hits, groups: dict[str, list[str]]) -> None:
    """Everything of one modality and split."""
    encoding = Encoding(encoders={modality: IMAGES if modality == "image" else SOUNDS})
    ready = prepare(joined([table(name) for name in names]), encoding, Splitting(seed=seed), Runtime())
    sides = ready.sides(modality, ("train", "val", "test"), by_names=False)
    assert sides is not None
    part = {name: {side: of(own, name, ready.pairs.origins) for side, own in sides.pairs.items()} for name in names}
    for name in names:
        groups[name] += [f"{seed} {group}" for group in part[name]["test"].groups]
    fits: dict[str, Fit] = {}

    def keep(way: str, whose: tuple[str, ...], fit: Callable[[str], Fit]) -> None:
        for name in whose:
            made = fit(name)
            geometry = Geometry({modality: FittedSide(Kept.of(made.projector), made.view)})
            hits[way][name].append(naming_hits(geometry, part[name]["test"]))

    for spec, title in ((KERNEL, ""), (RIDGE, "ridge ")):
        for name in names:
            fits[f"{title}{name}"] = aligner(spec).fit(Task(train=part[name]["train"], val=part[name]["val"], seed=seed))
        keep(f"{title}own", names, lambda name, title=title: fits[f"{title}{name}"])  # type: ignore[misc]
        for balance in (1.0, 0.0) if spec == KERNEL else (1.0,):
            both = together(part, names, balance, spec, seed)
            keep(f"{title}shared, balance {balance:.0f}", names, lambda _, both=both: both)  # type: ignore[misc]
        if modality == "image":
            before = together(part, names[:2], 1.0, spec, seed)
            keep(f"before {title}shared, balance 1", names[:2], lambda _, before=before: before)  # type: ignore[misc]
    for way, whose in (("each", names), ("before each", names[:2])):
        if modality == "image" or way == "each":
            several = each(part, whose, {name: fits[name].projector for name in whose}, seed)
            keep(way, whose, lambda _, several=several: several)  # type: ignore[misc]


def together(
    part: Mapping[str, Mapping[str, PairedLatents]], names: tuple[str, ...], balance: float, spec: str, seed: int
) -> Fit:
    """One projector for several sets."""
    origins = {item: name for name in names for own in part[name].values() for item in own.items.ids}
    sides = []
    for side in ("train", "val"):
        whole = part[names[0]][side]
        for name in names[1:]:
            whole = whole.joined(part[name][side])
        sides.append(weighed(whole, origins, balance))
    return aligner(spec).fit(Task(train=sides[0], val=sides[1], seed=seed))


class Each(nn.Module):
    """One projector a set, and a gate."""

    name = "each"

    def __init__(self, parts: list[nn.Module], gate: LinearDiscriminantAnalysis) -> None:
        super().__init__()
        self.settings: dict[str, int] = {}
        self.parts, self.gate = nn.ModuleList(parts), gate

    def forward(self, latents):  # type: ignore[no-untyped-def]
        """By the set that the gate says."""
        import torch

        whose = torch.from_numpy(np.asarray(self.gate.predict(latents.numpy()), dtype=np.int64))
        out = torch.stack([part(latents) for part in self.parts])
        return out[whose, torch.arange(len(latents))]


def each(
    part: Mapping[str, Mapping[str, PairedLatents]], names: tuple[str, ...], own: Mapping[str, nn.Module], seed: int
) -> Fit:
    """A projector a set under one view, whose statistics are of the texts of all sets and of as many items of each."""
    train = {name: part[name]["train"] for name in names}
    some = {
        name: one.take(np.sort(np.random.default_rng(seed).permutation(len(one.items))[:BANK])) for name, one in train.items()
    }
    latents = np.concatenate([one.pooled for one in some.values()])
    whose = np.repeat(np.arange(len(names)), [len(one.items) for one in some.values()])
    gate = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(latents, whose)
    items = np.concatenate([project(own[name], some[name].pooled) for name in names])
    anchors = np.concatenate([one.anchors for one in train.values()])
    targets = np.concatenate([one.targets for one in some.values()])
    plain: View = view("centring", anchors=anchors, items=items, targets=targets)
    held = with_hubness(plain, "csls", items=items, anchors=anchors, seed=seed)
    return Fit(projector=Each([own[name] for name in names], gate).eval(), view=held)


def of(pairs: PairedLatents, name: str, origins: Mapping[str, str]) -> PairedLatents:
    """One set's part."""
    return replace(pairs.take([row for row, item in enumerate(pairs.items.ids) if origins[item] == name]), counts=None)


def table(name: str) -> Pairs:
    """A set's pairs; recordings of one source and captions of one photo stay together."""
    if name == "flickr8k":
        folder = SHARED / "data" / "flickr8k"
        with (folder / "captions.csv").open(newline="", encoding="utf-8") as file:
            rows = [
                Pair(
                    item=Item(id=row["file_name"], modality="image", path=folder / "images" / row["file_name"]),
                    text=row["text"],
                )
                for row in csv.DictReader(file)
            ]
        return Pairs(rows=tuple(rows), source=name)
    items, classes, groups = {"esc": _esc, "caltech": _caltech, "fsdd": _fsdd, "mnist": _mnist}[name]()
    named = groups if name == "esc" else [None] * len(items)
    rows = [Pair(item=item, text=text, group=group) for item, text, group in zip(items, classes, named, strict=True)]
    return Pairs(rows=tuple(rows), source=name)


if __name__ == "__main__":
    main()
