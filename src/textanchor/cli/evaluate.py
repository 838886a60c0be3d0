"""`textanchor evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime

if TYPE_CHECKING:
    from textanchor.evaluation import Evaluation
    from textanchor.space import Space


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is measured beside the held-out figures."""

    include_train: bool
    probes: bool
    unseen_classes: int
    seed: int


_MEASURES = (
    click.option("--include-train", is_flag=True, help="Add rows on the training data, labelled as no evidence."),
    click.option("--probes/--no-probes", default=True, show_default=True, help="Logistic regression 80/20 and 20/80."),
    click.option(
        "--unseen-classes",
        type=click.IntRange(min=0),
        default=0,
        help="Hold out so many classes, ten times, fit on the rest, name them.",
    ),
    options.seed,
)


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.argument("pairs", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for report.html and metrics.json.")
@click.option("--against", multiple=True, type=click.Path(path_type=Path), help="Another space for the same table. Repeatable.")
@options.gathered("measures", Measures, *_MEASURES)
@options.reading
@options.encoders
@options.runtime
@options.overwrite
@options.as_json
def command(
    space: Path,
    pairs: Path | None,
    output: Path | None,
    against: tuple[Path, ...],
    measures: Measures,
    reading: Reading,
    encoders: dict[str, str],
    runtime: Runtime,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure SPACE on those PAIRS that it has not seen, by content or by group.

    Without PAIRS, each table that it was fitted on is measured by itself, on what it held out and the cache still has.
    """
    from textanchor.data.pairs import read_pairs
    from textanchor.evaluation import evaluate
    from textanchor.evaluation.report import write_report
    from textanchor.files import refuse_existing
    from textanchor.space.storage import load

    if output:
        refuse_existing(output, overwrite=overwrite)
    if pairs is None:
        remembered(load(space, encoders=encoders, runtime=runtime), as_json=as_json)
        return
    main, *others = (load(place, encoders=encoders, runtime=runtime) for place in (space, *against))
    evaluation = evaluate(
        main,
        printing.taken(read_pairs(pairs, reading=reading)),
        name=space.name,
        against={place.name: other for place, other in zip(against, others, strict=True)},
        include_train=measures.include_train,
        probe=measures.probes,
        unseen_classes=measures.unseen_classes,
        map_=output is not None,
        seed=measures.seed,
        runtime=runtime,
    )
    printing.skipped(evaluation.judged.skipped)
    if as_json:
        printing.dump(evaluation.metrics())
    else:
        tables(evaluation)
    if output:
        write_report(evaluation, main, output, overwrite=overwrite)
        printing.say(f"report: {output / 'report.html'}")


def remembered(space: Space, *, as_json: bool) -> None:
    """The figures of each table that a space remembers; stdout."""
    from textanchor.errors import InputError
    from textanchor.evaluation.again import again

    found = again(space)
    if not found:
        raise InputError("the space remembers no table that it was fitted on; name the pairs to measure it on")
    lines = [line for one in found for line in one.lines]
    if as_json:
        printing.dump({"tables": lines})
    for line in () if as_json else lines:
        click.echo(line)


def tables(evaluation: Evaluation) -> None:
    """The figures of an evaluation, each with its split; stdout."""
    metrics = evaluation.metrics()
    for note in metrics["notes"]:
        click.echo(f"note: {note}")
    printing.table(metrics["alignment"], title="Items and texts")
    printing.table(metrics["emergent"], title="Modalities that were never paired")
    printing.table(metrics["differences"], title="Paired differences (better: the interval excludes 0)")
    printing.table(metrics["probes"], title="Probes: label a part, predict the rest (the projector is fitted anew on the part)")
    shown = [{key: value for key, value in row.items() if key != "draws"} for row in metrics["zero-shot"]]
    printing.table(shown, title="Classes that no fit has seen: accuracy among them, mean and standard deviation over ten draws")
    printing.map_figure(metrics["map"])
