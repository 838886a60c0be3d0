"""Whether the budget's advice comes true: `python benchmarks/foreseen.py DATA MODELS -o FOLDER [--parts mobilenet ...]`.

DATA holds flickr8k/ and splits/, MODELS the folder mobilenet_v1_0.75_224. Photos of Flickr8k, three draws a share, judged on
validation; test is not touched. From the budgets up to a quarter or a half of the pairs it is said what more would add, and
beside it stands what more did add, between measured budgets by interpolation on a logarithmic scale. Cells are kept in FOLDER
and never fitted twice. Prints Markdown, in points of mean R@10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from few_pairs import arguments, latents

from textanchor.budgeting.cells import Cell, key, measured, store, stored
from textanchor.budgeting.plan import Trial
from textanchor.budgeting.spots import Spot
from textanchor.metrics.power_law import Point, extrapolated
from textanchor.space.preparing import Sides

METHODS = ("cca(hubness=csls)", "ridge(hubness=csls)")
SHARES, SEEDS = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0), 3
KNOWN = (4, 5)  # budgets that are known when something is foreseen


def main() -> None:
    """Fit what is missing, print a table."""
    asked = arguments(__doc__).parse_args()
    print("| encoder | method | pairs | more | foreseen | came |\n|---|---|---|---|---|---|", flush=True)
    for part in asked.parts:
        folder = asked.output / part
        sides = replace(latents(folder, part, asked.data.resolve(), asked.models.resolve()), named=None)
        for method in METHODS:
            found = [spot(folder, sides, method, share) for share in SHARES]
            for known in KNOWN:
                size = found[known - 1].pairs
                for more in (300, size // 2, size):
                    print(f"| {part} | {method} | {size} | {more} | {compared(found, known, more)} |", flush=True)


def spot(folder: Path, sides: Sides, method: str, share: float) -> Spot:
    """A method on a share with all draws."""
    cells = [cell(folder, sides, Trial(modality="image", method=method, share=share, seed=seed)) for seed in range(SEEDS)]
    return Spot(modality="image", method=method, share=share, cells=tuple(cells))


def cell(folder: Path, sides: Sides, asked: Trial) -> Cell:
    """From the folder, or fitted."""
    name = key(asked, "foreseen")
    known = stored(folder, name)
    if known is None:
        both = replace(sides, pairs={side: sides.pairs[side] for side in ("train", "val")})
        known = measured(asked, both, sides.val, device="cpu")
        store(folder, name, known)
    return known


def compared(found: Sequence[Spot], known: int, more: int) -> str:
    """What the budgets known foresee, and what came."""
    first = found[known - 1]
    points = [Point(size=one.pairs, hits=one.drawn) for one in found[:known]]
    told = extrapolated(points, first.groups, (first.pairs, first.pairs + more))
    sizes = np.log([one.pairs for one in found])
    came = np.interp(np.log(first.pairs + more), sizes, [one.recall for one in found]) - first.recall
    said = told.why
    if told.gain is not None and told.interval is not None:
        said = f"{100 * told.gain:.1f} [{100 * told.interval[0]:.1f}, {100 * told.interval[1]:.1f}]"
    return f"{said} | {100 * came:.1f}"


if __name__ == "__main__":
    main()
