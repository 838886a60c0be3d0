"""`textanchor doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from textanchor.cli import options, printing


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("--anchor", help="Text model. [default: all-MiniLM-L6-v2, installed]")
@options.encoders
@options.modality
@click.option("--more", type=click.IntRange(min=1), default=300, show_default=True, help="Further pairs to extrapolate to.")
@options.wording
@options.splitting
@options.seed
@options.cache
@options.device
@options.reading
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
    anchor: str | None,
    encoders: dict[str, str],
    modality: str | None,
    more: int,
    templates: dict[str, list[str]],
    synonyms: Path | None,
    fractions: str,
    resplit: bool,
    split_name: str | None,
    seed: int,
    cache: Path | None,
    device: str,
    merged: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Look at PAIRS before anything is trained on them, and say what a careful colleague would."""
    from textanchor.data.pairs import read_pairs, write_pairs
    from textanchor.data.wording import wording
    from textanchor.doctor import diagnose

    found = diagnose(
        read_pairs(pairs, split_name=split_name, modality=modality),
        anchor=anchor,
        encoders=encoders,
        more=more,
        merge=merged is not None,
        wording=wording(templates, synonyms),
        fractions=options.shares(fractions),
        resplit=resplit,
        seed=seed,
        cache=cache,
        device=device,
        progress=True,
    )
    if merged is not None and found.merged is not None:
        write_pairs(found.merged, merged)
    if as_json:
        printing.dump(found.metrics())
    else:
        report(found)
    if strict and found.leaks:
        context.exit(1)


def report(found: Any) -> None:
    """Findings and figures; stdout."""
    metrics = found.metrics()
    for modality, held in found.findings.items():
        click.echo(f"\n{'The table' if modality == 'all' else modality}")
        for one in held:
            click.echo(f"  {one.level:8s} {one.topic}: {one.text}")
    printing.table(
        metrics["layers"], title="Layers of the encoder: agreement with the texts before any fit, and ridge on validation"
    )
    printing.table(metrics["reached"], title="What simple fits reach on validation, where they also chose their values")
    count = len(found.leaks)
    leaks = "1 leak" if count == 1 else f"{count} leaks"
    click.echo(f"\n{leaks}: figures on this split would be wrong" if count else "\nnothing leaks")
