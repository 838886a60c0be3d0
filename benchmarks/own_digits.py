"""Digits from end to end by encoders of one's own: `python benchmarks/own_digits.py DATA [--parts official speakers voices]`.

DATA holds mnist/ and fsdd/. Encoders of images and sounds are trained on the training side alone, then a space is fitted to
digits' names by the default aligner: images and sounds were never paired. official: FSDD's own split, which shares speakers.
speakers: the one that is judged was never heard by anything. voices: the encoder of sounds has heard espeak-ng's voices only.
Prints Markdown; the mean over seeds with the smallest and largest value.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from digits import SPEAKERS, spread

import textanchor
from textanchor.pretraining import Plan, Recipe, pretrain
from textanchor.runtime import Reading, Runtime, Splitting

IMAGES = Recipe(
    task="supervised",
    backbone="resnet(width=32)",
    augmentation="pictures(flip=0, crop=0.6, turn=10)",
    plan=Plan(epochs=12, batch=128),
)
SOUNDS = Recipe(
    task="supervised",
    backbone="resnet(width=24)",
    front="log-mel(bands=64, frames=48, seconds=0.8)",
    augmentation="spectra(waves=4)",
    plan=Plan(epochs=20, batch=128),
)
TRAIN = 6000  # images; the first 3000 are those of the other tables


@dataclass(frozen=True, kw_only=True)
class Row:
    """Accuracy of the nearest name, then recall@1 between the two that were never paired, and seconds of training."""

    image: float
    audio: float
    image_to_audio: float
    audio_to_image: float
    seconds: float


def main() -> None:
    """Print the parts asked for."""
    parts: dict[str, Callable[[Path, Path, int], None]] = {"official": official, "speakers": speakers, "voices": voices}
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("data", type=Path)
    told.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    print("| sounds | image | audio | image→audio | audio→image | seconds |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for part in asked.parts:
            parts[part](asked.data, Path(work), asked.seeds)


def official(data: Path, work: Path, seeds: int) -> None:
    """Known speakers."""
    folder = textanchor.write_sample("mnist-fsdd", work / "official", root=data, train=TRAIN)
    show("official split", [end_to_end(folder, folder, work / "official encoders", seed) for seed in range(seeds)])


def speakers(data: Path, work: Path, seeds: int) -> None:
    """A speaker that nothing has heard."""
    everybody = []
    for speaker in SPEAKERS:
        folder = textanchor.write_sample("mnist-fsdd", work / speaker, root=data, speaker=speaker, train=TRAIN)
        found = [end_to_end(folder, folder, work / f"{speaker} encoders", seed) for seed in range(seeds)]
        show(f"{speaker} never heard", found)
        everybody += found
    show("mean over the six", everybody)


def voices(data: Path, work: Path, seeds: int) -> None:
    """An encoder that has heard synthetic voices only; the space is fitted to the other speakers."""
    made = textanchor.write_sample("digits", work / "digits")
    everybody = []
    for speaker in SPEAKERS:
        folder = work / speaker
        if not folder.exists():
            textanchor.write_sample("mnist-fsdd", folder, root=data, speaker=speaker, train=TRAIN)
        everybody += [end_to_end(folder, made, work / f"{speaker} voices", seed) for seed in range(seeds)]
    show("synthetic voices only, mean over the six never heard", everybody)


def end_to_end(folder: Path, heard: Path, out: Path, seed: int) -> Row:
    """Both encoders, the space, and its figures on the test side."""
    began, encoders = time.perf_counter(), {}
    for modality, recipe, source in (("image", IMAGES, folder), ("audio", SOUNDS, heard)):
        place = out / f"{modality} {seed}"
        pretrain(
            textanchor.read_pairs(source),
            replace(recipe, seed=seed),
            folder=place,
            against=(),
            splitting=Splitting(seed=seed),
            reading=Reading(modality=(modality,)),
            runtime=Runtime(),
        )
        encoders[modality] = f"own:{place}"
    seconds = time.perf_counter() - began
    pairs = textanchor.read_pairs(folder)
    space = textanchor.fit(pairs, encoders=encoders, seed=seed)
    done = textanchor.evaluate(space, pairs, probe=False, map_=False, seed=seed)
    found = {
        (row["query"], row["gallery"]): row["R@1"] for row in done.table("alignment") + done.table("emergent") if "R@1" in row
    }
    return Row(
        image=found["image", "text"],
        audio=found["audio", "text"],
        image_to_audio=found["image", "audio"],
        audio_to_image=found["audio", "image"],
        seconds=seconds,
    )


def show(name: str, rows: list[Row]) -> None:
    """One line."""
    cells = [
        spread([getattr(row, column) for row in rows]) for column in ("image", "audio", "image_to_audio", "audio_to_image")
    ]
    print(f"| {name} | {' | '.join(cells)} | {sum(row.seconds for row in rows) / len(rows):.0f} |", flush=True)


if __name__ == "__main__":
    main()
