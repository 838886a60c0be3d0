"""`textanchor cache`."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import click

from textanchor.cli import options, printing

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@click.group("cache")
def command() -> None:
    """Look after the cached latents. Whatever is removed is encoded again when it is needed."""


@command.command("ls")
@options.cache
@options.as_json
def ls(cache: Path | None, as_json: bool) -> None:
    """List the encoders whose latents are held."""
    from textanchor.config import cache_folder
    from textanchor.latents.maintenance import listing

    rows = [
        {
            "fingerprint": one.fingerprint if as_json else one.fingerprint[:12],
            "encoder": one.encoder,
            "items": one.items,
            "shards": one.shards,
            "damaged": one.damaged,
            "size": one.size if as_json else size_of(one.size),
            "newest": f"{datetime.fromtimestamp(one.used):%Y-%m-%d %H:%M}" if one.used else "-",
        }
        for one in listing(cache_folder(cache))
    ]
    if as_json:
        printing.dump(rows)
    else:
        printing.table(rows) if rows else click.echo("the cache is empty")


@command.command("size")
@options.cache
def size(cache: Path | None) -> None:
    """Print the cache's folder and size."""
    from textanchor.config import cache_folder
    from textanchor.latents.maintenance import listing

    click.echo(f"{size_of(sum(one.size for one in listing(cache_folder(cache))))} in {cache_folder(cache)}")


@command.command("verify")
@options.cache
def verify_(cache: Path | None) -> None:
    """Read every shard and set damaged ones aside, so that their items are encoded again."""
    from textanchor.config import cache_folder
    from textanchor.latents.maintenance import verify

    sound, bad = verify(cache_folder(cache))
    for line in bad:
        click.echo(f"damaged, set aside: {line}")
    click.echo(f"{sound} shards are sound, {len(bad)} were damaged")


@command.command("prune")
@click.option("--fingerprint", help="Remove all latents of the encoder whose fingerprint begins so.")
@click.option("--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Remove shards written before so many days.")
@click.option("--max-size", metavar="SIZE", help="Remove the oldest shards until the rest fits, such as 500M or 20G.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and keep it.")
@options.cache
def prune_(fingerprint: str | None, older_than: float | None, max_size: str | None, dry_run: bool, cache: Path | None) -> None:
    """Remove damaged shards and leftovers of killed runs, and more on request."""
    from textanchor.config import cache_folder
    from textanchor.latents.maintenance import prune

    limit = _bytes(max_size) if max_size else None
    done = prune(cache_folder(cache), fingerprint=fingerprint, older_than=older_than, max_size=limit, dry_run=dry_run)
    click.echo(f"{'would remove' if dry_run else 'removed'} {done.files} files, {size_of(done.size)}")


def size_of(count: int) -> str:
    """Bytes for people."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if not found:
        raise click.BadParameter(f"'{text}' is no size such as 500M or 20G", param_hint="--max-size")
    return int(float(found[1]) * UNITS[found[2]])
