"""Giving back the room of vectors that count no longer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textanchor.collections.storing.catalogue import Catalogue, VectorStore
from textanchor.collections.storing.galleries import GALLERIES
from textanchor.collections.storing.snapshot import INDEXES, VECTORS
from textanchor.collections.storing.syncing import settle
from textanchor.collections.storing.vector_files import BLOCK, Appending, mapped

FEW = 4096  # dead rows that are let be


def shrink(catalogue: Catalogue) -> list[Path]:
    """Write stores anew of which more than half is dead; within a transaction. Gives the files to delete once it is done."""
    replaced: list[Path] = []
    for store in catalogue.stores():
        slots = catalogue.slots(store)
        if store.rows - len(slots) > max(FEW, len(slots)):
            replaced += _written_anew(catalogue, store, slots)
    return replaced


def _written_anew(catalogue: Catalogue, store: VectorStore, slots: np.ndarray) -> list[Path]:
    folder = catalogue.folder / VECTORS
    old = mapped(folder / store.file, store.rows, store.dim)
    name = catalogue.new_file(store.fingerprint, store.modality)
    new = Appending(folder / name, rows=0, dim=store.dim)
    for start in range(0, len(slots), BLOCK):
        new.add(old[slots[start : start + BLOCK]])
    new.close()
    for slot, now in zip(slots.tolist(), range(len(slots)), strict=True):  # in order, so that no place is taken twice
        catalogue.ask("UPDATE vectors SET slot = ? WHERE store = ? AND slot = ?", now, store.store, slot)
    catalogue.ask("UPDATE stores SET file = ?, rows = 0 WHERE store = ?", name, store.store)
    catalogue.ask("DELETE FROM blocks WHERE store = ?", store.store)
    (moved,) = catalogue.stores("store = ?", store.store)
    settle(catalogue, moved, len(slots))
    return files_of(catalogue.folder, store)


def files_of(folder: Path, store: VectorStore) -> list[Path]:
    """The file of vectors, and what was derived from it."""
    derived = [file for kind in (GALLERIES, INDEXES) for file in (folder / kind).glob(f"{Path(store.file).stem}-*")]
    return [folder / VECTORS / store.file, *derived]
