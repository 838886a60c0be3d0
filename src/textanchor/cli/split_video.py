"""`textanchor split-video`."""

from __future__ import annotations

from pathlib import Path

import click

from textanchor.cli import options, printing


@click.command()
@click.argument("videos", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--parts", default="first+sound", show_default=True, help="first, uniform:4 or scene:4, and +sound.")
@options.reading
@options.strict
@options.overwrite
def command(videos: Path, output: Path, parts: str, strict: bool, overwrite: bool) -> None:
    """Take VIDEOS apart: frames, sound tracks and pairs.csv, with the text of each video and the video as the group.

    VIDEOS is a folder with one folder per class, or a table with the columns path (or file_name) and text.
    """
    from textanchor.data.split_video import split_video

    done = split_video(videos, output, plan=parts, strict=strict, overwrite=overwrite, progress=True)
    printing.skipped(done.skipped)
    shown = ", ".join(f"{count} {kind}" for kind, count in done.counts.items())
    click.echo(f"{done.videos} videos: {shown}; {done.absent} parts that a video does not have; {len(done.skipped)} skipped")
    click.echo(f"wrote {output / 'pairs.csv'}; next: textanchor fit {output} -o space")
