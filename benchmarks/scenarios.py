"""What each scenario of the cycle system adds: `python benchmarks/scenarios.py DATA MODELS -o FOLDER [--parts mobilenet ...]`.

The system with every scenario and without each, by defaults, at a tenth of Flickr8k's pairs, begun at random and at CCA; three
seeds. FOLDER is that of `few_pairs.py`, whose latents and shares it takes; the 600 validation photos judge, which no fit has
seen. Cells are kept there and never fitted twice. Prints Markdown: mean R@10 of both directions, and what it loses without the
scenario, with 95 % intervals over photos. A stage that validation finds worse than what was there before it is not taken, so
beside it stands the best score that the last stage came to, taken or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from few_pairs import arguments, few, latents, measured
from few_pairs_tables import Cell, gain, joined, middle

from textanchor.aligners.latent.objectives import STAGES
from textanchor.aligners.latent.rows import cycle
from textanchor.files import digest, read_json, write_json
from textanchor.space.preparing import Sides

SHARE, SEEDS, STARTS = 0.1, 3, ("random", "cca")
SCENARIOS = tuple(name for terms in STAGES.values() for name in terms if cycle().plan.weights.get(name))


@dataclass(frozen=True, kw_only=True)
class Ablated:
    """The cell of a system, and the validation score of its last stage, a seed each."""

    cell: Cell
    last: Sequence[float]


def main() -> None:
    """Fit what is missing, print what there is."""
    asked = arguments(__doc__).parse_args()
    for part in asked.parts:
        sides = latents(asked.output / part, part, asked.data.resolve(), asked.models.resolve())
        judging = replace(sides, pairs={**sides.pairs, "test": sides.val})
        for start in STARTS:
            folder = asked.output / part / "scenarios"
            table(
                f"{part}, begun at {start}", {without: ablated(folder, judging, start, without) for without in ("", *SCENARIOS)}
            )


def ablated(folder: Path, sides: Sides, start: str, without: str) -> Ablated | None:
    """All seeds of the system without a scenario; seeds that gave no fit are named and left out."""
    folder.mkdir(exist_ok=True)
    spec = f"cycle(start={start}{f', {without}=0' if without else ''})"
    found = []
    for seed in range(SEEDS):
        place = folder / f"{digest(spec, str(seed))[:16]}.json"
        if not place.exists():
            write_json(place, measured(spec, few(sides, SHARE, seed), seed))
        told = read_json(place)
        if "failed" in told:
            print(f"{spec}, seed {seed}: {told['failed']}")
        else:
            found.append(told)
    last = [one["chosen"]["notes"].get("score after stage cycles", np.nan) for one in found]
    return Ablated(cell=joined(found), last=last) if found else None


def table(title: str, held: dict[str, Ablated | None]) -> None:
    """A row a scenario."""
    print(f"\n### {title}\n")
    print("| without | mean R@10 | the whole system minus this | score after the last stage, in percent |")
    print("|---|---|---|---|")
    whole = held[""]
    for without, mine in held.items():
        if mine is not None:
            lost = gain(whole.cell, mine.cell) if whole is not None and without else ""
            last = f"{100 * np.mean(mine.last):.1f} ({100 * np.std(mine.last, ddof=1):.1f})"
            print(f"| {without.replace('_', ' ') or '(nothing)'} | {middle(mine.cell)} | {lost} | {last} |", flush=True)


if __name__ == "__main__":
    main()
