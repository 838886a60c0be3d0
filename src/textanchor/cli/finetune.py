"""`textanchor finetune`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import made, options, printing
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.finetuning import Finetuned, Recipe
    from textanchor.space.preparing import Encoding

_PLAN = ("epochs", "batch", "rate", "warmup", "chunk", "patience", "half")


def _recipe(**told: Any) -> Recipe:
    from dataclasses import replace

    from textanchor.finetuning import Recipe
    from textanchor.finetuning.recipe import PLAN

    plan = replace(PLAN, **{name: told.pop(name) for name in _PLAN})
    return Recipe(plan=plan, **told)


_RECIPE = (
    click.option("--loss", default="bank", show_default=True, help="A name or a call: info-nce, 'triplet(mining=hard)', ..."),
    click.option("--epochs", type=int, default=20, show_default=True, help="Passes over the training items."),
    click.option("--batch", type=int, default=64, show_default=True, help="Items of a step."),
    click.option("--rate", type=float, default=3e-4, show_default=True, help="Learning rate, after the warm-up."),
    click.option("--warmup", type=float, default=0.1, show_default=True, help="Share of the steps in which the rate rises."),
    click.option("--layer-decay", type=float, default=1.0, show_default=True, help="What rates fall by for each layer down."),
    click.option("--freeze", type=int, default=0, show_default=True, help="First layers that stay as they are."),
    click.option("--unfreeze-every", type=int, default=0, help="Epochs until one more layer is trained, from the top; 0: all."),
    click.option("--copy-first", type=int, default=0, help="First layers taken from --from; without it the others are new."),
    click.option("--from", "copy_from", type=click.Path(path_type=Path, exists=True), help="Encoder's folder to copy from."),
    click.option("--new-layers", type=int, default=0, help="Layers put on top of an own: encoder."),
    click.option("--lora", type=int, default=0, help="Rank of adapters trained instead of a hub: transformer's weights."),
    click.option("--augmentation", default="nothing", show_default=True, help="Random changes, such as 'pictures(flip=0)'."),
    click.option("--chunk", type=int, default=0, show_default=True, help="Items at once, a batch in parts; 0: all."),
    click.option("--patience", type=int, default=0, show_default=True, help="Epochs without a better one to end it; 0: all."),
    click.option("--half", is_flag=True, help="Compute in bfloat16."),
)  # fmt: skip


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the tuned encoder.")
@options.encoding
@options.gathered("recipe", _recipe, *_RECIPE)
@options.reading
@options.splitting
@options.runtime
@options.overwrite
@options.as_json
def command(
    pairs: Path,
    output: Path,
    encoding: Encoding,
    recipe: Recipe,
    reading: Reading,
    splitting: Splitting,
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Train an encoder further on PAIRS, through a projector into the anchor's space, and say whether it was worth it.

    `--encoder image=own:FOLDER` or `image=hub:MODEL` names the one that is trained; it is not changed where it lies. The result
    is another encoder, own:OUTPUT, to which `fit --encoder image=own:OUTPUT` adds a projector as to any other. Layers are
    counted from the input. An interrupted training goes on when the same command is given again.
    """
    from dataclasses import replace

    from textanchor.finetuning import finetune
    from textanchor.pretraining.processes import launched

    made.refuse_finished(output, overwrite=overwrite)
    found = finetune(
        pairs,
        replace(recipe, seed=splitting.seed),
        encoding=encoding,
        folder=output,
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


def _told(found: Finetuned, *, as_json: bool) -> None:
    if as_json:
        printing.dump({"notes": list(found.notes), "lines": found.verdict.lines, **asdict(found.verdict)})
        return
    for line in found.verdict.lines:
        click.echo(line)
    for note in found.notes:
        click.echo(note)
    rows = [{"encoder": one.encoder, "R@1": one.recall, "interval": one.interval} for one in found.verdict.found]
    printing.table(rows, title="Texts found on test, each with a closed form")
    made.probes(found.verdict.probes)
