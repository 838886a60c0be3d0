"""What few pairs reach, by method: `python benchmarks/few_pairs.py DATA MODELS -o FOLDER [--parts ...] [--methods ...]`.

DATA holds flickr8k/, esc50_part/, mnist/, fsdd/ and splits/; MODELS the folders mobilenet_v1_0.75_224 and audioset_mn04.
A share of the training photos keeps its pairs; half of the other photos leave their image, the other half their captions, so
that no unpaired image has its partner among the unpaired captions. A fifth of the pairs that are left chooses all values, and
all of them are fitted in the end; dev is judged once a cell. Networks get equal trials on the first draw of 10 %, whose values
all shares take. Cells are kept in FOLDER and never fitted twice. Prints Markdown: R@1/5/10, and paired differences over photos.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import cast

import joblib
from few_pairs_tables import printed
from losses import ALL, flickr8k, read

from textanchor.bench.search import study, suggested, tell
from textanchor.errors import InputError
from textanchor.files import digest, read_json, write_json
from textanchor.judging import judge, trial
from textanchor.space.preparing import Sides
from textanchor.space.thinning import thinned, with_own_validation

KERNEL = "kernel-ridge(landmarks=2000, view=canonical, hubness=csls)"
NAMES = "with-names(base=kernel-ridge(landmarks=2000), hubness=csls)"
SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
PARTS = ("mobilenet", "efficientnet")
TRIALS = 3  # beside the defaults
TUNED_AT = 0.1  # the share whose values all others take


@dataclass(frozen=True, kw_only=True)
class Method:
    """A row: its aligner, whether the encoder's names are known to it, whether it is tuned by trials, and its budgets.

    `together`: the photos that lost their captions leave both, so that partners are there to be found.
    """

    spec: str
    names: bool = False
    tuned: bool = False
    together: bool = False
    shares: Sequence[float] = SHARES


NETWORKS = (1.0, 0.5, 0.25, 0.1)
METHODS: Mapping[str, Method] = {
    "ridge, centred": Method(spec="ridge(hubness=csls)"),
    "CCA": Method(spec="cca(hubness=csls)"),
    "kernel CCA, pairs only": Method(spec=KERNEL),
    "matched control: bank of all data, no rounds": Method(spec=f"soft-pairs(base={KERNEL}, rounds=0)"),
    "soft pairs (Sinkhorn)": Method(spec=f"soft-pairs(base={KERNEL})"),
    "soft pairs, view chosen": Method(spec="soft-pairs"),
    "soft pairs by row softmax, hubs uncontrolled": Method(
        spec=f"soft-pairs(base={KERNEL}, matching=softmax)", shares=(0.25, 0.1, 0.05)
    ),
    "soft pairs, partners among the captions": Method(
        spec=f"soft-pairs(base={KERNEL})", together=True, shares=(0.25, 0.1, 0.05)
    ),
    "hard mutual neighbours": Method(spec=f"mutual-neighbours(base={KERNEL})"),
    "CSA": Method(spec="csa(hubness=csls)"),
    "ASIF": Method(spec="asif(hubness=csls)"),
    "Procrustes": Method(spec="procrustes(hubness=csls)"),
    "Wasserstein-Procrustes": Method(spec="wasserstein-procrustes"),
    "structure matching": Method(spec="structure", shares=(0.1, 0.05, 0.02)),
    "teacher and transport (SOTAlign)": Method(spec="transport-taught", shares=(0.25, 0.1, 0.05, 0.02)),
    "text-only across the gap": Method(spec="text-only", shares=(0.25, 0.1, 0.05, 0.02)),
    "InfoNCE with latent mixup": Method(
        spec="gradient(loss=info-nce, projector=mlp(dropout=0.3), mixup=1, hubness=csls)", shares=NETWORKS
    ),
    "VSE++": Method(spec="vse", tuned=True, shares=(*NETWORKS, 0.05, 0.02)),
    "adversarial (He 2017)": Method(spec="adversarial", tuned=True, shares=NETWORKS),
    "jWAE": Method(spec="jwae", tuned=True, shares=NETWORKS),
    "cycle system": Method(spec="cycle", tuned=True, shares=NETWORKS),
    "vec2vec variant": Method(spec="vec2vec", tuned=True, shares=(0.1,)),
    "names and pairs": Method(spec=NAMES, names=True),
    "names and soft pairs": Method(spec=f"soft-pairs(base={NAMES})", names=True),
    "the default (auto)": Method(spec="auto", names=True),
}


def main() -> None:
    """Fit what is missing, print what there is."""
    told = arguments(__doc__)
    told.add_argument("--methods", nargs="+", default=list(METHODS), metavar="NAME")
    told.add_argument("--shares", nargs="+", type=float, default=sorted(SHARES), metavar="SHARE", help="in the order of work")
    told.add_argument("--seeds", type=int, default=3)
    told.add_argument("--print-only", action="store_true")
    asked = told.parse_args()
    for part in asked.parts:
        folder = asked.output / part
        if not asked.print_only:
            sides = latents(folder, part, asked.data.resolve(), asked.models.resolve())
            for share, name in product(asked.shares, asked.methods):
                if share in METHODS[name].shares:
                    filled(folder, sides, name, share, asked.seeds)
        print(f"\n### {part}\n", flush=True)
        printed(folder, list(METHODS), SHARES)


def arguments(doc: str | None, parts: Sequence[str] = PARTS) -> argparse.ArgumentParser:
    """What every benchmark on these latents is told: where data, models and cells are, and which parts to do."""
    told = argparse.ArgumentParser(description=doc)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("-o", "--output", type=Path, required=True)
    told.add_argument("--parts", nargs="+", choices=parts, default=parts)
    return told


def latents(folder: Path, part: str, data: Path, models: Path) -> Sides:
    """Flickr8k under one of the encoders, encoded once a folder; dev is its test side."""
    kept = folder / "latents.joblib"
    if not kept.exists():
        encoder = {"mobilenet": f"hub:{models / 'mobilenet_v1_0.75_224'}", "efficientnet": "efficientnet-lite0"}[part]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            joblib.dump(read(flickr8k(data, Path(work)), encoders={"image": encoder}).sides("image", ALL), kept)
    return cast(Sides, joblib.load(kept))


def filled(folder: Path, sides: Sides, name: str, share: float, seeds: int) -> None:
    """Every cell of a method and a share that the folder lacks."""
    method = METHODS[name]
    spec = method.spec
    for seed in range(seeds):
        cell = _cell(folder, name, share, seed)
        if method.tuned and seed == 0:
            spec = tuned(_cell(folder, name, TUNED_AT, 0), spec, few(sides, TUNED_AT, 0))
        if cell.exists():
            continue
        start = time.perf_counter()
        found = measured(spec, few(sides, share, seed, names=method.names, together=method.together), seed)
        print(f"{name} · {share} · seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
        write_json(cell, {"method": name, "spec": spec, "share": share, "seed": seed, **found})


def _cell(folder: Path, name: str, share: float, seed: int) -> Path:
    return folder / f"{digest(name, METHODS[name].spec, str(share), str(seed))[:16]}.json"


def few(sides: Sides, share: float, seed: int, *, names: bool = False, together: bool = False) -> Sides:
    """So few pairs, a fifth of which chooses."""
    kept = with_own_validation(thinned(sides, share, seed, disjoint=not together), seed=seed)
    return kept if names else replace(kept, named=None)


def tuned(cell: Path, spec: str, sides: Sides) -> str:
    """The best of the defaults and of equally many trials, on the pairs' own validation; remembered beside the cell."""
    place = cell.with_suffix(".trials.json")
    if not place.exists():
        search = study(seed=0)
        tried: list[tuple[float, str]] = []
        for number in range(TRIALS + 1):
            asked = search.ask() if number else None
            mine = spec if asked is None else suggested(asked, spec)
            try:
                outcome = trial(mine, {"image": sides.task(device="cpu", seed=0, refit=False)})
                score = outcome.fits["image"].choice.score
            except InputError:
                score = None
            if asked is not None:
                tell(search, asked, score)
            tried.append((score or 0.0, mine))
        write_json(place, sorted(tried, reverse=True))
    return str(read_json(place)[0][1])


def measured(spec: str, sides: Sides, seed: int) -> dict[str, object]:
    """Places of the first right answer on dev, both ways, and what the fit says; or why there is no fit."""
    try:
        outcome = trial(spec, {"image": sides.task(device="cpu", seed=seed)})
    except InputError as why:
        return {"failed": str(why)}
    there, back = judge(outcome.geometry, {"image": sides.pairs["test"]}).alignment
    choice = outcome.fits["image"].choice
    return {
        "seconds": outcome.seconds,
        "pairs": len(sides.train.items) + len(sides.val.items),
        "chosen": choice.described(),
        "ranks": {one.name: one.retrieval.rank.tolist() for one in (there, back)},
        "groups": {one.name: list(one.groups) for one in (there, back)},
    }


if __name__ == "__main__":
    main()
