"""What negatives in queries are worth: `python benchmarks/without.py DATA [--seeds 3]`.

DATA holds flickr8k/ and splits/. The default is fitted on the training photos, hyperparameters and ways are chosen on the
validation photos, which are not fitted; dev is judged once. A query is "X without Y"; a photo is relevant if a caption
mentions X and none mentions Y, by the expressions below. All pairs of concepts are asked of which a side has at least 15
photos with both and 15 with X alone. Prints Markdown; intervals are over queries, those of one X drawn together; figures are
means over seeds.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from losses import ALL, flickr8k, read

from textanchor.collections.asking.composing import Asking, compose
from textanchor.judging import trial
from textanchor.metrics.interval import bootstrap
from textanchor.records import PairedLatents
from textanchor.space import TEXT, Comparison, Geometry
from textanchor.space.preparing import Prepared
from textanchor.space.texts import embed_texts

CONCEPTS = {
    "a dog": r"dogs?|pupp(y|ies)|hounds?|terriers?|poodles?|collies?",
    "a ball": r"\w*balls?",
    "water": r"water|ocean|sea|lake|rivers?|pools?|ponds?|streams?|puddles?|surf\w*|waves?|creek|swim\w*",
    "snow": r"snow\w*|ski|skis|skier\w*|skiing|sled\w*|ic[ey]",
    "a man": r"man|men|guys?",
    "a woman": r"wom[ea]n|lad(y|ies)",
    "a child": r"child(ren)?|kids?|boys?|girls?|toddlers?|bab(y|ies)",
    "grass": r"grass\w*|lawn|field|meadow",
    "a beach": r"beach\w*|sand\w*|shore",
    "a bicycle": r"bikes?|bikers?|biking|cycl\w*|bicycl\w*|motorcycl\w*|motorbik\w*",
    "a crowd of people": r"people|crowd\w*|group",
    "a street": r"streets?|roads?|sidewalks?|city|pavement",
    "a mountain": r"mountain\w*|hills?|cliffs?|rocks?|rocky|peaks?",
    "a sports player": r"players?|teams?|soccer|football|basketball|baseball|hockey|tennis|rugby",
    "a hat": r"hats?|caps?|helmets?|hood",
    "a building": r"buildings?|walls?|houses?|stores?",
    "jumping": r"jump\w*|leap\w*|midair",
    "running": r"run\w*|racing",
    "sitting": r"sit\w*|seat\w*|bench\w*|chairs?",
}
ENOUGH, TOP, PHOTOS = 15, 10, 3
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Side:
    """Photos of one side under one fit: what their captions mention, raw vectors, galleries, and raw vectors of texts."""

    geometry: Geometry
    mentioned: dict[str, np.ndarray]
    photos: np.ndarray
    texts: dict[str, np.ndarray]
    galleries: dict[str, np.ndarray] = field(default_factory=dict)

    def gallery(self, comparison: Comparison) -> np.ndarray:
        """All photos, as a comparison asks them; worked out once."""
        if comparison.key not in self.galleries:
            self.galleries[comparison.key] = comparison.gallery(self.photos)
        return self.galleries[comparison.key]

    @property
    def pairs(self) -> list[Pair]:
        """The queries: with enough photos of both kinds."""
        held = self.mentioned
        return [
            (x, y)
            for x in CONCEPTS
            for y in CONCEPTS
            if x != y and (held[x] & held[y]).sum() >= ENOUGH and (held[x] & ~held[y]).sum() >= ENOUGH
        ]

    def asking(self, text: str, weight: float = 1.0) -> Asking:
        """A text as a part of a query for photos."""
        return Asking(comparison=self.geometry.between(TEXT, "image"), vector=self.texts[text], weight=weight)

    def like(self, photo: int) -> Asking:
        """A photo of this side as a part."""
        return Asking(comparison=self.geometry.between("image", "image"), vector=self.photos[photo], weight=1.0)

    def scores(self, *parts: Asking, way: str = "apart") -> np.ndarray:
        """Of all photos, as the library scores them."""
        composed = compose(parts, way=way)
        return composed.scores({voice.comparison.key: self.gallery(voice.comparison) for voice in composed.voices})

    def standard(self, text: str) -> np.ndarray:
        """Standard scores of a text."""
        scale = self.geometry.between(TEXT, "image").scale
        assert scale is not None
        return (self.scores(self.asking(text)) - scale[0]) / scale[1]


Way = Callable[[Side, str, str], np.ndarray]


def composed(way: str, weight: float) -> Way:
    """As the library does it."""
    return lambda side, x, y: side.scores(side.asking(x), side.asking(y, -weight), way=way)


def again_unit(weight: float) -> Way:
    """The difference of unit vectors brought to length 1 again, the correction of hubness whole."""

    def scores(side: Side, x: str, y: str) -> np.ndarray:
        one: Comparison = side.geometry.between(TEXT, "image")
        units = one.query_unit(np.stack([side.texts[x], side.texts[y]]))
        query = units[0] - weight * units[1]
        gallery = side.gallery(one)
        return np.asarray(gallery[:, : len(query)] @ (query / np.linalg.norm(query)) + gallery[:, len(query) :].sum(axis=1))

    return scores


def penalised(weight: float, least: float) -> Way:
    """A soft penalty on standard scores of the negative above `least`."""
    return lambda side, x, y: side.standard(x) - weight * np.logaddexp(0, side.standard(y) - least)


def dropped(most: float) -> Way:
    """Photos whose standard score with the negative is higher go to the end."""
    return lambda side, x, y: side.standard(x) - 1e3 * (side.standard(y) > most)


def uncorrected(side: Side, x: str, _: str) -> np.ndarray:
    """Bare cosines with the positive."""
    return side.geometry.between(TEXT, "image").cosine(side.texts[x][None], side.photos)[0]


WAYS: dict[str, Way] = {
    "positive only": lambda side, x, y: side.scores(side.asking(x)),
    "positive only, no correction of hubness": uncorrected,
    'the sentence "X without Y"': lambda side, x, y: side.scores(side.asking(f"{x} without {y}")),
    **{f"subtract, {weight:g}": composed("subtract", weight) for weight in (0.5, 0.75, 1.0)},
    **{f"subtract, at length 1 again, {weight:g}": again_unit(weight) for weight in (0.25, 0.5, 1.0)},
    "project": composed("project", 1.0),
    **{f"apart, {weight:g}": composed("apart", weight) for weight in (0.5, 0.75, 1.0, 1.5)},
    **{f"penalty above {least:g}, {weight:g}": penalised(weight, least) for weight in (1.0, 2.0) for least in (0.0, 1.0)},
    **{f"drop above {most:g}": dropped(most) for most in (0.5, 1.0, 1.5)},
}


def main() -> None:
    """Both tables."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("--seeds", type=int, default=3)
    asked = told.parse_args()
    with tempfile.TemporaryDirectory() as work:
        ready = read(flickr8k(asked.data, Path(work)))
    sides = ready.sides("image", ALL)
    assert sides is not None
    fits = [
        trial("auto", {"image": sides.task(device=ready.device, seed=seed, refit=False)}).geometry
        for seed in range(asked.seeds)
    ]
    judged = {name: [side_of(ready, one, sides.pairs[name]) for one in fits] for name in ("val", "test")}
    without(judged["val"], judged["test"])
    like_a_photo(judged["val"], judged["test"])
    several(judged["val"], judged["test"])


def side_of(ready: Prepared, geometry: Geometry, pairs: PairedLatents) -> Side:
    """A side under a fit."""
    told: list[list[str]] = [[] for _ in pairs.items.ids]
    for item, text in pairs.edges:
        told[item].append(pairs.texts[text].lower())
    found = {name: re.compile(rf"\b({one})\b") for name, one in CONCEPTS.items()}
    texts = [*CONCEPTS, *(f"{x} without {y}" for x in CONCEPTS for y in CONCEPTS if x != y)]
    return Side(
        geometry=geometry,
        mentioned={name: np.array([any(map(one.search, own)) for own in told]) for name, one in found.items()},
        photos=geometry.project("image", pairs.pooled),
        texts=dict(zip(texts, embed_texts(ready.base, texts), strict=True)),
    )


def without(chosen: list[Side], judged: list[Side]) -> None:
    """Texts without texts, by every way."""
    print(f"{len(chosen[0].pairs)} queries of validation, {len(judged[0].pairs)} of dev")
    print("| way | validation: P@10 | with Y | dev: P@10 | minus positive only | with Y |\n|" + "---|" * 6)
    groups, dev = [x for x, _ in judged[0].pairs], dict[str, np.ndarray]()
    for name, way in WAYS.items():
        first, second = (over(sides, way) for sides in (chosen, judged))
        dev[name] = second[0]
        gain = second[0] - dev["positive only"]
        print(
            f"| {name} | {first[0].mean():.3f} | {first[1].mean():.3f} | {ranged(second[0], groups)} | "
            f"{signed(gain, groups)} | {second[1].mean():.3f} |",
            flush=True,
        )
    for other in ("subtract, 1", "project", "penalty above 0, 1"):
        print(f"\napart, 1 minus {other}, dev, paired: {signed(dev['apart, 1'] - dev[other], groups)}")


def over(sides: list[Side], way: Way) -> tuple[np.ndarray, np.ndarray]:
    """P@10 and the share of the top ten that has Y, a query each, means over fits."""
    found = [[top(side, pair, way(side, *pair)) for pair in side.pairs] for side in sides]
    mean = np.array(found).mean(axis=0)
    return mean[:, 0], mean[:, 1]


def top(side: Side, pair: Pair, scores: np.ndarray) -> tuple[float, float]:
    """Of the ten best: the share that is relevant, and the share with Y."""
    best = np.argsort(-scores, kind="stable")[:TOP]
    wanted, unwanted = (side.mentioned[name] for name in pair)
    return float((wanted & ~unwanted)[best].mean()), float(unwanted[best].mean())


def several(chosen: list[Side], judged: list[Side]) -> None:
    """Two that are wanted; two wanted and one not; one wanted and two not. The first fit."""
    both: dict[str, Callable[[Side, Sequence[str]], np.ndarray]] = {
        "mean of unit vectors": lambda side, x: side.scores(*map(side.asking, x)),
        "sum of scores": lambda side, x: side.scores(side.asking(x[0])) + side.scores(side.asking(x[1])),
        "lowest score": lambda side, x: np.minimum(*(side.scores(side.asking(one)) for one in x)),
    }
    print("\n| parts | way | queries, val / dev | P@10, val | dev |\n|" + "---|" * 5)
    for name, scores in both.items():
        row("X, Y", name, [over_parts(side[0], 2, 0, lambda s, x, y, f=scores: f(s, x)) for side in (chosen, judged)])
    for wanted, unwanted, label in ((2, 1, "X, Y, not Z"), (1, 2, "X, not Y, not Z")):
        for weight in (0.0, 0.5, 0.75, 1.0, 1.5, 2.0):

            def scored(side: Side, x: Sequence[str], y: Sequence[str], weight: float = weight) -> np.ndarray:
                return side.scores(*map(side.asking, x), *(side.asking(one, -weight) for one in y if weight))

            found = [over_parts(side[0], wanted, unwanted, scored) for side in (chosen, judged)]
            row(label, f"apart, {weight:g}" if weight else "without negatives", found)


def row(label: str, way: str, found: list[np.ndarray]) -> None:
    """One line of the table."""
    counts, means = " / ".join(str(len(one)) for one in found), " | ".join(f"{one.mean():.3f}" for one in found)
    print(f"| {label} | {way} | {counts} | {means} |", flush=True)


def over_parts(side: Side, wanted: int, unwanted: int, scored: Callable[..., np.ndarray]) -> np.ndarray:
    """P@10 of all queries with enough photos."""
    done = []
    for parts in combinations(CONCEPTS, wanted + unwanted):
        for y in combinations(parts, unwanted):
            x = [one for one in parts if one not in y]
            has = np.all([side.mentioned[one] for one in x], axis=0)
            bad = np.any([side.mentioned[one] for one in y], axis=0) if y else ~has
            if (has & ~bad).sum() >= ENOUGH and (not y or all((has & side.mentioned[one]).sum() >= ENOUGH for one in y)):
                best = np.argsort(-scored(side, x, y), kind="stable")[:TOP]
                done.append((has & ~bad)[best].mean())
    return np.array(done)


def like_a_photo(chosen: list[Side], judged: list[Side]) -> None:
    """Photos of X and Y ask without the text Y; standard scores of two galleries are summed."""
    print(
        f"\n| like a photo of X and Y, without the text Y; {PHOTOS} photos a pair | P@10, val | with Y | dev | minus | with Y |"
    )
    print("|" + "---|" * 6)
    groups, base = [x for x, _ in judged[0].pairs], np.empty(0)
    for weight in (0.0, 0.25, 0.5, 1.0, 1.5):
        first, second = (photos(sides, weight) for sides in (chosen, judged))
        base = base if len(base) else second[0]
        told = f"weight {weight:g}" if weight else "the photo alone"
        print(
            f"| {told} | {first[0].mean():.3f} | {first[1].mean():.3f} | "
            f"{ranged(second[0], groups)} | {signed(second[0] - base, groups)} | {second[1].mean():.3f} |",
            flush=True,
        )


def photos(sides: list[Side], weight: float) -> tuple[np.ndarray, np.ndarray]:
    """P@10 and the share with Y, means over photos and fits."""
    found = [[np.mean(list(of_photos(side, pair, weight)), axis=0) for pair in side.pairs] for side in sides]
    mean = np.array(found).mean(axis=0)
    return mean[:, 0], mean[:, 1]


def of_photos(side: Side, pair: Pair, weight: float) -> list[tuple[float, float]]:
    """The first few photos that have both."""
    done = []
    for photo in np.flatnonzero(side.mentioned[pair[0]] & side.mentioned[pair[1]])[:PHOTOS]:
        parts = [side.like(photo), *([side.asking(pair[1], -weight)] if weight else [])]
        scores = side.scores(*parts)
        scores[photo] = -np.inf
        done.append(top(side, pair, scores))
    return done


def ranged(values: np.ndarray, groups: list[str]) -> str:
    """Mean and interval."""
    held = bootstrap(values, groups)
    return f"{values.mean():.3f} [{held[0]:.3f}, {held[1]:.3f}]" if held else f"{values.mean():.3f}"


def signed(gain: np.ndarray, groups: list[str]) -> str:
    """Mean difference and interval; nothing where there is none."""
    held = bootstrap(gain, groups)
    return f"{gain.mean():+.3f} [{held[0]:+.3f}, {held[1]:+.3f}]" if held and gain.any() else ""


if __name__ == "__main__":
    main()
