"""The folder of an encoder that was made here: the encoder, how it came to be, its learning curve, and what it is worth."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textanchor.config import versions
from textanchor.encoders.own import write_folder
from textanchor.files import write_bytes, write_csv, write_json
from textanchor.pretraining.loop import Row
from textanchor.pretraining.pretraining import CHECKPOINT, Recipe, Trained
from textanchor.pretraining.sources import Source
from textanchor.pretraining.verdict import Judged, says

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = ("loss", "score", "rank")
CALLED = {"loss": "loss", "score": "probe on validation", "rank": "directions (RankMe)"}


def write_encoder(folder: Path, made: Trained, recipe: Recipe, source: Source, verdict: Sequence[Judged]) -> None:
    """`encoder.json`, `model.safetensors`, `training.csv`, `curve.png`, `verdict.json` and `README.md`; the checkpoint goes."""
    story = {"recipe": recipe.described(), "data": _data(source), "versions": versions(), "notes": list(made.notes)}
    write_folder(folder, replace(made.description, made=story), made.network)
    told = card(made, recipe, source, verdict, folder.name)
    write_beside(folder, made.rows, [asdict(row) for row in verdict], told)


def write_beside(folder: Path, rows: Sequence[Row], verdict: object, told: str) -> None:
    """What stands beside an encoder that was trained: its course, if it had one, the verdict, the card. So it is finished."""
    if rows:
        names = list(dict.fromkeys(name for row in rows for name in row))
        write_csv(folder / "training.csv", [names, *([row.get(name) for name in names] for row in rows)])
        write_bytes(folder / "curve.png", curve(rows))
    write_json(folder / "verdict.json", verdict)
    write_bytes(folder / "README.md", told.encode())
    (folder / CHECKPOINT).unlink(missing_ok=True)


def curve(rows: Sequence[Row]) -> bytes:
    """Loss, probe and rank by epoch, as PNG."""
    from matplotlib.figure import Figure

    shown = [name for name in FIGURES if any(name in row for row in rows)]
    drawn = Figure(figsize=(3.2 * len(shown), 2.6), layout="constrained")
    for place, name in enumerate(shown, start=1):
        axes: Axes = drawn.add_subplot(1, len(shown), place)
        told = [row for row in rows if name in row]
        axes.plot([row["epoch"] for row in told], [row[name] for row in told])
        axes.set_title(CALLED[name], fontsize=9)
        axes.set_xlabel("epoch", fontsize=8)
    out = io.BytesIO()
    drawn.savefig(out, format="png", dpi=120, metadata={"Software": None})
    return out.getvalue()


def card(made: Trained, recipe: Recipe, source: Source, verdict: Sequence[Judged], name: str) -> str:
    """What a reader must know before taking it."""
    told, sizes = made.description, _data(source)
    lines = [
        f"# {name}",
        "",
        f"An encoder of {source.modality} items, {made.network.dim} numbers each: `own:{name}` wherever an encoder is named.",
        "",
        f"- Made by `{recipe.task}` with the backbone `{told.backbone}` behind the front `{told.front}`, cut at layer "
        f"{made.network.layer + 1} of {len(made.network.backbone.widths)}, pooled by {told.pool}; seed {recipe.seed}.",
        f"- Data: {sizes['source']}, {sizes['train']} items taught, split {sizes['split']}.",
        *(f"- {note}" for note in made.notes),
        "",
        "## Is it better?",
        "",
    ]
    if not verdict:
        return "\n".join([*lines, "Nothing was judged: the data has no classes, or no test side.", ""])
    lines += [
        "Accuracy of a linear probe on the test side; differences are paired by item, with 95 % intervals over groups.",
        "",
        *(f"- {line}" for line in says(verdict)),
        "",
        "| encoder | labels | accuracy | spread over draws |",
        "|---|---|---|---|",
        *(f"| {row.encoder} | {row.labels} ({row.share:.0%}) | {row.accuracy:.3f} | {row.spread:.3f} |" for row in verdict),
        "",
    ]
    return "\n".join(lines)


def _data(source: Source) -> dict[str, str | int]:
    return {
        "source": source.name,
        "split": source.split,
        "classes": len(source.classes),
        "train": len(source.train),
        "val": len(source.val),
        "test": len(source.test),
    }
