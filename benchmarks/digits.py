"""The tables of docs/findings.md on digits: `python benchmarks/digits.py DATA MODELS [--seeds 3]`.

DATA holds mnist/ and fsdd/, MODELS the folders mobilenet_v1_0.75_224 and audioset_mn04. Prints Markdown. Every figure is
held out; the mean over seeds is given with the smallest and largest value.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import textanchor

ALIGNERS = ("auto", "ridge", "kernel-ridge", "bank", "seed")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


def main() -> None:
    """Print all tables."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    encoders = {
        "image": f"hub:{asked.models / 'mobilenet_v1_0.75_224'}@size=96,pool=mean",
        "audio": f"onnx:{asked.models / 'audioset_mn04'}",
    }
    with tempfile.TemporaryDirectory() as work:
        digits = textanchor.write_sample("digits", Path(work) / "digits")
        table("digits, unseen images and unheard voices", digits, {"image": "signal"}, ALIGNERS, asked.seeds)
        official = textanchor.write_sample("mnist-fsdd", Path(work) / "official", root=asked.data)
        table("mnist-fsdd, official split (speakers shared)", official, encoders, ALIGNERS, asked.seeds)
        for speaker in SPEAKERS:
            folder = textanchor.write_sample("mnist-fsdd", Path(work) / speaker, root=asked.data, speaker=speaker)
            table(f"mnist-fsdd, {speaker} never heard", folder, encoders, ("auto", "seed"), 1)


def table(title: str, folder: Path, encoders: dict[str, str], aligners: tuple[str, ...], seeds: int) -> None:
    """One line per aligner: accuracy of either modality by nearest text, and recall@1 between the two."""
    print(
        f"\n### {title}\n\n| aligner | image | audio | image→audio | audio→image | chosen |\n|---|---|---|---|---|---|",
        flush=True,
    )
    pairs = textanchor.read_pairs(folder)
    for aligner in aligners:
        rows: list[list[float]] = []
        chosen: set[str] = set()
        for seed in range(seeds):
            space = textanchor.fit(pairs, encoders=encoders, aligner=aligner, seed=seed)
            done = textanchor.evaluate(space, pairs, probe=False, map_=False, seed=seed)
            found = {
                (row["query"], row["gallery"]): row["R@1"]
                for row in done.table("alignment") + done.table("emergent")
                if "R@1" in row
            }
            rows.append([found[key] for key in (("image", "text"), ("audio", "text"), ("image", "audio"), ("audio", "image"))])
            chosen |= {fitted.aligner for fitted in space.modalities.values() if fitted.asked == "auto"}
        cells = [spread([row[place] for row in rows]) for place in range(4)]
        print(f"| {aligner} | {' | '.join(cells)} | {', '.join(sorted(chosen - {''}))} |", flush=True)


def spread(values: list[Any]) -> str:
    """Mean, and the range where there are several."""
    mean = f"{sum(values) / len(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
