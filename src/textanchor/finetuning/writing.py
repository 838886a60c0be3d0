"""The folder of a tuned encoder: the encoder, how it came to be, its learning curve, and whether it was worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from textanchor.config import versions
from textanchor.files import write_bytes, write_csv, write_json
from textanchor.finetuning.recipe import Recipe
from textanchor.finetuning.tunable import Tunable
from textanchor.finetuning.verdict import Verdict
from textanchor.pretraining.pretraining import CHECKPOINT
from textanchor.pretraining.sources import Source
from textanchor.pretraining.writing import curve

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
    names = list(dict.fromkeys(column for row in tuning.rows for column in row))
    write_csv(folder / "training.csv", [names, *([row.get(column) for column in names] for row in tuning.rows)])
    write_bytes(folder / "curve.png", curve(tuning.rows))
    write_json(folder / "verdict.json", asdict(verdict))
    write_bytes(folder / "README.md", _card(folder.name, recipe, name, source, verdict, notes).encode())
    (folder / CHECKPOINT).unlink(missing_ok=True)


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
