"""Care for the labels: `python benchmarks/care.py wrong|unknown|new|several [--sets esc caltech ...] [--seeds N]`.

`wrong`: 5 % of all labels of a set are exchanged for another class at random; how many of them are among the first 10 % that
are suspected. `unknown`: a fifth of the classes is left out, of the rest a fifth of the items is labelled at random; how well
strangeness tells items of theirs from the others, and how many are flagged at 5 %. `new`: which of those classes are found
among the largest clusters, and how they are called, by a vocabulary of all classes of the set, or of those and ImageNet's;
items come into the anchor's space by a regression from the labelled items to their classes' texts. `several`: two of
scikit-learn's digits side by side, which ones. All but the last need `../shared`. Prints Markdown; intervals are Student's over
seeds, 95 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from asking import spread
from label_sets import LabelSet, label_set, texts_of, unseen
from sklearn.datasets import load_digits
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import f1_score, roc_auc_score

from textanchor.encoders.imagenet import imagenet
from textanchor.labelling.care import ManyLabelled, NewClass, Several, Vocabulary, discover, several, suspects, unknowns
from textanchor.labelling.choosing import choose
from textanchor.labelling.features import half_whitened
from textanchor.labelling.guarantee import Promise
from textanchor.labelling.pool import Labelled, Pool

SETS = ("esc", "esc-by-source", "caltech", "fsdd", "fsdd-by-speaker", "mnist")
INJECTED, LOOKED_AT = 0.05, 0.1


def main() -> None:
    """One table."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("table", choices=["wrong", "unknown", "new", "several"])
    told.add_argument("--sets", nargs="*", default=SETS)
    told.add_argument("--seeds", type=int, default=5)
    asked = told.parse_args()
    if asked.table == "several":
        many(asked.seeds)
        return
    heads = {
        "wrong": ("proposer, accuracy out of fold", "self-confidence", "cleanlab", "unsorted"),
        "unknown": ("AUROC of strangeness", "of 1 - probability", "known flagged at 5 %", "left out flagged at 5 %"),
        "new": ("classes left out", "found", "right among clusters shown", "named right", "among three", "of 1000 more names"),
    }
    head = ("set", *heads[asked.table])
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for name in asked.sets:
        cells = {"wrong": wrong, "unknown": unknown, "new": new}[asked.table](label_set(name), asked.seeds)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def wrong(given: LabelSet, seeds: int) -> list[str]:
    """Shares of the injected labels that are found in the first tenth."""
    rows, facts = [], ""
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        exchanged = rng.permutation(len(given.truth))[: round(INJECTED * len(given.truth))]
        told = given.truth.copy()
        told[exchanged] = (told[exchanged] + rng.integers(1, len(given.pool.classes), len(exchanged))) % len(given.pool.classes)
        known = Labelled(rows=np.arange(len(told)), classes=told, drawn=np.ones(len(told), dtype=bool))
        chosen = choose(given.pool, known, seed=seed)
        facts = f"{chosen.name}, {chosen.accuracy:.3f}"
        found = (suspects(chosen.out_of_fold, known, by=by).first(LOOKED_AT) for by in ("self-confidence", "cleanlab"))
        rows.append([float(np.isin(exchanged, first).mean()) for first in found])
    return [facts, *(spread(list(column)) for column in zip(*rows, strict=True)), f"{LOOKED_AT:.2f}"]


def left_out(given: LabelSet, seed: int) -> tuple[Labelled, np.ndarray]:
    """A fifth of the items, none of the classes left out, and which classes those are."""
    count = len(given.pool.classes)
    gone = np.random.default_rng(seed).permutation(count)[: count // 5]
    rows = given.splits(count=seed + 1)[seed]
    rows = rows[~np.isin(given.truth[rows], gone)]
    return given.known(rows), gone


def unknown(given: LabelSet, seeds: int) -> list[str]:
    """How well items of classes left out are told from the others, and how many of either are flagged."""
    rows = []
    for seed in range(seeds):
        known, gone = left_out(given, seed)
        rest = unseen(given, known.rows)
        strange, lacking = unknowns(given.pool, known), np.isin(given.truth[rest], gone)
        proposals = choose(given.pool, known, seed=seed).proposer.propose(given.pool, known, seed=seed)[rest]
        flagged = strange.p[rest] <= 0.05
        areas = [float(roc_auc_score(lacking, one)) for one in (strange.strangeness[rest], -proposals.max(axis=1))]
        rows.append([*areas, float(flagged[~lacking].mean()), float(flagged[lacking].mean())])
    return [spread(list(column)) for column in zip(*rows, strict=True)]


def new(given: LabelSet, seeds: int) -> list[str]:
    """Which classes are found among the largest clusters, twice as many as were left out, and by which names."""
    rows = []
    for seed in range(seeds):
        known, gone = left_out(given, seed)
        kept = tuple(name for code, name in enumerate(given.pool.classes) if code not in gone)
        pool, vectors = replace(given.pool, classes=kept, texts=None), anchored(given, known)
        strange, cells = unknowns(pool, known), []
        for more in ((), imagenet_names(given)):
            texts = (*given.pool.classes, *more)
            vocabulary = Vocabulary(texts=texts, vectors=texts_of(texts))
            found = discover(pool, known, strange, vectors=vectors, vocabulary=vocabulary)[: 2 * len(gone)]
            cells += _of_clusters(given, found, gone.tolist())[2 if more else 0 : 3 if more else 4]
        rows.append(cells)
    count = len(given.pool.classes) // 5
    return [f"{count} of {len(given.pool.classes)}", *(spread(list(column)) for column in zip(*rows, strict=True))]


def _of_clusters(given: LabelSet, found: Sequence[NewClass], gone: Sequence[int]) -> list[float]:
    """Share of the classes left out that are found, of the clusters that are one of them by half, and of those named right."""
    kinds = [np.bincount(given.truth[one.rows], minlength=len(given.pool.classes)) for one in found]
    right = [int(kind.argmax()) in gone and kind.max() >= 0.5 * kind.sum() for kind in kinds]
    called = [
        [text == given.pool.classes[int(kind.argmax())] for text, _ in one.names]
        for one, kind, fine in zip(found, kinds, right, strict=True)
        if fine
    ]
    classes = {int(kind.argmax()) for kind, fine in zip(kinds, right, strict=True) if fine}
    first, three = (float(np.mean([any(one[:few]) for one in called])) if called else 0.0 for few in (1, 3))
    return [len(classes) / len(gone), float(np.mean(right)) if right else 0.0, first, three]


def anchored(given: LabelSet, known: Labelled) -> np.ndarray:
    """Items in the anchor's space by kernel ridge regression on the labelled ones."""
    texts = texts_of(given.pool.classes)
    model = KernelRidge(alpha=0.1, kernel="rbf", gamma=1.0).fit(given.pool.places[known.rows], texts[known.classes])
    return np.asarray(model.predict(given.pool.places), dtype=np.float32)


def imagenet_names(given: LabelSet) -> tuple[str, ...]:
    """The first names of ImageNet's classes, but for the set's own."""
    names = imagenet(np.empty((1000, 0), dtype=np.float32), np.empty(1000, dtype=np.float32)).names
    return tuple(sorted({one[0] for one in names} - set(given.pool.classes)))


def many(seeds: int) -> None:
    """Two digits side by side: 400 of 2000 labelled at random, 10 % promised of each class."""
    given, rows = load_digits(), []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        two = rng.integers(len(given.data), size=(2000, 2))
        has, own = (given.target[two][:, :, None] == np.arange(10)).any(axis=1), np.arange(2000)
        sight = half_whitened("image", np.concatenate(given.data[two].transpose(1, 0, 2), axis=1).astype(np.float32))
        pool = Pool(features=(sight,), classes=tuple("0123456789"), groups=own, contents=own)
        labelled = rng.permutation(2000)[:400]
        known = ManyLabelled(rows=labelled, has=has[labelled], drawn=np.ones(400, dtype=bool))
        rows.append(_kept(several(pool, known, Promise(level=0.1, seed=seed), seed=seed), has))
    print("| F1, mean of classes | let through of those that have it | error, mean of classes | classes above 10 % |")
    print(f"|---|---|---|---|\n| {' | '.join(spread(list(column)) for column in zip(*rows, strict=True))} |")


def _kept(found: Several, has: np.ndarray) -> list[float]:
    rest, shares, errors = found.rest, [], []
    for one, decision in enumerate(found.decisions):
        right = has[rest, one]
        shares.append((decision.accepted & right).sum() / right.sum())
        errors.append((~right[decision.accepted]).mean() if decision.accepted.any() else 0.0)
    f1 = float(f1_score(has[rest], found.proposed[rest], average="macro"))
    return [f1, float(np.mean(shares)), float(np.mean(errors)), float(np.mean(np.array(errors) > 0.1))]


if __name__ == "__main__":
    main()
