"""The name of a space, as clients call its model: never a path."""

from __future__ import annotations

import re
from pathlib import Path

from textanchor.files import located


def model_name(place: str | Path) -> str:
    """The folder's own name, of letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", located(place).resolve().name).strip("-.")[:100] or "space"
