"""The folder of a tuned encoder: the encoder, how it came to be, its learning curve, and whether it was worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from textanchor.config import versions
from textanchor.finetuning.recipe import Recipe
from textanchor.finetuning.tunable import Tunable
from textanchor.finetuning.verdict import Verdict
from textanchor.pretraining.sources import Source
from textanchor.pretraining.writing import write_beside

if TYPE_CHECKING:
    from textanchor.finetuning.tuning import Tuning


def write_tuned(
    folder: Path,
    tunable: Tunable,
    tuning: Tuning,
    recipe: Recipe,
    *,
    name: str,
    source: Source,
    verdict: Verdict,
    notes: Sequence[str],
) -> None:
    """The encoder's files, `training.csv`, `curve.png`, `verdict.json` and `README.md`; the checkpoint goes."""
    data = {"source": source.name, "split": source.split, "train": len(source.train)}
    story = {"recipe": recipe.described(), "tuned from": name, "data": data, "versions": versions(), "notes": list(notes)}
    tunable.write(folder, story)
    write_beside(folder, tuning.rows, asdict(verdict), _card(folder.name, recipe, name, source, verdict, notes))


def _card(folder: str, recipe: Recipe, name: str, source: Source, verdict: Verdict, notes: Sequence[str]) -> str:
    """What a reader must know before taking it."""
    lines = [
        f"# {folder}",
        "",
        f"An encoder of {source.modality} items, tuned from `{name}`: `own:{folder}` wherever an encoder is named.",
        "",
        f"- Tuned end to end on {len(source.train)} items of {source.name} ({source.split}) by the loss `{recipe.loss}`; "
        f"seed {recipe.seed}.",
        *(f"- {note}." for note in notes),
        "",
        "## Is it better?",
        "",
        "On the test side: recall@1 of a text by an ordinary closed form, and accuracy of linear probes where texts are "
        "classes; differences are paired by item, with 95 % intervals over groups.",
        "",
        *(f"- {line}" for line in verdict.lines),
        "",
    ]
    return "\n".join(lines)
