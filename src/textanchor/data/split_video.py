"""Videos taken apart into files: frames, sound tracks and a table of pairs, with the video as the group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import soundfile
from PIL import Image

from textanchor.data.contents import decode
from textanchor.data.pairs import read_pairs
from textanchor.data.readers import part_reader
from textanchor.errors import ItemError, NothingUsableError
from textanchor.files import new_folder, write_csv
from textanchor.progress import tracked
from textanchor.records import Item, Pair, Skipped, first_of
from textanchor.runtime import Limits, Runtime, Simple, settled

VIDEO, MARKER = "video", "pairs.csv"
COLUMNS = ("path", "modality", "text", "group", "split")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came out: videos, files of each modality, parts that a video does not have, and what could not be read."""

    videos: int
    counts: Mapping[str, int]
    absent: int
    skipped: tuple[Skipped, ...]


def split_video(
    source: str | Path,
    output: str | Path,
    *,
    plan: str = "first+sound",
    overwrite: bool = False,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Taken:
    """Write the parts of every video of a class folder or table as PNG and FLAC files beside a `pairs.csv`.

    A table's `group` and `split` are kept; without a group the video is its own. Raises `NothingUsableError` if no video can
    be read; where the runtime is strict, `ItemError` for the first that cannot.
    """
    how = settled(runtime, simple)
    pairs = read_pairs(source)
    parts = part_reader(VIDEO).parts(plan)
    told: dict[str, list[Pair]] = {}
    for pair in pairs.rows:
        if pair.item.modality == VIDEO:
            told.setdefault(pair.item.id, []).append(pair)
    others = (pair.item for pair in pairs.rows if pair.item.modality != VIDEO)
    skipped = [*pairs.skipped, *(Skipped(item=item.id, reason=f"no video but {item.modality}") for item in others)]
    if how.strict and skipped:
        raise ItemError(skipped[0].item, skipped[0].reason)
    counts: Counter[str] = Counter()
    absent = videos = 0
    with new_folder(Path(output).expanduser(), overwrite=overwrite, marker=MARKER) as folder:
        table = [COLUMNS]
        for number, rows in enumerate(tracked(how.progress, told.values(), "split", total=len(told))):
            pieces, faults = _pieces(rows[0].item, parts, how.limits)
            damaged = [fault for fault in faults if not fault.absent]
            if how.strict and damaged:
                raise ItemError(damaged[0].item, damaged[0].reason)
            skipped += damaged
            absent += len(faults) - len(damaged)
            videos += bool(pieces)
            for (part, kind), value in pieces.items():
                place = _written(value, folder, f"{number:06d}_{part.replace(':', '-')}", kind)
                counts[kind] += 1
                table += [(place, kind, row.text, row.group or row.item.id, row.split or "") for row in rows]
        write_csv(folder / MARKER, table)
        if not videos:
            raise NothingUsableError(f"no video of {source} has any of the parts {plan}{first_of(skipped)}")
    return Taken(videos=videos, counts=dict(counts), absent=absent, skipped=tuple(skipped))


def _pieces(video: Item, parts: Sequence[tuple[str, str]], limits: Limits) -> tuple[dict[tuple[str, str], Any], list[Skipped]]:
    """A video's parts as decoded, and those that it does not have or that cannot be read."""
    pieces: dict[tuple[str, str], Any] = {}
    faults = []
    for part, kind in parts:
        try:
            pieces[part, kind] = decode(Item(id=video.id, modality=kind, path=video.path, part=f"{VIDEO}:{part}"), limits)
        except ItemError as why:
            faults.append(Skipped(item=f"{video.id} {part}", reason=why.reason, absent=why.absent))
    return pieces, faults


def _written(value: Any, folder: Path, stem: str, kind: str) -> str:
    """One part as a lossless file; its path as the table names it."""
    name = f"{kind}/{stem}.{'png' if isinstance(value, Image.Image) else 'flac'}"
    (folder / name).parent.mkdir(exist_ok=True)
    if isinstance(value, Image.Image):
        value.save(folder / name)
    else:
        soundfile.write(folder / name, value.samples.clip(-1, 1), value.rate, subtype="PCM_16")
    return name
