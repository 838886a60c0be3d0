"""Hits that are nearly the same as a better one: shown with it, never taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from textanchor.errors import InputError
from textanchor.records.showing import short
from textanchor.views import unit

LATENTS = 0.98  # cosine of latents: a picture saved again as JPEG of quality 80 has .98 to 1, two different ones hardly ever
VECTORS = 0.999  # cosine of vectors in the space, where all sevens come near to each other (docs/findings.md)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A hit as it is compared with others: its modality, the hash of its content, and its latent, or its vector, if at hand."""

    __repr__ = short

    modality: str
    content: str | None = None
    latent: Float32[np.ndarray, " d"] | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A candidate that stays in the list, by its row, and the rows of later ones that are nearly the same."""

    row: int
    duplicates: tuple[int, ...] = ()


def collapse(candidates: Sequence[Candidate], *, least: float = LATENTS) -> tuple[Kept, ...]:
    """Each later candidate stands under the first that stays and is like it: of one content, or a cosine of `least` or more.

    `candidates` are in the order of their ranks, and so is what is returned. Likeness is not passed on: a duplicate brings no
    duplicates of its own. Raises `InputError` for a `least` outside (0, 1].
    """
    if not 0 < least <= 1:
        raise InputError(f"duplicates from a cosine of {least}; expected a number above 0, at most 1, such as {LATENTS}")
    alike, kept = _alike(candidates, least), dict[int, list[int]]()
    for row in range(len(candidates)):
        first = next((other for other in kept if alike[row, other]), None)
        kept.setdefault(row if first is None else first, []).append(row)
    return tuple(Kept(row=row, duplicates=tuple(rows[1:])) for row, rows in kept.items())


def _alike(candidates: Sequence[Candidate], least: float) -> Bool[np.ndarray, "n n"]:
    codes = {content: code for code, content in enumerate(dict.fromkeys(one.content for one in candidates))}
    content = np.array([-1 - row if one.content is None else codes[one.content] for row, one in enumerate(candidates)])
    alike = np.asarray(content[:, None] == content[None, :])
    comparable: dict[tuple[str, int], dict[int, Float32[np.ndarray, " d"]]] = {}
    for row, one in enumerate(candidates):
        if one.latent is not None:
            comparable.setdefault((one.modality, len(one.latent)), {})[row] = one.latent
    for latents in comparable.values():
        rows, units = list(latents), unit(np.stack(list(latents.values())))
        alike[np.ix_(rows, rows)] |= units @ units.T >= least - 1e-6  # equal vectors have a cosine of 1 but for rounding
    return alike
