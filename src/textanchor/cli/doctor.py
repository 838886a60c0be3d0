"""`textanchor doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.escaping import shown
from textanchor.runtime import Reading, Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.doctor import Diagnosis
    from textanchor.space.preparing import Encoding


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@options.encoding
@options.reading
@options.more
@options.splitting
@options.runtime_without("strict")
@click.option(
    "--merged",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table again, near-duplicates of all sides in one group, to this CSV file.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if anything leaks.")
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    pairs: Path,
    encoding: Encoding,
    reading: Reading,
    more: int | None,
    splitting: Splitting,
    runtime: Runtime,
    merged: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Look at PAIRS before anything is trained on them, and say what a careful colleague would."""
    from textanchor.data.pairs import read_pairs, write_pairs
    from textanchor.doctor import diagnose

    diagnosis = diagnose(
        printing.taken(read_pairs(pairs, split_name=splitting.name, reading=reading)),
        anchor=encoding.anchor,
        encoders=encoding.encoders,
        more=more,
        merge=merged is not None,
        wording=encoding.wording,
        splitting=splitting,
        runtime=runtime,
    )
    if merged is not None and diagnosis.merged is not None:
        write_pairs(diagnosis.merged, merged)
    if as_json:
        printing.dump(diagnosis.metrics())
    else:
        report(diagnosis)
    if strict and diagnosis.leaks:
        context.exit(1)


def report(diagnosis: Diagnosis) -> None:
    """Findings and figures; stdout."""
    metrics = diagnosis.metrics()
    for modality, findings in diagnosis.findings.items():
        click.echo(f"\n{'The table' if modality == 'all' else modality}")
        for finding in findings:
            click.echo(f"  {finding.level:8s} {finding.topic}: {shown(finding.text)}")
    printing.table(
        metrics["layers"], title="Layers of the encoder: agreement with the texts before any fit, and ridge on validation"
    )
    printing.table(metrics["reached"], title="What simple fits reach on validation, where they also chose their values")
    count = len(diagnosis.leaks)
    leaks = "1 leak" if count == 1 else f"{count} leaks"
    click.echo(f"\n{leaks}: figures on this split would be wrong" if count else "\nnothing leaks")
