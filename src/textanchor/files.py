"""Writing so that a reader never sees half a file, and hashing."""

from __future__ import annotations

import csv
import ctypes
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textanchor.errors import DamagedError, InputError
from textanchor.escaping import writable

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD of Linux; the flag is the same on Linux and macOS


def sync(path: Path) -> None:
    """Force a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some file systems refuse fsync on folders; the rename itself is still atomic
        if not path.is_dir():
            raise
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Write all of `content` or nothing: temporary file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        sync(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys in the given order, never NaN; lone surrogates as JSON's own escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode(errors="backslashreplace"))


def append_line(path: Path, line: str) -> None:
    """Add a line to a text file in one write, so that several processes may; when this returns, it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(handle, f"{line}\n".encode(errors="backslashreplace"))
        os.fsync(handle)
    finally:
        os.close(handle)


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write a comma-separated table atomically, the header being the first row; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    write_bytes(path, writable(text.getvalue()).encode())


def check_format(path: Path, found: object, known: int) -> None:
    """Raise `InputError` for a file of ours that a later version wrote."""
    if found != known:
        raise InputError(f"{path}: format {found}, and this version reads {known}; update textanchor")


def read_json(path: Path) -> Any:
    """Parse a JSON file of ours. Raises `DamagedError` with the place."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DamagedError(f"{path} is missing; the folder is incomplete, make it again") from None
    except (ValueError, OSError, RecursionError) as why:
        raise DamagedError(f"{path} is not readable JSON ({why}); make the folder again") from None


def refuse_existing(folder: Path, *, overwrite: bool) -> None:
    """Raise `InputError` if the output exists and may not be replaced, or no folder can be made there."""
    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if place != folder.absolute() and not place.is_dir():
        raise InputError(f"{place} is a file, so {folder} cannot be made; name another place")
    if not os.access(place if place != folder.absolute() else place.parent, os.W_OK):
        raise InputError(f"{folder} cannot be written: no permission; name another place")
    if folder.exists() and not overwrite and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists already; name another place or add --overwrite")


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A file that appears whole or not at all: write to the path given, which is renamed in the end.

    Raises `InputError` if it exists, unless `overwrite`, or cannot be made there.
    """
    refuse_existing(path, overwrite=overwrite)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(temporary)
        os.chmod(temporary, 0o644)
        sync(Path(temporary))
        os.replace(temporary, path)
        sync(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(folder: Path, *, overwrite: bool, marker: str, sign: str = "") -> Iterator[Path]:
    """A folder that appears whole or not at all; an older one is replaced only if it holds `marker`, a file of ours.

    `sign` is what our file of that name always contains, and hardly anybody else's.
    """
    refuse_existing(folder, overwrite=overwrite)
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder / marker, sign):
        other = f"holds a {marker} that somebody else wrote" if (folder / marker).exists() else f"holds no {marker}"
        raise InputError(f"{folder} {other}, so it is not ours to replace; name another place")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield temporary
        os.chmod(temporary, 0o755)
        for path in sorted(temporary.rglob("*")):
            if path.is_file():
                sync(path)
        if folder.exists():
            exchange(temporary, folder)
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            os.replace(temporary, folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _is_ours(marker: Path, sign: str) -> bool:
    return marker.is_file() and sign.encode() in marker.read_bytes()


def exchange(one: Path, other: Path) -> None:
    """Each takes the other's name, in one step where the system can (Linux, macOS): nobody finds neither there.

    Elsewhere by two renames, the second of which is undone if it fails.
    """
    if _exchanged_at_once(one, other):
        return
    aside = Path(tempfile.mkdtemp(dir=other.parent, prefix=f".{other.name}.old."))
    os.replace(other, aside)
    try:
        os.replace(one, other)
    except OSError:
        os.replace(aside, other)
        raise
    os.replace(aside, one)


def _exchanged_at_once(one: Path, other: Path) -> bool:
    """renameat2(RENAME_EXCHANGE) or renamex_np(RENAME_SWAP); False where the system or file system has neither."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(one), os.fsencode(other)
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, _EXCHANGE) == 0)
        return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0)
    except (OSError, AttributeError, TypeError):
        return False


def digest(*parts: bytes | str) -> str:
    """sha256 over length-prefixed parts, as hex; ("ab", "c") and ("a", "bc") differ."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "little"))
        total.update(raw)
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def located(name: str | Path) -> Path:
    """The path that a name means, with the user's home for `~`; a `~` that is nobody's stays as it is."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)
