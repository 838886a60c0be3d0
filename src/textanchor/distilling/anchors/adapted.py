"""A student anchor that is its teacher with a low-rank map behind it, so that the texts of a domain stand better apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64
from scipy.linalg import eigh

from textanchor.collections.moving.mapping import AS_IS, RIDGE, Form, VectorMap
from textanchor.collections.moving.stored import save_map
from textanchor.distilling.anchors.mapping import with_map
from textanchor.distilling.anchors.protocol import Teacher
from textanchor.distilling.anchors.texts import Taught
from textanchor.encoders._hf import quiet
from textanchor.errors import InputError
from textanchor.settings import Whole
from textanchor.views import unit

MAP = "map.safetensors"
RANKS = (0, 4, 8, 16, 32, 64, 128)
FEWEST = 20  # items with several texts
Matrix = Float64[np.ndarray, "d d"]


class Adapted:
    """W = I + A B of a rank, in closed form: the directions in which texts of *one* item differ most are shortened until they
    differ no more there than elsewhere, as whitening within classes does. `rank` 0 takes what finds an item's other texts best
    on items held back, which may be no map at all.

    Vectors that were stored before stay of use: `map.safetensors` (`collections.moving.stored.load_map`) turns the teacher's,
    and a space's that aim at them, into the student's.
    Sources: Hatch, Kajarekar and Stolcke 2006, "Within-class covariance normalization", section 3; the floor of the spectrum is
    that of Tipping and Bishop 1999, doi:10.1111/1467-9868.00196, equation 8.
    """

    kind = "adapted"

    def __init__(self, *, rank: Whole = 0) -> None:
        self.rank = rank

    def make(self, teacher: Teacher, teach: Taught, held: Taught, folder: Path, *, standing: Path) -> tuple[str, ...]:
        """Raises `InputError` where hardly any item has two texts."""
        within = scatter(teach)
        ranks = (self.rank,) if self.rank else RANKS
        tried = [(found_again(held, lowered(within, rank)), rank) for rank in ranks if rank < len(within)]
        if not tried:
            raise InputError(f"rank={self.rank}: the teacher's vectors have {len(within)} numbers; expected fewer")
        share, rank = max(tried, key=lambda one: (one[0], -one[1]))
        before = found_again(held, lowered(within, 0))
        if not rank:
            raise InputError(
                f"no map tried finds an item's other texts better than the teacher does ({before:.3f}); keep the teacher"
            )
        made = lowered(within, rank)
        _write(folder, teacher, made)
        save_map(map_of(made, count=len(teach), old=teacher.encoder.fingerprint), folder / MAP)
        return (
            f"a map of rank {rank}, from {_several(teach)} items of several texts",
            f"another text of the item stands first for {share:.3f} of the texts held back, with the teacher for {before:.3f}",
        )


def scatter(taught: Taught) -> Matrix:
    """The covariance of texts about the mean of their item's. Raises `InputError` where hardly any item has two."""
    if _several(taught) < FEWEST:
        raise InputError(
            f"{_several(taught)} items have several texts; adapting learns from what they share and needs {FEWEST}"
        )
    _, owner, count = np.unique(taught.texts.owners, return_inverse=True, return_counts=True)
    means = np.zeros((len(count), taught.vectors.shape[1]))
    np.add.at(means, owner, taught.vectors)
    away = (taught.vectors - (means / count[:, None])[owner])[count[owner] > 1]
    found: Matrix = away.T @ away / (len(away) - int((count > 1).sum()))
    return found


def lowered(within: Matrix, rank: int) -> Matrix:
    """I - U (1 - (floor / s)^1/2) U', U the `rank` directions of most scatter s, the floor the mean of the others'."""
    values, basis = eigh(within)
    floor = max(float(values[: len(values) - rank].mean()), 1e-12)
    top, strong = basis[:, len(values) - rank :], values[len(values) - rank :]
    return np.eye(len(within)) - (top * (1 - np.sqrt(floor / np.maximum(strong, floor)))) @ top.T


def found_again(taught: Taught, matrix: Matrix) -> float:
    """The share of texts whose nearest text is of the same item, of those whose item has another."""
    vectors = unit((taught.vectors @ matrix.T).astype(np.float32))
    owners = taught.texts.owners
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    asked = np.flatnonzero(np.isin(owners, _shared(owners)))
    return float((owners[scores[asked].argmax(axis=1)] == owners[asked]).mean()) if len(asked) else 0.0


def map_of(matrix: Matrix, *, count: int, old: str) -> VectorMap:
    """What brings stored vectors along."""
    zeros = np.zeros(len(matrix))
    return VectorMap(
        form=Form(kind=RIDGE, start=AS_IS), count=count, old_mean=zeros, new_mean=zeros, matrix=matrix.T.copy(), old=old
    )


def _shared(owners: np.ndarray) -> np.ndarray:
    values, counts = np.unique(owners, return_counts=True)
    return values[counts > 1]


def _several(taught: Taught) -> int:
    return len(_shared(taught.texts.owners))


def _write(folder: Path, teacher: Teacher, matrix: Matrix) -> None:
    """The teacher's own modules, the map, vectors of length 1."""
    with quiet():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(teacher.folder), device="cpu")
        kept = [one for one in model if type(one).__name__ != "Normalize"]
        with_map(kept, matrix, prompt=teacher.prompt, device="cpu").save(str(folder), create_model_card=False)
