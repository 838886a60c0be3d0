"""What students of the default anchor cost and keep on Flickr8k: `python benchmarks/students.py DATA MODELS`.

DATA holds flickr8k/ and splits/; MODELS mobilenet_v1_0.75_224. `--students` names others, `--work` a folder where they stay;
those that lie there already are taken as they are. They learn from the captions of train alone. A space is fitted anew on each
anchor, on train and validation, and judged on dev: R@10 both ways, what a student keeps of the teacher's, the paired
difference with its 95 % interval over photos, megabytes, and texts a second in multiples of the teacher's, in turns of one run.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from losses import flickr8k, opened, read

from textanchor.config import DEFAULT_ANCHOR
from textanchor.distilling.anchors import distill_anchor
from textanchor.distilling.anchors.judging import costs
from textanchor.distilling.anchors.protocol import teacher_of
from textanchor.encoders import make
from textanchor.judging import Figures, judge, trial
from textanchor.judging.differences import paired
from textanchor.runtime import Runtime
from textanchor.space.fitting import tasks

STUDENTS = ("layers(keep=3, epochs=1, batch=32, vocabulary=12000)", "static(dim=256)", "adapted")
DOING = ("runs", "sits", "jumps", "plays")
HEAD = "| anchor | image -> text R@10 | kept | difference | text -> image R@10 | kept | difference | MB | texts a second |"


def main() -> None:
    """A row an anchor, the teacher first."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--students", nargs="*", default=list(STUDENTS))
    told.add_argument("--work", type=Path)
    told.add_argument("--aligner", default="cca")
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        table = flickr8k(asked.data.resolve(), Path(scratch))
        image = {"image": f"hub:{asked.models.resolve() / 'mobilenet_v1_0.75_224'}"}
        names = {DEFAULT_ANCHOR: DEFAULT_ANCHOR}
        for number, student in enumerate(asked.students):
            place = work / f"student-{number}"
            if not place.exists():
                distill_anchor(table, place, student, runtime=Runtime(device="cpu"))
            names[student] = f"st:{place}"
        print(f"{HEAD}\n|{'---|' * 9}", flush=True)
        first: Figures | None = None
        for name, anchor in names.items():
            figures = judged(table, image, anchor, asked.aligner)
            first = first or figures
            print(row(name, figures, first, cost(anchor)), flush=True)


def judged(table: Path, encoders: dict[str, str], anchor: str, aligner: str) -> Figures:
    """A space on this anchor, fitted on train and validation, on dev."""
    ready, sides = opened(read(table, encoders=encoders, anchor=anchor))
    outcome = trial(aligner, tasks(sides, device=ready.device, seed=0))
    return judge(outcome.geometry, {modality: own.pairs["test"] for modality, own in sides.items()})


def cost(anchor: str) -> tuple[float, float]:
    """Megabytes, and texts a second in multiples of the teacher's."""
    runtime = Runtime(device="cpu")
    teacher = teacher_of(DEFAULT_ANCHOR, runtime)
    folder = teacher.folder if anchor == DEFAULT_ANCHOR else Path(anchor.removeprefix("st:"))
    texts = [f"a {who} {does} near the lake number {n}" for n in range(64) for who in ("dog", "child") for does in DOING]
    mine, theirs = costs((make(anchor, "text", runtime), folder), (teacher.encoder, teacher.folder), texts)
    return mine.megabytes, mine.texts_a_second / theirs.texts_a_second


def row(name: str, figures: Figures, first: Figures, cost: tuple[float, float]) -> str:
    """One anchor's."""
    cells: list[str] = []
    for mine, theirs in zip(figures.alignment, first.alignment, strict=True):
        hits, others = (np.asarray(one.retrieval.rank < 10) for one in (mine, theirs))
        gain = paired(hits, others, mine.groups)
        cells += [f"{hits.mean():.3f}", f"{hits.mean() / others.mean():.1%}", shown(gain.gain, gain.interval)]
    return f"| {name} | {' | '.join(cells)} | {cost[0]:.1f} | {cost[1]:.1f} |"


def shown(gain: float, interval: Sequence[float] | None) -> str:
    """A difference with its interval."""
    return f"{gain:+.3f}" + (f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval and gain else "")


if __name__ == "__main__":
    main()
