"""What a budget tries: methods on shares of the pairs, each with several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from textanchor import registry
from textanchor.errors import InputError

METHODS = ("auto", "kernel-cca")  # what `fit` does, and a closed form on pairs alone that takes a tenth of its time
SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A method on a share of a modality's pairs, drawn by a seed."""

    modality: str
    method: str
    share: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every method on every share with every seed; shares rise."""

    methods: tuple[str, ...]
    shares: tuple[float, ...]
    seeds: int

    def trials(self, modalities: Sequence[str]) -> Iterator[Trial]:
        """Small shares first, with all their seeds, so that a budget that is broken off has them whole."""
        for share, seed, method, modality in product(self.shares, range(self.seeds), self.methods, modalities):
            yield Trial(modality=modality, method=method, share=share, seed=seed)


def planned(methods: Sequence[str], shares: Sequence[float], seeds: int) -> Plan:
    """A plan of distinct methods and shares. Raises `InputError` or `UnknownNameError` for what cannot be tried."""
    if isinstance(methods, str) or not methods:
        raise InputError(f"methods={methods!r}: expected one or more aligners, such as {METHODS}")
    for share in shares:
        if not 0 < share <= 1:
            raise InputError(f"a share of {share} of the pairs: expected more than 0 and at most 1")
    if not shares or seeds < 1:
        raise InputError(f"{len(shares)} shares and {seeds} seeds: expected at least one of each")
    for spec in methods:
        registry.part("aligner", spec)
    distinct = tuple(dict.fromkeys(map(spelled, methods)))
    return Plan(methods=distinct, shares=tuple(sorted({float(share) for share in shares})), seeds=seeds)


def spelled(method: str) -> str:
    """A method as it is written everywhere, however it was typed."""
    return registry.spelled(*registry.take_apart(method))
