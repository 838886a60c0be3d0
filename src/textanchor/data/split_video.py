"""Videos taken apart into files: frames, sound tracks and a table of pairs, with the video as the group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import soundfile
from PIL import Image

from textanchor.data.decoding import decode
from textanchor.data.pairs import read_pairs
from textanchor.data.readers import part_reader
from textanchor.errors import ItemError, NothingUsableError
from textanchor.files import located, new_folder, write_csv
from textanchor.progress import tracked
from textanchor.records import Item, Pair, Pairs, Single, Skipped, first_of
from textanchor.runtime import Limits, Reading, Runtime, Simple, settled

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
    reading: Reading | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Taken:
    """Write the parts of every video of a class folder or table as PNG and FLAC files beside a `pairs.csv`.

    A table's `group` and `split` are kept; without a group the video is its own. Videos without text and texts without video
    stay so. `reading` is as for `read_pairs`. Raises `NothingUsableError` if no video can be read; where the runtime is strict,
    `ItemError` for the first that cannot.
    """
    how = settled(runtime, simple)
    pairs = read_pairs(source, reading=reading)
    parts = part_reader(VIDEO).parts(plan)
    films, others = _films(pairs)
    skipped = [*pairs.skipped, *(Skipped(item=item.id, reason=f"no video but {item.modality}") for item in others)]
    if how.strict and skipped:
        raise ItemError(skipped[0].item, skipped[0].reason)
    counts: Counter[str] = Counter()
    absent = videos = 0
    with new_folder(located(output), overwrite=overwrite, marker=MARKER, sign=",".join(COLUMNS)) as folder:
        table = [COLUMNS]
        for number, (item, rows) in enumerate(tracked(how.progress, films, "split", total=len(films), unit="video")):
            before = counts.total()
            for part, kind, value in _pieces(item, parts, how.limits):
                if isinstance(value, Skipped):
                    if how.strict and not value.absent:
                        raise ItemError(value.item, value.reason)
                    if value.absent:
                        absent += 1
                    else:
                        skipped.append(value)
                    continue
                place = _written(value, folder, f"{number:06d}_{part.replace(':', '-')}", kind)
                counts[kind] += 1
                table += [(place, kind, row.text or "", row.group or item.id, row.split or "") for row in rows]
            videos += counts.total() > before
        texts = [single for single in pairs.singles if single.text]
        table += [("", "", text.text or "", text.group or "", text.split or "") for text in texts]
        write_csv(folder / MARKER, table)
        if not videos:
            raise NothingUsableError(f"no video of {source} has any of the parts {plan}{first_of(skipped)}")
    return Taken(videos=videos, counts=dict(counts), absent=absent, skipped=tuple(skipped))


def _films(pairs: Pairs) -> tuple[list[tuple[Item, list[Pair | Single]]], list[Item]]:
    """Each video with its rows, and the items of rows that are no video."""
    films: dict[str, tuple[Item, list[Pair | Single]]] = {}
    others = []
    rows: Sequence[Pair | Single] = (*pairs.rows, *pairs.singles)
    for row in rows:
        if row.item is not None and row.item.modality == VIDEO:
            films.setdefault(row.item.id, (row.item, []))[1].append(row)
        elif row.item is not None:
            others.append(row.item)
    return list(films.values()), others


def _pieces(video: Item, parts: Sequence[tuple[str, str]], limits: Limits) -> Iterator[tuple[str, str, Any]]:
    """A video's parts and their modalities one by one, as decoded; those that it lacks or that cannot be read as `Skipped`."""
    for part, kind in parts:
        try:
            yield part, kind, decode(Item(id=video.id, modality=kind, path=video.path, part=f"{VIDEO}:{part}"), limits)
        except ItemError as why:
            yield part, kind, Skipped(item=f"{video.id} {part}", reason=why.reason, absent=why.absent)


def _written(value: Any, folder: Path, stem: str, kind: str) -> str:
    """One part as a lossless file; its path as the table names it."""
    name = f"{kind}/{stem}.{'png' if isinstance(value, Image.Image) else 'flac'}"
    (folder / name).parent.mkdir(exist_ok=True)
    if isinstance(value, Image.Image):
        value.save(folder / name)
    else:
        soundfile.write(folder / name, value.samples.clip(-1, 1), value.rate, subtype="PCM_16")
    return name
