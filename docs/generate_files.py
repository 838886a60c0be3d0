"""Write the table of odd files in docs/files.md from the tests' own cases: `python docs/generate_files.py`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from media_kinds import KINDS  # noqa: E402
from odd_files import CASES  # noqa: E402

MARK = "| kind | file | outcome |\n|---|---|---|\n"


def main() -> None:
    """Replace what follows the table's head."""
    page = HERE / "files.md"
    text = page.read_text(encoding="utf-8")
    rows = "".join(f"| {case.modality} | {case.about} | {case.told} |\n" for case in (*CASES, *KINDS))
    page.write_text(text[: text.index(MARK)] + MARK + rows, encoding="utf-8")


if __name__ == "__main__":
    main()
