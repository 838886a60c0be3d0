"""Finished stages of a training in a folder, from which an interrupted fit goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import safe_open
from safetensors.torch import save

from textanchor.files import digest, write_bytes
from textanchor.records import Task

if TYPE_CHECKING:
    from textanchor.aligners.latent.stages import Progress


@dataclass(frozen=True)
class Checkpoints:
    """A folder of stages, one safetensors file each, written whole or not at all; `key` says of which fit."""

    folder: Path
    key: str

    def write(self, stage: str, progress: Progress) -> None:
        """Keep what a stage ended with."""
        told = {name: value for name, value in vars(progress).items() if name not in ("now", "best")}
        numbers = {f"now.{name}": value for name, value in progress.now.items()}
        numbers |= {f"best.{name}": value.clone() for name, value in progress.best.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self._file(stage), save(numbers, {"progress": json.dumps(told)}))

    def read(self, stage: str) -> Progress | None:
        """What a stage ended with; None if it did not end yet."""
        from textanchor.aligners.latent.stages import Progress

        if not self._file(stage).is_file():
            return None
        with safe_open(self._file(stage), "pt") as held:
            numbers = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118 - it is no mapping
            told: dict[str, Any] = json.loads(held.metadata()["progress"])
        sides = {
            side: {n.removeprefix(f"{side}."): v for n, v in numbers.items() if n.startswith(f"{side}.")}
            for side in ("now", "best")
        }
        return Progress(now=sides["now"], best=sides["best"], **told)

    def _file(self, stage: str) -> Path:
        return self.folder / f"{self.key}-{stage}.safetensors"


def key(task: Task, settings: str, seed: int) -> str:
    """One hash of a fit: settings, seed and everything that is fitted and chosen on."""
    rest = task.unpaired
    parts: list[bytes | str] = [settings, str(seed), task.device]
    for pairs in (task.train, task.val):
        if pairs is not None:
            parts += [pairs.pooled.tobytes(), pairs.anchors.tobytes(), pairs.edges.tobytes()]
    if rest.items is not None:
        parts += ["items", *rest.items.contents]
    if rest.anchors is not None:
        parts += ["texts", *rest.texts, rest.anchors.tobytes()]
    return digest(*parts)[:16]
