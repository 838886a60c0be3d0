"""Printing that may end before the work does: whoever reads along, `| head` say, closes the pipe when it has enough."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Lasting(io.BufferedIOBase):
    """A binary stream that takes everything, and passes it on as long as somebody reads it."""

    def __init__(self, inner: Any) -> None:
        self._inner, self._read = inner, True

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._inner.isatty())

    def fileno(self) -> int:
        return int(self._inner.fileno())

    def write(self, data: Any) -> int:
        if self._read:
            rest = memoryview(data)
            try:
                while rest:  # of an unbuffered stream it may take several
                    rest = rest[self._inner.write(rest) :]
            except BrokenPipeError:
                self._gone()
        return len(data)

    def flush(self) -> None:
        if self._read:
            try:
                self._inner.flush()
            except BrokenPipeError:
                self._gone()

    def _gone(self) -> None:
        """Nobody reads any more; what the stream still holds goes nowhere, at the interpreter's end too."""
        self._read = False
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._inner.fileno())
        os.close(nowhere)


@contextmanager
def lasting() -> Iterator[None]:
    """stdout and stderr that end quietly when their readers do, within the context."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_wrapped(stream) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it was closed when this process began
                stream.flush()
        sys.stdout, sys.stderr = before


def _wrapped(stream: Any) -> Any:
    """The stream itself where it has no bytes below, as in notebooks."""
    if not hasattr(stream, "buffer"):
        return stream
    return io.TextIOWrapper(
        _Lasting(stream.buffer),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=bool(getattr(stream, "line_buffering", False)),
        write_through=True,
    )
