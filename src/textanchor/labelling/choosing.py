"""Which proposer to take, by labels that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from textanchor import registry
from textanchor.errors import InputError
from textanchor.labelling.pool import Labelled, Pool, Probabilities, Rows
from textanchor.labelling.proposers.protocol import Proposer

CANDIDATES = ("logistic", "kernel-ridge", "em")
UNTOLD = "em"  # where folds say nothing: on digits and made-up mixtures the best by far at one label a class
FOLDS = 10
BESIDE = 10_000  # unlabelled items among which candidates are tried
EVENLY = 1e-3  # of a probability, so that one certain mistake does not make a log loss


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """How a proposer did on labels it had not seen: share right with its standard error, and mean log loss in nats."""

    name: str
    accuracy: float
    error: float
    loss: float


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The proposer that did best, what it said of each label out of fold, and how all candidates did, the best first.

    `proposers` are all candidates by name, and `said` what each of them said of each label out of fold. `fold` [m] is the fold
    of each label, `watched` are some rows without one, and `beside` [folds, k, c] what the model of each fold said of these.
    """

    name: str
    proposer: Proposer
    accuracy: float
    out_of_fold: Probabilities
    table: tuple[Candidate, ...]
    proposers: Mapping[str, Proposer]
    said: Mapping[str, Probabilities]
    fold: Rows
    watched: Rows
    beside: Mapping[str, Float32[np.ndarray, "f k c"]]


def choose(
    pool: Pool,
    labelled: Labelled,
    *,
    names: Sequence[str] = (),
    proposers: Mapping[str, Proposer] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    watching: int = 0,
) -> Chosen:
    """The candidate of the highest accuracy out of fold; of equals the one of the smaller log loss.

    Where none is right of any, as with one label a class, whose class the fold then lacks, it is `em` if that is among them.
    `names` are proposers as the registry spells them; `proposers` are taken instead if given. Only labels decide, never the
    share that a guarantee would let through: choosing by that breaks its promise. `watching` rows without a label are
    `watched`. Raises `InputError` without labels.
    """
    if not len(labelled):
        raise InputError("no item is labelled, so that nothing says which proposer is right more often; label some items first")
    proposers = proposers or {name: registry.part("proposer", name) for name in names or CANDIDATES}
    others = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(pool)), labelled.rows))
    small, known, at = _beside(pool, labelled, others[:BESIDE]) if len(others) > BESIDE else (pool, labelled, others)
    fold = fold_of(pool.units[labelled.rows], folds, seed)
    both = {name: _by_fold(one, small, known, fold, at[:watching], seed=seed) for name, one in proposers.items()}
    found = {name: own for name, (own, _) in both.items()}
    table = sorted((_judged(name, one, labelled) for name, one in found.items()), key=lambda row: (-row.accuracy, row.loss))
    best = table[0] if table[0].accuracy else next((row for row in table if row.name == UNTOLD), table[0])
    return Chosen(
        name=best.name,
        proposer=proposers[best.name],
        accuracy=best.accuracy,
        out_of_fold=found[best.name],
        table=tuple(table),
        proposers=proposers,
        said=found,
        fold=fold,
        watched=others[:BESIDE][:watching],
        beside={name: beside for name, (_, beside) in both.items()},
    )


def out_of_fold(proposer: Proposer, pool: Pool, labelled: Labelled, *, folds: int = FOLDS, seed: int = 0) -> Probabilities:
    """What a proposer says of each labelled item [m, c] that has seen neither its label nor that of any item of its unit.

    Units (`Pool.units`) are whole groups where the pool has groups, and items of equal content elsewhere. The item itself
    stands among the unlabelled meanwhile. Raises `InputError` for fewer than two folds.
    """
    part = fold_of(pool.units[labelled.rows], folds, seed)
    return _by_fold(proposer, pool, labelled, part, np.arange(0), seed=seed)[0]


def _by_fold(
    proposer: Proposer, pool: Pool, labelled: Labelled, part: Rows, watched: Rows, *, seed: int
) -> tuple[Probabilities, Float32[np.ndarray, "f k c"]]:
    """`out_of_fold`, and what the model of each fold says of `watched` rows."""
    found, beside = np.empty((len(labelled), len(pool.classes)), dtype=np.float32), []
    for fold in np.unique(part):
        held = part == fold
        said = proposer.propose(pool, labelled.taken(~held), seed=seed)
        found[held] = said[labelled.rows[held]]
        beside.append(said[watched])
    return found, np.stack(beside)


def fold_of(units: Int[np.ndarray, " m"], folds: int, seed: int) -> Int[np.ndarray, " m"]:
    """A fold for each item: whole units in random order, each to the fold that has the fewest items yet."""
    if folds < 2:
        raise InputError(f"{folds} folds; expected 2 or more, so that some labels judge and others teach")
    distinct, code, counts = np.unique(units, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    order = order[np.argsort(-counts[order], kind="stable")]
    filled, place = np.zeros(folds, dtype=np.int64), np.empty(len(distinct), dtype=np.int64)
    for unit in order:
        place[unit] = filled.argmin()
        filled[place[unit]] += counts[unit]
    return place[code]


def _beside(pool: Pool, labelled: Labelled, others: Rows) -> tuple[Pool, Labelled, Rows]:
    """The labelled items and so many others as decide nothing more, and where these are then."""
    known = Labelled(rows=np.arange(len(labelled)), classes=labelled.classes, drawn=labelled.drawn)
    small = pool.taken(np.concatenate([labelled.rows, others]), among_all=True)
    return small, known, np.arange(len(labelled), len(small))


def _judged(name: str, found: Probabilities, labelled: Labelled) -> Candidate:
    right = found.argmax(axis=1) == labelled.classes
    own = found[np.arange(len(found)), labelled.classes]
    loss = -np.log((1 - EVENLY) * own + EVENLY / found.shape[1]).mean()
    error = right.std() / np.sqrt(len(right))
    return Candidate(name=name, accuracy=float(right.mean()), error=float(error), loss=float(loss))
