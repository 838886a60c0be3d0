"""Giving back the room of vectors that count no longer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textanchor.collections.storing.catalogue import VECTORS, Catalogue, VectorStore
from textanchor.collections.storing.galleries import GALLERIES
from textanchor.collections.storing.snapshot import INDEXES
from textanchor.collections.storing.syncing import settle
from textanchor.collections.storing.vector_files import BLOCK

FEW = 4096  # dead rows that are let be


def shrink(catalogue: Catalogue) -> None:
    """Write stores anew of which more than half is dead; within a transaction."""
    for store in catalogue.stores():
        slots = catalogue.slots(store)
        if store.rows - len(slots) > max(FEW, len(slots)):
            _written_anew(catalogue, store, slots)


def sweep(catalogue: Catalogue) -> int:
    """Delete files of vectors that no store names any more, or that a crash left, and what was derived from them; the bytes."""
    stores = catalogue.stores()
    files, stems = {store.file for store in stores}, tuple(f"{Path(store.file).stem}-" for store in stores)
    vectors = [file for file in (catalogue.folder / VECTORS).glob("*") if file.name not in files]
    derived = [file for kind in (GALLERIES, INDEXES) for file in (catalogue.folder / kind).glob("*")]
    freed = 0
    for file in (*vectors, *(file for file in derived if not file.name.startswith(stems))):
        freed += file.stat().st_size
        file.unlink(missing_ok=True)
    return freed


def _written_anew(catalogue: Catalogue, store: VectorStore, slots: np.ndarray) -> None:
    old, moved = catalogue.vectors(store), catalogue.begun_anew(store)
    new = catalogue.appending(moved)
    for start in range(0, len(slots), BLOCK):
        new.add(old[slots[start : start + BLOCK]])
    new.close()
    for slot, now in zip(slots.tolist(), range(len(slots)), strict=True):  # in order, so that no place is taken twice
        catalogue.ask("UPDATE vectors SET slot = ? WHERE store = ? AND slot = ?", now, store.store, slot)
    settle(catalogue, moved, len(slots))
