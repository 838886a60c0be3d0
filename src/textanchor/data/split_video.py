"""Videos taken apart into files: frames, sound tracks and a table of pairs, with the video as the group."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
from PIL import Image
from tqdm import tqdm

from textanchor.data.contents import decode
from textanchor.data.pairs import read_pairs
from textanchor.data.readers import part_reader
from textanchor.errors import ItemError, NothingUsableError
from textanchor.files import new_folder
from textanchor.records import Item, Pair, Skipped, first_of

VIDEO, MARKER = "video", "pairs.csv"


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
    strict: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Taken:
    """Write the parts of every video of a class folder or table as PNG and FLAC files beside a `pairs.csv`.

    A table's `group` and `split` are kept; without a group the video is its own. Raises `NothingUsableError` if no video can
    be read; with `strict`, `ItemError` for the first that cannot.
    """
    pairs = read_pairs(source)
    parts = part_reader(VIDEO).parts(plan)
    rows = [pair for pair in pairs.rows if pair.item.modality == VIDEO]
    skipped = [
        *pairs.skipped,
        *(Skipped(item=p.item.id, reason=f"no video but {p.item.modality}") for p in pairs.rows if p.item.modality != VIDEO),
    ]
    if strict and skipped:
        raise ItemError(skipped[0].item, skipped[0].reason)
    counts: Counter[str] = Counter()
    absent, done = 0, 0
    videos = {pair.item.id: pair.item for pair in rows}
    texts: dict[str, list[Pair]] = {}
    for pair in rows:
        texts.setdefault(pair.item.id, []).append(pair)
    with new_folder(Path(output).expanduser(), overwrite=overwrite, marker=MARKER) as folder:
        with (folder / MARKER).open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(("path", "modality", "text", "group", "split"))
            for number, item in enumerate(
                tqdm(videos.values(), desc="split", unit="video", disable=None if progress else True)
            ):
                kept = 0
                for part, kind in parts:
                    try:
                        value = decode(Item(id=item.id, modality=kind, path=item.path, part=f"{VIDEO}:{part}"))
                    except ItemError as why:
                        if strict and not why.absent:
                            raise
                        absent += why.absent
                        if not why.absent:
                            skipped.append(Skipped(item=f"{item.id} {part}", reason=why.reason))
                        continue
                    place = _written(value, folder, f"{number:06d}_{part.replace(':', '-')}", kind)
                    kept += 1
                    counts[kind] += 1
                    for pair in texts[item.id]:
                        table.writerow((place, kind, pair.text, pair.group or item.id, pair.split or ""))
                done += kept > 0
        if not done:
            raise NothingUsableError(f"no video of {source} has any of the parts {plan}{first_of(skipped)}")
    return Taken(videos=done, counts=dict(counts), absent=absent, skipped=tuple(skipped))


def _written(value: Any, folder: Path, stem: str, kind: str) -> str:
    """One part as a lossless file; its path as the table names it."""
    name = f"{kind}/{stem}.{'png' if isinstance(value, Image.Image) else 'flac'}"
    (folder / name).parent.mkdir(exist_ok=True)
    if isinstance(value, Image.Image):
        value.save(folder / name)
    else:
        soundfile.write(folder / name, value.samples.clip(-1, 1), value.rate, subtype="PCM_16")
    return name
