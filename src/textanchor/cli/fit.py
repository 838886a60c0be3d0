"""`textanchor fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from textanchor.cli import options, printing
from textanchor.records import Skipped


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the new space.")
@click.option("--into", type=click.Path(path_type=Path), help="Add to this space; without -o it is updated in place.")
@click.option("--anchor", help="Text model that spans the space. [default: all-MiniLM-L6-v2, installed]")
@options.encoders
@options.modality
@click.option("--video", help="Parts of videos: first, uniform:4 or scene:4, and +sound. [default: uniform:4+sound]")
@click.option("--aligner", default="auto", show_default=True, help="How to fit: a name, or a call with settings; auto chooses.")
@click.option("--shared-view", is_flag=True, help="Views take their statistics from the texts of all modalities.")
@options.wording
@options.splitting
@options.seed
@options.encoding
def command(
    pairs: Path,
    output: Path | None,
    into: Path | None,
    anchor: str | None,
    encoders: dict[str, str],
    modality: str | None,
    video: str | None,
    aligner: str,
    shared_view: bool,
    templates: dict[str, list[str]],
    synonyms: Path | None,
    fractions: str,
    resplit: bool,
    split_name: str | None,
    seed: int,
    cache: Path | None,
    device: str,
    engine: str,
    strict: bool,
    overwrite: bool,
) -> None:
    """Fit a space from PAIRS: a table (CSV, JSONL, Parquet), a folder with metadata.csv, or one folder per class.

    A table has the columns `path` (or `item_text`) and `text`, and optionally `modality`, `item`, `group` and `split`.
    """
    target = output or into
    if target is None:
        raise click.UsageError("say where the space goes: -o FOLDER (or --into SPACE)")
    from textanchor.data.pairs import read_pairs
    from textanchor.data.wording import wording
    from textanchor.files import refuse_existing
    from textanchor.space.fitting import fit
    from textanchor.space.storage import load

    in_place = into is not None and target.resolve() == into.resolve()
    if not in_place:
        refuse_existing(target, overwrite=overwrite)
    base = load(into, cache=cache, device=device) if into else None
    shares, words = options.shares(fractions), wording(templates, synonyms)
    held = read_pairs(pairs, split_name=split_name, modality=modality)
    printing.texts(held)
    space = fit(
        held,
        anchor=anchor,
        encoders=encoders,
        aligner=aligner,
        into=base,
        seed=seed,
        fractions=shares,
        resplit=resplit,
        cache=cache,
        device=device,
        video=video,
        wording=words,
        shared_view=shared_view,
        engine=engine,
        strict=strict,
        progress=True,
    )
    space.save(target, overwrite=overwrite or in_place)
    summary(space)
    held_out = any(sides["test"]["items"] for sides in space.provenance["fit"]["counts"].values())
    given = pairs if held_out else "OTHER_PAIRS (nothing was held out here)"
    click.echo(f"\nsaved to {target}; next: textanchor evaluate {target} {given}")


def summary(space: Any) -> None:
    """What was fitted, on which split, and what was chosen."""
    story = space.provenance["fit"]
    printing.skipped([Skipped(**one) for one in story["skipped"]])
    click.echo(f"\nsplit: {story['split']}" + "".join(f"; {note}" for note in story["notes"]))
    for modality, counts in story["counts"].items():
        sides = ", ".join(f"{side} {held['items']} items in {held['groups']} groups" for side, held in counts.items())
        click.echo(f"{modality}: {sides}")
        fitted = space.modalities[modality]
        report = fitted.report
        scores = report.get("scores")
        why = "; validation scores: " + ", ".join(f"{name} {rate:.3f}" for name, rate in scores.items()) if scores else ""
        click.echo(f"  encoder {fitted.encoder}, aligner {report.get('aligner', report['asked'])}{why}")
        click.echo(f"  {fitted.chosen}")
