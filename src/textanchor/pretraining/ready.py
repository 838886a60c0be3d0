"""A source as arrays: what teaches, what chooses, and how items become arrays at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textanchor.encoders import pick_device
from textanchor.encoders.own import Front, front_of
from textanchor.errors import InputError
from textanchor.grammar import spelled
from textanchor.pretraining.choosing import front_for
from textanchor.pretraining.inputs import Arrays, Inputs, gathered
from textanchor.pretraining.processes import launched
from textanchor.pretraining.sources import Side, Source
from textanchor.records import Skipped
from textanchor.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Everything that training needs of a source; the test side is not touched."""

    source: Source
    front: Front
    train: Arrays
    val: Arrays | None
    read: Inputs
    skipped: tuple[Skipped, ...]
    device: str
    runtime: Runtime

    @property
    def spelled(self) -> str:
        """The front, as a folder keeps it."""
        return spelled(self.front.name, self.front.settings)

    def taught_by(self, rows: Sequence[int]) -> Ready:
        """With some of the training items alone."""
        return replace(self, train=self.train.take(rows), read=self.read.take(rows))


def ready(source: Source, front: str | None, runtime: Runtime) -> Ready:
    """Decode train and validation. Raises `InputError` for a front of another modality, or if nothing can be read."""
    made = front_of(front or front_for(source.modality, source.train.items, runtime.limits))
    if made.modality != source.modality:
        raise InputError(f"front {made.name} is for {made.modality}, and the items are of {source.modality}")
    read = gathered(source.train.items, made, runtime)
    if not len(read):
        last = f"; the last: {read.skipped[-1].item}: {read.skipped[-1].reason}" if read.skipped else ""
        raise InputError(f"no item to train on could be read{last}")
    val, skipped = None, read.skipped
    if len(source.val) and len(source.classes) > 1:
        chosen_by = gathered(source.val.items, made, runtime)
        val, skipped = arrays_of(chosen_by, source.val).told(), (*skipped, *chosen_by.skipped)
    return Ready(
        source=source,
        front=made,
        train=arrays_of(read, source.train),
        val=val if val is not None and len(val) else None,
        read=read,
        skipped=skipped,
        device=launched().device(pick_device(runtime.device)),
        runtime=runtime,
    )


def arrays_of(read: Inputs, side: Side) -> Arrays:
    """The arrays of a side's items that could be read, with their classes."""
    places = {item.id: place for place, item in enumerate(side.items)}
    return Arrays(values=read.values, labels=side.labels[[places[item.id] for item in read.items]])
