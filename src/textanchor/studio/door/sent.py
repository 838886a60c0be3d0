"""Files that people have sent, for as long as a page asks with them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import Lock


class Sent:
    """By page: a file that no page's last search was made with, any more, is deleted."""

    def __init__(self, uploads: Path) -> None:
        self._uploads, self._turn = uploads, Lock()
        self._by_page: dict[str, frozenset[Path]] = {}

    def asked_with(self, page: str, files: Sequence[Path] = ()) -> None:
        """A page searches with these, or is closed."""
        with self._turn:
            before = self._by_page.pop(page, frozenset())
            if files:
                self._by_page[page] = frozenset(files)
            for file in before.difference(*self._by_page.values()):
                shutil.rmtree(file.parent, ignore_errors=True)  # Gradio's, one for each content
