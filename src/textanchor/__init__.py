"""textanchor: any kind of data in one vector space anchored in text.

Public names are those of `_public.py`; they are imported when first used, so that `import textanchor` loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from textanchor._public import HOME

__all__ = list(HOME)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from textanchor.config import installed

        return installed("textanchor") or "0+unknown"
    if name not in HOME:
        raise AttributeError(f"module 'textanchor' has no attribute '{name}'")
    value = getattr(import_module(f"textanchor.{HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
