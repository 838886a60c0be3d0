"""Where a backend lives in somebody's database: tables that nobody else has, and that do not stay behind."""

from __future__ import annotations

import re
import secrets
import weakref
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from textanchor.errors import InputError

PATIENCE = 2.0  # seconds that tidying up may keep anybody


class Lodging:
    """The table (or Milvus's collection) of one backend: a new one each time it is built, so that nothing of others is touched.

    One that was saved stays until another one was saved in its stead; one that was not goes with the backend.
    `drop` takes a table's name and gives no error for one that is gone; `close` ends the connection.
    """

    def __init__(self, prefix: str, drop: Callable[[str], None], close: Callable[[], None]) -> None:
        self._prefix, self._drop, self._close = prefix, drop, close
        self._name: str | None = None
        self._saved: str | None = None

    @property
    def name(self) -> str | None:
        """The table in use; None before there is one."""
        return self._name

    @staticmethod
    def is_ours(name: str) -> bool:
        """Whether `fresh` may have made it."""
        return re.search(r"_[0-9a-f]{12}$", name) is not None

    def fresh(self) -> str:
        """A name that nobody has."""
        return f"{self._prefix}_{secrets.token_hex(6)}"

    def move(self, name: str) -> None:
        """Use this one from now on."""
        self._vacate()
        self._name = name

    def found(self, name: str) -> None:
        """Use this one, which was saved before."""
        self.move(name)
        self._saved = name

    def stay(self) -> None:
        """The one in use has been saved; what was saved before is of no use any more."""
        if self._saved not in (None, self._name):
            self._drop(str(self._saved))
        self._saved = self._name

    def goes_with(self, owner: object) -> None:
        """Tidy up when the owner is gone."""
        weakref.finalize(owner, _aside, self._leave)

    def _leave(self) -> None:
        with suppress(InputError):  # a server that is gone has nothing to be tidied up
            self._vacate()
        self._close()

    def _vacate(self) -> None:
        if self._name not in (None, self._saved):
            self._drop(str(self._name))


def _aside(work: Callable[[], None]) -> None:
    """In a thread of its own: any thread may collect garbage, also the one that would have to answer."""
    thread = Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending and starts no more
        work()
    else:
        thread.join(PATIENCE)
