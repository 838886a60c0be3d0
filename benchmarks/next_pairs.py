"""Which pairs to buy next: `python benchmarks/next_pairs.py DATA MODELS -o FOLDER [--parts mobilenet digits ...] [--seeds 3]`.

DATA holds flickr8k/ and splits/, MODELS the folder mobilenet_v1_0.75_224. A share of the training items has its texts; as many
more are bought, at random or by `next_pairs`: items that stand for many, items that the fit knows least about, or half of
each. Then kernel CCA is fitted on all that have texts, a fifth of which chooses, and judged on validation; test is not
touched. Cells are kept in FOLDER and never fitted twice. Prints Markdown: of captions the mean R@10 of both directions, of
digits how many are named right; differences to buying at random are paired, of means over seeds, 95 % intervals over photos.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from few_pairs import arguments, latents
from losses import read

import textanchor
from textanchor.budgeting.cells import Cell, key, measured, store, stored
from textanchor.budgeting.choosing import proposed
from textanchor.budgeting.plan import Trial
from textanchor.budgeting.spots import Spot
from textanchor.judging import paired
from textanchor.records import PairedLatents, Unpaired
from textanchor.space.preparing import Sides
from textanchor.space.thinning import thinned, with_own_validation

METHOD = "kernel-cca"
RULES = {"random": None, "diverse": 1.0, "uncertain": 0.0, "half and half": 0.5}
KNOWN = {"mobilenet": (0.02, 0.2), "efficientnet": (0.02, 0.2), "digits": (0.02, 0.1)}


def main() -> None:
    """Fit what is missing, print a table a part and share."""
    told = arguments(__doc__, list(KNOWN))
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    for part in asked.parts:
        sides = opened(asked.output / part, part, asked.data.resolve(), asked.models.resolve())
        for share in KNOWN[part]:
            print(f"\n### {part}, {share:.0%} known\n", flush=True)
            table({rule: cells(asked.output / part, sides, rule, share, asked.seeds) for rule in RULES}, names=part == "digits")


def opened(folder: Path, part: str, data: Path, models: Path) -> Sides:
    """Train and validation."""
    if part != "digits":
        return replace(latents(folder, part, data, models), named=None)
    with tempfile.TemporaryDirectory() as work:
        sides = read(textanchor.write_sample("digits", Path(work) / "digits"), encoders={"image": "signal"}).sides("image")
    assert sides is not None
    return sides


def cells(folder: Path, sides: Sides, rule: str, share: float, seeds: int) -> tuple[Cell, ...]:
    """One rule with all seeds."""
    return tuple(cell(folder, sides, Trial(modality="image", method=rule, share=share, seed=seed)) for seed in range(seeds))


def cell(folder: Path, sides: Sides, asked: Trial) -> Cell:
    """What is known, bought, fitted and judged."""
    name = key(asked, METHOD)
    known = stored(folder, name)
    if known is None:
        whole = Sides(pairs={"train": bought(sides, asked), "val": sides.val})
        found = measured(replace(asked, method=METHOD, share=1.0), whole, sides.val, device="cpu")
        known = replace(found, trial=asked)
        store(folder, name, known)
    return known


def bought(sides: Sides, asked: Trial) -> PairedLatents:
    """The pairs that were known and as many more."""
    few = with_own_validation(thinned(replace(sides, unpaired=Unpaired()), asked.share, asked.seed), seed=asked.seed)
    held, lone = few.train.joined(few.val), few.unpaired.items
    assert lone is not None
    if (diverse := RULES[asked.method]) is None:
        chosen = np.random.default_rng([asked.seed, 1]).permutation(lone.ids)[: len(held.items)].tolist()
    else:
        told = proposed(few, len(held.items), method=METHOD, diverse=diverse, seed=asked.seed)
        chosen = [one.item for one in told]
    wanted = {*held.items.ids, *chosen}
    return sides.train.take([row for row, item in enumerate(sides.train.items.ids) if item in wanted])


def table(found: dict[str, tuple[Cell, ...]], *, names: bool) -> None:
    """A row a rule."""
    print("| bought | pairs | recall | minus random | seeds better |\n|---|---|---|---|---|")
    hits, groups = {rule: drawn(held, names=names) for rule, held in found.items()}, groups_of(found["random"], names=names)
    for rule, held in found.items():
        means = [100 * own.mean() for own in hits[rule]]
        cells = [f"{np.mean(means):.1f} (sd {np.std(means, ddof=1):.1f})", "", ""]
        if rule != "random":
            told = paired(np.mean(hits[rule], axis=0), np.mean(hits["random"], axis=0), groups)
            low, high = told.interval or (np.nan, np.nan)
            cells[1] = f"{100 * told.gain:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
            gains = [mine.mean() - other.mean() for mine, other in zip(hits[rule], hits["random"], strict=True)]
            cells[2] = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
        print(f"| {rule} | {np.mean([one.pairs for one in held]):.0f} | {' | '.join(cells)} |", flush=True)


def drawn(held: tuple[Cell, ...], *, names: bool) -> Sequence[np.ndarray]:
    """Each seed's hits."""
    spot = Spot(modality="image", method=held[0].trial.method, share=held[0].trial.share, cells=held)
    return [one.answers["image->text"].hits(1).astype(float) for one in held] if names else spot.drawn


def groups_of(held: tuple[Cell, ...], *, names: bool) -> tuple[str, ...]:
    """The groups of the same queries."""
    own = held[0].answers
    return own["image->text"].groups if names else tuple(group for one in own.values() for group in one.groups)


if __name__ == "__main__":
    main()
