"""Whether every figure of the tables is as it was: `python benchmarks/same.py DATA MODELS [--before COMMIT] [--parts ...]`.

The commit before is checked out into a worktree, and the scripts that print the tables of README and docs/findings.md run
there and here, one after the other, with the same interpreter and one cache of latents. Both tables are printed, and every
number that differs in its third digit is named; columns of seconds are no figures. `--kept FOLDER` keeps what was printed
and takes what is there already. Exit code 1 if anything differs. Latents that are encoded anew may differ in their last
bits, which hard mining makes much of. With `--seeds 1` all parts take about an hour a side on two cores.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]
NUMBER = re.compile(r"[-+]?\d*\.\d+")
PARTS: dict[str, list[str]] = {
    "digits": ["digits.py", "--seeds", "{seeds}"],
    "reference": ["reference.py", "--parts", "flickr8k", "esc50", "unseen", "probes", "never-paired"],
    "losses-small": ["losses.py", "--sets", "esc50", "digits", "--seeds", "{seeds}"],
    "losses-large": ["losses.py", "--sets", "mnist-fsdd", "flickr8k", "--seeds", "{seeds}"],
    "views": ["choices.py", "--parts", "views"],
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a printed table."""

    table: str
    row: str
    column: str
    text: str

    @property
    def numbers(self) -> list[float]:
        """Its figures to three digits."""
        return [round(float(number), 3) for number in NUMBER.findall(self.text)]


def main() -> int:
    """Print both sides of every part, and what differs."""
    asked = arguments()
    differing = 0
    with tempfile.TemporaryDirectory() as work:
        kept = asked.kept or Path(work)
        before = checked_out(asked.before, Path(work) / "before") if asked.before else None
        for part in asked.parts:
            old = printed(before, part, asked, kept / "before")
            new = printed(HERE, part, asked, kept / "after")
            differing += compared(part, old, new)
        if before is not None:
            subprocess.run(["git", "worktree", "remove", "--force", str(before)], cwd=HERE, check=True)
    print(f"\n{differing} figures differ in the third digit" if differing else "\nevery figure is the same to three digits")
    return 1 if differing else 0


def arguments() -> argparse.Namespace:
    """Options."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--before", help="Commit that is compared with; without it, what --kept holds.")
    told.add_argument("--kept", type=Path, help="Folder of printed tables.")
    told.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    told.add_argument("--seeds", default="1")
    asked = told.parse_args()
    asked.data, asked.models = asked.data.resolve(), asked.models.resolve()
    return asked


def checked_out(commit: str, place: Path) -> Path:
    """A worktree of a commit."""
    subprocess.run(["git", "worktree", "add", "--detach", "--force", str(place), commit], cwd=HERE, check=True)
    return place


def printed(root: Path | None, part: str, asked: argparse.Namespace, kept: Path) -> str:
    """What a part's script prints, of the source in `root`; from the folder if it is there already."""
    file = kept / f"{part}.md"
    if file.is_file():
        return file.read_text()
    if root is None:
        raise SystemExit(f"{file} is not there; name the commit before with --before")
    script, *options = (word.format(seeds=asked.seeds) for word in PARTS[part])
    command = [sys.executable, str(root / "benchmarks" / script), str(asked.data), str(asked.models), *options]
    paths = os.pathsep.join([str(root / "src"), str(root / "benchmarks")])
    env = {**os.environ, "PYTHONPATH": paths, "TEXTANCHOR_HOME": str(kept.parent / "home")}
    found = subprocess.run(command, cwd=root, env=env, check=True, capture_output=True, text=True).stdout
    kept.mkdir(parents=True, exist_ok=True)
    file.write_text(found)
    return found


def compared(part: str, old: str, new: str) -> int:
    """Print both tables and the cells that differ; how many do."""
    print(f"\n## {part}\n\nBefore:\n{old}\nAfter:\n{new}", flush=True)
    theirs, ours = list(cells(old)), list(cells(new))
    known = {(cell.table, cell.row, cell.column): cell for cell in ours}
    differing = 0
    for cell in theirs:
        now = known.get((cell.table, cell.row, cell.column))
        if now is None or cell.numbers != now.numbers:
            differing += 1
            print(f"differs: {cell.table} / {cell.row} / {cell.column}: {cell.text} before, {now.text if now else 'gone'} now")
    print(f"{part}: {len(theirs)} cells compared, {differing} differ", flush=True)
    return differing


def cells(text: str) -> Iterator[Cell]:
    """Cells of all Markdown tables but those of seconds; a row is named by its cells that hold no figure."""
    title, columns = "", list[str]()
    for line in text.splitlines():
        if line.startswith("###"):
            title, columns = line.strip("# "), []
        elif line.startswith("|") and not columns:
            columns = [f"{name} ({number})" for number, name in enumerate(split(line), start=1)]  # names may repeat
        elif line.startswith("|") and not set(line) <= set("|-"):
            values = split(line)
            name = " ".join(value for value in values if not NUMBER.search(value))
            for column, value in zip(columns, values, strict=False):
                if not column.startswith("seconds") and NUMBER.search(value):
                    yield Cell(table=title, row=name, column=column, text=value)


def split(line: str) -> Sequence[str]:
    """Cells of a line."""
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")] if " | " in line else [line.strip("| ")]


if __name__ == "__main__":
    sys.exit(main())
