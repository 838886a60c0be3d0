"""`textanchor split-video`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options, printing
from textanchor.runtime import Reading, Runtime


@click.command()
@click.argument("videos", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--parts", default="first+sound", show_default=True, help="first, uniform:4 or scene:4, and +sound.")
@options.reading
@options.runtime_without("cache", "device", "engine", "offline", "workers", "numbers")
@options.overwrite
def command(videos: Path, output: Path, parts: str, reading: Reading, runtime: Runtime, overwrite: bool) -> None:
    """Take VIDEOS apart: frames, sound tracks and pairs.csv, with the text of each video and the video as the group.

    VIDEOS is a folder with one folder per class, or a table with the columns path (or video, file_name, ...) and text.
    """
    from textanchor.data.split_video import split_video

    taken = split_video(videos, output, plan=parts, overwrite=overwrite, reading=reading, runtime=runtime)
    printing.skipped(taken.skipped)
    shown = ", ".join(f"{count} {kind}" for kind, count in taken.counts.items())
    click.echo(f"{taken.videos} videos: {shown}; {taken.absent} parts that a video does not have; {len(taken.skipped)} skipped")
    click.echo(f"wrote {output / 'pairs.csv'}; next: textanchor fit {output} -o space")
