"""`textanchor pretrain`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import made, options, printing
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.pretraining import Pretrained, Recipe


def _recipe(*, task: str, backbone: str, front: str | None, augmentation: str | None, **plan: Any) -> Recipe:
    from textanchor.pretraining import Plan, Recipe

    return Recipe(task=task, backbone=backbone, front=front, augmentation=augmentation, plan=Plan(**plan))


_RECIPE = (
    click.option("--task", default="simclr", show_default=True, help="What is learned: a name, or a call; pca trains nothing."),
    click.option("--backbone", default="resnet", show_default=True, help="Network: resnet, vit, or a call with settings."),
    click.option("--front", help="How items become arrays, such as 'log-mel(seconds=2)'. [default: measured on some items]"),
    click.option("--augmentation", help="Random changes, such as 'pictures(flip=0)'. [default: what suits the modality]"),
    click.option("--epochs", type=int, default=30, show_default=True, help="Passes over the training items."),
    click.option("--batch", type=int, default=256, show_default=True, help="Items of a step."),
    click.option("--rate", type=float, default=1e-3, show_default=True, help="Learning rate, after the warm-up."),
    click.option("--warmup", type=float, default=0.1, show_default=True, help="Share of the steps in which the rate rises."),
    click.option("--chunk", type=int, default=0, show_default=True, help="Views at once, a batch in parts; 0: all."),
    click.option("--patience", type=int, default=0, show_default=True, help="Epochs without a better probe to end it; 0: all."),
    click.option("--half", is_flag=True, help="Compute in bfloat16."),
)  # fmt: skip


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the encoder.")
@options.gathered("recipe", _recipe, *_RECIPE)
@click.option(
    "--against", multiple=True, help="Encoder to be compared with. Repeat for more. [default: the usual one, signal, pca]"
)
@options.reading
@options.splitting
@options.runtime
@options.overwrite
@options.as_json
def command(
    pairs: Path,
    output: Path,
    recipe: Recipe,
    against: tuple[str, ...],
    reading: Reading,
    splitting: Splitting,
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Train an encoder on PAIRS, a table or folder of items of one modality, and say whether it was worth it.

    Texts that are class names teach supervised tasks, choose the depth at which the network is cut, and judge by a linear probe
    on the test side. A folder without texts will do for the other tasks. An interrupted training goes on when the same command
    is given again. The result is an encoder: own:FOLDER.
    """
    from dataclasses import replace

    from textanchor.pretraining import pretrain
    from textanchor.pretraining.processes import launched

    made.refuse_finished(output, overwrite=overwrite)
    found = pretrain(
        pairs,
        replace(recipe, seed=splitting.seed),
        folder=output,
        against=against or None,
        announce=printing.say,
        splitting=splitting,
        reading=reading,
        runtime=runtime,
    )
    if not launched().first:
        return
    printing.skipped(found.skipped)
    _told(found, as_json=as_json)
    made.wrote(output, as_json=as_json)


def _told(found: Pretrained, *, as_json: bool) -> None:
    for note in found.made.notes:
        printing.warn(note)
    if as_json:
        printing.dump({"cuts": [asdict(cut) for cut in found.made.cuts], "verdict": [asdict(row) for row in found.verdict]})
        return
    printing.table([asdict(cut) for cut in found.made.cuts[:5]], title="Depths, by a linear probe on validation")
    made.judged(found.verdict)
