"""The figures of docs/findings.md on captions and sounds: `python benchmarks/reference.py DATA MODELS [--parts flickr8k ...]`.

DATA holds esc50_part/, flickr8k/, splits/ and emergent_concepts.csv; MODELS the folders mobilenet_v1_0.75_224 and
audioset_mn04. Hyperparameters are chosen on validation, parts of train; dev and the folds are judged once. Prints Markdown.
"""

from __future__ import annotations

import argparse
import csv
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from losses import ALL, esc50, flickr8k, read, spread
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import textanchor
from textanchor.config import DEFAULT_ANCHOR
from textanchor.evaluation.probes import probes
from textanchor.evaluation.refits import Fresh
from textanchor.evaluation.unseen import paired_draws, zero_shot
from textanchor.judging import naming_hits, trial
from textanchor.metrics.interval import bootstrap
from textanchor.records import PairedLatents, Task
from textanchor.space import TEXT, Geometry, Space
from textanchor.space.texts import embed_texts

INFO_NCE = "gradient(loss=info-nce, projector=mlp(dropout=0.3))"
DRAWS = 20
Part = Callable[[Path, Path, dict[str, str]], None]


def printed(doc: str | None, parts: Mapping[str, Part]) -> None:
    """Print the parts asked for, all by default."""
    told = argparse.ArgumentParser(description=doc)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    asked = told.parse_args()
    encoders = {
        "image": f"hub:{asked.models / 'mobilenet_v1_0.75_224'}",
        "audio": f"onnx:{asked.models / 'audioset_mn04'}",
    }
    with tempfile.TemporaryDirectory() as work:
        for part in asked.parts:
            print(f"\n### {part}\n", flush=True)
            parts[part](asked.data, Path(work), encoders)


def captions(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Recall@1 of dev for the default, the regularised CCA with its bias, ridge and the original recipe; paired over photos."""
    pairs = textanchor.read_pairs(flickr8k(data, work))
    spaces = {
        name: textanchor.fit(pairs, encoders={"image": encoders["image"]}, aligner=spec)
        for name, spec in {"default": "auto", "CCA + bias": "cca", "ridge": "ridge", "seed": "seed"}.items()
    }
    print("| aligner | direction | R@1 | R@5 | R@10 | default minus this, R@1 |\n|---|---|---|---|---|---|")
    done = textanchor.evaluate(spaces.pop("default"), pairs, name="default", against=spaces, probe=False, map_=False)
    gain = {(one["than"], one["query"]): one for one in done.metrics()["differences"]}
    for row in done.table("alignment"):
        one = gain.get((row["space"], row["query"]))
        shown = f"{one['R@1 difference']:+.3f} {interval(one['95 % interval'])} {one['verdict']}" if one else ""
        ways = f"{row['query']}→{row['gallery']}"
        print(f"| {row['space']} | {ways} | {row['R@1']:.3f} | {row['R@5']:.3f} | {row['R@10']:.3f} | {shown} |", flush=True)


def names(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Accuracy of the nearest class name over the five folds, and the paired difference to the original recipe over sources."""
    specs = {"default": "auto", "ridge": "ridge", "kernel ridge": "kernel-ridge", "InfoNCE": INFO_NCE, "seed": "seed"}
    hits: dict[str, list[np.ndarray]] = {name: [] for name in (*specs, "logistic regression on latents")}
    groups: list[str] = []
    for table in esc50(data, work):
        ready = read(table, encoders={"audio": encoders["audio"]})
        sides = ready.sides("audio", ALL)
        assert sides is not None
        test = sides.pairs["test"]
        groups += test.groups
        for name, spec in specs.items():
            outcome = trial(spec, {"audio": sides.task(device=ready.device, seed=0)})
            hits[name].append(naming_hits(outcome.geometry, test))
        hits["logistic regression on latents"].append(regression(sides.train.joined(sides.val), test))
    print("| | accuracy (sd over folds) | minus the original recipe, paired over sources |\n|---|---|---|")
    base = np.concatenate(hits["seed"]).astype(float)
    for name, held in hits.items():
        gain = np.concatenate(held) - base
        folds = [one.mean() for one in held]
        told = f"{gain.mean():+.3f} {interval(bootstrap(gain, groups))}" if name != "seed" else ""
        print(f"| {name} | {spread(folds)} | {told} |", flush=True)


def regression(train: PairedLatents, test: PairedLatents) -> np.ndarray:
    """Whether logistic regression names each test item right."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(train.pooled, named(train))
    return np.asarray(model.predict(test.pooled) == named(test))


def everything(data: Path, work: Path, encoders: dict[str, str], *, anchor: str = DEFAULT_ANCHOR) -> PairedLatents:
    """All sounds as one side."""
    sides = read(next(iter(esc50(data, work))), encoders={"audio": encoders["audio"]}, anchor=anchor).sides("audio", ALL)
    assert sides is not None
    return sides.train.joined(sides.val).joined(sides.pairs["test"])


def held_out(table: Path, encoders: dict[str, str]) -> PairedLatents:
    """The test side's photos."""
    sides = read(table, encoders=encoders).sides("image", ("test",))
    assert sides is not None
    return sides.pairs["test"]


def unseen(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Ten draws of ten classes that no fit has seen."""
    ways = [Fresh(aligner=spec) for spec in ("auto", "ridge", "kernel-ridge", "bank", INFO_NCE, "seed")]
    found = zero_shot(everything(data, work, encoders), ways)
    print("| aligner | accuracy, chance .10 | minus the original recipe on the same draws |\n|---|---|---|")
    for one in found:
        gain, held = paired_draws(one, found[-1])
        print(f"| {one.aligner} | {one.accuracy:.3f} ± {one.spread:.3f} | {gain:+.3f} {interval(held)} |", flush=True)


def labelling(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """80/20 and 20/80, the projector fitted anew inside each split."""
    print("| labelled | aligner | features | accuracy |\n|---|---|---|---|")
    for spec in ("auto", "seed"):
        for one in probes(everything(data, work, encoders), Fresh(aligner=spec), split="all"):
            print(f"| {one.labelled} | {spec} | {one.features} | {one.accuracy:.3f} ± {one.spread:.3f} |", flush=True)


def never_paired(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Precision at 10 of dev photos for sounds: half the sources are fitted, the other half's sounds ask; 20 draws."""
    table, own = flickr8k(data, work), {"image": encoders["image"]}
    spaces = {spec: textanchor.fit(table, encoders=own, aligner=spec) for spec in ("ridge", "auto", "seed")}
    photos, sounds = held_out(table, own), everything(data, work, encoders)
    relevant = concepts(data, photos)
    found: dict[str, list[float]] = {}
    labels = named(sounds)
    for draw in range(DRAWS):
        known = half(sounds, draw)
        asked = ~known & np.isin(labels, list(relevant))
        for spec, space in spaces.items():
            both = with_sounds(space, spec, sounds, known, draw)
            scores = scored(both, ("audio", sounds.pooled[asked]), ("image", photos.pooled))
            found.setdefault(spec, []).append(precision(scores, labels[asked], relevant))
    print("| audio→image, never paired | P@10 over 20 draws | minus ridge on the same draws |\n|---|---|---|")
    for spec, held in found.items():
        gain = np.array(held) - found["ridge"]
        print(f"| {spec} | {spread(held)} | {over_draws(gain) if spec != 'ridge' else ''} |", flush=True)
    for spec, space in spaces.items():
        words = np.array(list(relevant))
        vectors = embed_texts(space, list(words))
        scores = scored(space.geometry, (TEXT, vectors), ("image", photos.pooled))
        print(f"| text→image, {spec}, with its view | {precision(scores, words, relevant):.3f} | |")
    print(f"| chance | {np.mean([held.mean() for held in relevant.values()]):.3f} | |")


def named(pairs: PairedLatents) -> np.ndarray:
    """The name of each item."""
    return np.array([pairs.texts[row] for row in pairs.first_text])


def half(sounds: PairedLatents, draw: int) -> np.ndarray:
    """Which sounds a draw knows: those of half of the sources."""
    sources = np.random.default_rng(draw).permutation(np.unique(sounds.groups))
    return np.isin(sounds.groups, sources[: len(sources) // 2])


def with_sounds(space: Space, spec: str, sounds: PairedLatents, known: np.ndarray, draw: int) -> Geometry:
    """The space's geometry, with a side for sounds that was fitted on the known ones."""
    train, val = inner(sounds, np.flatnonzero(known), draw)
    outcome = trial(spec, {"audio": Task(train=train, val=val, seed=draw)})
    return Geometry({**space.geometry.sides, "audio": outcome.geometry.side("audio")})


def scored(geometry: Geometry, asking: tuple[str, np.ndarray], asked: tuple[str, np.ndarray]) -> np.ndarray:
    """Scores of one modality's latents against another's."""
    (query, queries), (gallery, items) = asking, asked
    comparison = geometry.between(query, gallery)
    return np.asarray(
        comparison.query(geometry.project(query, queries)) @ comparison.gallery(geometry.project(gallery, items)).T
    )


def over_draws(gain: np.ndarray) -> str:
    """A mean difference with its interval over draws."""
    return f"{gain.mean():+.3f} {interval(bootstrap(gain, [str(draw) for draw in range(len(gain))]))}"


def inner(sounds: PairedLatents, known: np.ndarray, seed: int) -> tuple[PairedLatents, PairedLatents]:
    """Train and validation of a draw, by source."""
    cut = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    groups = np.array([sounds.groups[row] for row in known])
    train, val = next(iter(cut.split(known, sounds.first_text[known], groups)))
    return sounds.take(known[train]), sounds.take(known[val])


def concepts(data: Path, photos: PairedLatents) -> dict[str, np.ndarray]:
    """Sound name -> which photos have a caption that matches; names without any photo are left out."""
    texts: list[list[str]] = [[] for _ in photos.items.ids]
    for item, text in photos.edges:
        texts[item].append(photos.texts[text].lower())
    with (data / "emergent_concepts.csv").open() as stream:
        rows = {row["sound"].replace("_", " "): re.compile(row["caption_pattern"]) for row in csv.DictReader(stream)}
    found = {name: np.array([any(held.search(one) for one in told) for told in texts]) for name, held in rows.items()}
    return {name: mask for name, mask in found.items() if mask.any()}


def precision(scores: np.ndarray, labels: np.ndarray, relevant: dict[str, np.ndarray]) -> float:
    """P@10, mean over each concept's queries, then over concepts."""
    top = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    return float(np.mean([relevant[name][top[labels == name]].mean() for name in relevant if (labels == name).any()]))


def interval(held: Any) -> str:
    """Brackets."""
    return f"[{held[0]:+.3f}, {held[1]:+.3f}]" if held else ""


PARTS: dict[str, Part] = {
    "flickr8k": captions,
    "esc50": names,
    "unseen": unseen,
    "probes": labelling,
    "never-paired": never_paired,
}

if __name__ == "__main__":
    printed(__doc__, PARTS)
