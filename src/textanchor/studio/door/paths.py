"""Which paths are open. Gradio has many that the studio does not need, some of which fetch addresses or run what is sent."""

from __future__ import annotations

import re
from pathlib import Path

OWN = "/studio/"
JOIN, UPLOAD, FILE = "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/file="
_GET = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/(assets|static|svelte)/[\w./@+-]+"
    r"|/gradio_api/(queue/data|upload_progress|startup-events|heartbeat/\w+|theme\.css|info/?|app_id/?)"
)
_POST = re.compile(r"/gradio_api/(queue/join|upload|cancel|reset)/?")
_PLAIN = re.compile(r"[^\\\x00-\x1f\x7f]*")  # no backslash, no control character


def is_open(method: str, path: str, uploads: Path) -> bool:
    """Whether a request may go on to the pages."""
    if not _PLAIN.fullmatch(path) or any(part in ("..", ".") for part in path.split("/")):
        return False
    if path.startswith(OWN):
        return method in ("GET", "HEAD", "POST")
    if path.startswith(FILE):
        return method in ("GET", "HEAD") and is_uploaded(path.removeprefix(FILE), uploads)
    known = {"GET": _GET, "HEAD": _GET, "POST": _POST}.get(method)
    return known is not None and known.fullmatch(path) is not None


def is_uploaded(path: object, uploads: Path) -> bool:
    """Whether a path names a file that somebody has sent: no link, and nothing outside the folder of such files."""
    if not isinstance(path, str) or not path or "\x00" in path:
        return False
    file = Path(path)
    try:
        return file.is_absolute() and file.resolve(strict=True).is_relative_to(uploads.resolve()) and file.is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def named_files(value: object) -> list[object]:
    """What the objects of a JSON value call their `path`: Gradio reads, and copies, what it is told there."""
    if isinstance(value, dict):
        inner = [found for one in value.values() for found in named_files(one)]
        return [value["path"], *inner] if value.get("path") is not None else inner
    return [found for one in value for found in named_files(one)] if isinstance(value, list) else []
