"""How much each of several tables counts in one fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from textanchor.errors import InputError
from textanchor.records import PairedLatents
from textanchor.space.preparing import Sides

BALANCE = 1.0


def checked(balance: float) -> float:
    """The balance itself. Raises `InputError` unless it is in [0, 1]."""
    if not 0 <= balance <= 1:
        raise InputError(f"balance {balance}: expected a number from 0 (each pair the same) to 1 (each table the same)")
    return balance


def masses(tables: Sequence[str], balance: float) -> Float32[np.ndarray, " n"]:
    """What each item counts, by the table that it is of; 1 on average.

    A table of n items weighs n^(1 - balance): at 1 all tables the same, at 0 all items.
    """
    _, place, sizes = np.unique(np.asarray(tables), return_inverse=True, return_counts=True)
    each = sizes.astype(np.float64) ** -balance
    return np.asarray(each[place] * (len(tables) / (each * sizes).sum()), dtype=np.float32)


def balanced(sides: Sides, origins: Mapping[str, str], balance: float) -> Sides:
    """One modality's sides with each table's weight; as they are where they hold a single table."""
    return replace(sides, pairs={side: weighed(pairs, origins, balance) for side, pairs in sides.pairs.items()})


def weighed(pairs: PairedLatents, origins: Mapping[str, str], balance: float) -> PairedLatents:
    """The pairs with their tables and what each item counts; as they are where all are of one table."""
    tables = tuple(origins[item] for item in pairs.items.ids)
    return replace(pairs, counts=masses(tables, balance), tables=tables) if len(set(tables)) > 1 else pairs
