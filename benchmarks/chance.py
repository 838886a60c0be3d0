"""Whether the line holds what it says: `python benchmarks/chance.py DATA MODELS [--parts digits ...]`.

DATA and MODELS as in `reference.py`. Spaces are fitted with the default; the test side, of which nothing was seen, is the
gallery and asks. Above the line at level L at most the share L of hits is to be there by chance: *chance* is the mean share of
hits above the line that do not belong to their query (0 where nothing stands above it), *found* the mean share of what belongs
that stands above it. *removed*: how often anything stands above the line once all that belongs to the query was taken out of
the gallery; *foreign*: of 20 sentences that fit nothing. Prints Markdown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from losses import esc50, flickr8k
from reference import printed

import textanchor
from textanchor.collections import Index, build_index, search
from textanchor.metrics.chance import above_line

LEVELS = (0.05, 0.1, 0.2)
ASKED = 200  # queries of one kind, at most
FOREIGN = (
    "the quarterly tax return was filed late", "a proof by induction over the natural numbers", "asdf qwer zxcv",
    "the committee postponed the vote on article seven", "interest rates rose by a quarter of a percent", "xyzzy plugh",
    "this clause survives termination of the agreement", "lorem ipsum dolor sit amet", "SELECT name FROM users WHERE id = 3",
    "the adjective agrees with its noun in case and number", "jjjj kkkk llll", "blorptang fizzlewick",
    "monetary policy and its transmission", "an appeal was lodged with the constitutional court", "import numpy as np",
    "the derivative of a constant is zero", "metaphysics of modality", "please find attached the minutes", "0x7f3a9c",
    "the bond matures in twelve years",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Side:
    """A gallery that nobody has seen: its index, the texts of each row, and queries by kind with the rows that belong."""

    space: textanchor.Space
    index: Index
    texts: list[set[str]]

    def belongs(self, texts: set[str]) -> np.ndarray:
        """Rows that share a text."""
        return np.array([bool(texts & own) for own in self.texts])


def main() -> None:
    """Print a table a part."""
    printed(__doc__, {"digits": digits, "mnist-fsdd": official, "esc50": sounds, "flickr8k": captions, "mixed": mixed})


def digits(_: Path, work: Path, encoders: dict[str, str]) -> None:
    """Handwritten and spoken digits without any pretrained encoder, in one gallery."""
    table = textanchor.write_sample("digits", work / "digits") / "pairs.csv"
    table_of([judged(table, {"image": "signal", "audio": "signal"})])


def official(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """The same with pretrained encoders and the official test parts."""
    table = textanchor.write_sample("mnist-fsdd", work / "official", root=data) / "pairs.csv"
    table_of([judged(table, encoders)])


def sounds(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Five folds."""
    table_of([judged(table, encoders) for table in esc50(data, work)])


def captions(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Dev photos and their captions, each of which belongs to one photo alone."""
    table_of([judged(flickr8k(data, work), encoders)])


def mixed(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Photos and sounds in one gallery, asked by name: which order finds both."""
    photos = textanchor.read_pairs(flickr8k(data, work))
    seeing = textanchor.fit(photos, encoders={"image": encoders["image"]})
    dev = [pair for pair in photos.rows if pair.split == "test"]
    captioned: dict[str, list[str]] = {}
    for pair in dev:
        captioned.setdefault(pair.item.id, []).append(pair.text.lower())
    shown = {pair.item.id: pair.item for pair in dev}
    with (data / "emergent_concepts.csv").open() as stream:
        concepts = {row["sound"].replace("_", " "): re.compile(row["caption_pattern"]) for row in csv.DictReader(stream)}
    told = []
    for table in esc50(data, work):
        sounds = textanchor.read_pairs(table)
        space = textanchor.fit(sounds, encoders={"audio": encoders["audio"]}, into=seeing)
        heard = {pair.item.id: pair for pair in sounds.rows if pair.split == "test"}
        index = build_index(space, [*shown.values(), *(pair.item for pair in heard.values())])
        for name, held in concepts.items():
            belongs = np.array(
                [
                    heard[item.id].text == name if item.id in heard else any(map(held.search, captioned[item.id]))
                    for item in index.items
                ]
            )
            if len({item.modality for item, own in zip(index.items, belongs, strict=True) if own}) == 2:
                orders = [search(space, name, index, k=len(belongs), order=order) for order in ("chance", "score")]
                told.append([of_mixed(hits, index, belongs) for hits in orders])
    print("| order | mAP | P@10 | sounds that belong, among the best 20 |")
    print("|---|---|---|---|")
    for order, row in zip(("p-value", "raw score"), np.mean(np.array(told), axis=0), strict=True):
        print(f"| {order} | {row[0]:.3f} | {row[1]:.3f} | {row[2]:.3f} |")
    gain = np.array(told)[:, 0, 0] - np.array(told)[:, 1, 0]
    error = gain.std() / len(gain) ** 0.5
    print(f"\n{len(gain)} queries; mAP of the first minus that of the second {gain.mean():+.3f} +- {error:.3f}")


def of_mixed(hits: Any, index: Index, belongs: np.ndarray) -> tuple[float, float, float]:
    """Average precision, precision of the best ten, and how many of the sounds that belong stand among the best twenty."""
    rows = {(item.modality, item.id): row for row, item in enumerate(index.items)}
    order = [rows[hit.modality, hit.id] for hit in hits]
    sounds = np.array([item.modality == "audio" for item in index.items]) & belongs
    return precision(belongs[order]), float(belongs[order[:10]].mean()), float(sounds[order[:20]].sum() / sounds.sum())


def judged(table: Path, encoders: Mapping[str, str]) -> Side:
    """A space fitted on train and validation, and its test side."""
    pairs = textanchor.read_pairs(table)
    own = {kind: name for kind, name in encoders.items() if kind in pairs.modalities}
    space = textanchor.fit(pairs, encoders=own)
    rows = [pair for pair in pairs.rows if pair.split == "test"]
    items = list({pair.item.id: pair.item for pair in rows}.values())
    texts: dict[str, set[str]] = {}
    for pair in rows:
        texts.setdefault(pair.item.id, set()).add(pair.text)
    index = build_index(space, items)
    return Side(space=space, index=index, texts=[texts[item.id] for item in index.items])


def kinds(side: Side) -> Iterator[tuple[str, str | None, list[Any], list[set[str]]]]:
    """Who asks what: texts and items of each modality, a gallery of one modality and all together."""
    rng = np.random.default_rng(0)
    named = sorted(set().union(*side.texts))
    drawn = sorted(rng.permutation(named)[:ASKED].tolist())
    galleries = (*side.index.modalities, *((None,) if len(side.index.modalities) > 1 else ()))
    for gallery in galleries:
        yield "text", gallery, drawn, [{text} for text in drawn]
        for kind in side.index.modalities:
            rows = [row for row, item in enumerate(side.index.items) if item.modality == kind]
            if all(len(side.texts[row]) == 1 for row in rows):  # items of captions belong to nothing but themselves
                some = rng.permutation(rows)[:ASKED]
                yield kind, gallery, [side.index.items[row] for row in some], [side.texts[row] for row in some]


def table_of(sides: list[Side]) -> None:
    """A row for each kind of query and gallery, means over all sides."""
    print("| query -> gallery | level | chance | found | answered | removed | foreign | mAP by p / by score |")
    print("|---|---|---|---|---|---|---|---|")
    rows: dict[tuple[str, float], list[tuple[float, ...]]] = {}
    for side in sides:
        for asking, gallery, queries, texts in kinds(side):
            name = f"{asking} -> {gallery or 'all'}"
            for level in LEVELS:
                rows.setdefault((name, level), []).append(measured(side, gallery, queries, texts, level, asking))
    for (name, level), told in rows.items():
        chance, found, answered, removed, foreign, by_p, by_score = np.mean(np.array(told), axis=0)
        order = f"{by_p:.3f} / {by_score:.3f}" if name.endswith("all") else ""
        alien = "" if np.isnan(foreign) else f"{foreign:.3f}"
        print(
            f"| {name} | {level:g} | {chance:.3f} | {found:.3f} | {answered:.3f} | {removed:.3f} | {alien} | {order} |",
            flush=True,
        )


def measured(
    side: Side, gallery: str | None, queries: list[Any], texts: list[set[str]], level: float, asking: str
) -> tuple[float, ...]:
    """Chance, found, answered, removed, foreign, and mean average precision by p-values and by bare scores."""
    rows = [row for row, item in enumerate(side.index.items) if gallery in (None, item.modality)]
    scores, p = scored(side, asking, side.space.embed(queries), rows)
    ids = [side.index.items[row] for row in rows]
    told = []
    for number, (query, own) in enumerate(zip(queries, texts, strict=True)):
        others = np.array([item is not query for item in ids])
        belongs = side.belongs(own)[rows][others]
        if not belongs.any():
            continue
        chances, bare = p[number][others], scores[number][others]
        order = np.lexsort((-bare, chances))  # beyond all chance scores p-values are equal
        right = belongs[order]
        line = above_line(chances[order], len(order), level)
        left = np.sort(chances[~belongs])
        told.append(
            (
                1 - right[:line].mean() if line else 0.0,
                right[:line].sum() / right.sum(),
                line > 0,
                above_line(left, len(left), level) > 0,
                precision(right),
                precision(belongs[np.argsort(-bare, kind="stable")]),
            )
        )
    foreign = np.nan
    if asking == "text":
        alien = np.sort(scored(side, asking, side.space.embed(list(FOREIGN)), rows)[1], axis=1)
        foreign = float(np.mean([above_line(row, len(row), level) > 0 for row in alien]))
    chance, found, answered, removed, by_p, by_score = np.mean(np.array(told, dtype=float), axis=0)
    return chance, found, answered, removed, foreign, by_p, by_score


def scored(side: Side, asking: str, queries: np.ndarray, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and p-values of all rows for each query."""
    kinds = np.array([side.index.items[row].modality for row in rows])
    scores, p = np.empty((len(queries), len(rows))), np.empty((len(queries), len(rows)))
    for kind in dict.fromkeys(kinds):
        comparison = side.space.geometry.between(asking, kind)
        assert comparison.chance is not None
        own = kinds == kind
        scores[:, own] = comparison.query(queries) @ comparison.gallery(side.index.holding.raw(kind)).T
        p[:, own] = comparison.chance.p(scores[:, own])
    return scores, p


def precision(right: np.ndarray) -> float:
    """Average precision of a ranking."""
    places = np.flatnonzero(right)
    return float(np.mean(np.arange(1, len(places) + 1) / (places + 1))) if len(places) else 0.0


if __name__ == "__main__":
    main()
