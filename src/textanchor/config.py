"""Where things live on this machine, and what is written beside every result so that it can be repeated."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DEFAULT_ANCHOR = "st:all-MiniLM-L6-v2"
_RECORDED = (
    "textanchor",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "transformers",
    "sentence-transformers",
    "onnxruntime",
)


def home() -> Path:
    """Folder of everything textanchor keeps: `$TEXTANCHOR_HOME`, else the platform's cache folder."""
    if told := os.environ.get("TEXTANCHOR_HOME"):
        return Path(told).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("textanchor")


def cache_folder(told: str | Path | None = None) -> Path:
    """Folder of cached latents: the one told, else `latents` under `home()`."""
    return Path(told).expanduser() if told is not None else home() / "latents"


def installed(package: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Versions of what a figure depends on, as stored with each result."""
    found = {name: held for name in _RECORDED if (held := installed(name))}
    return {"python": platform.python_version(), "platform": sys.platform, **found}
