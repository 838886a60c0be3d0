"""Progress that any front end can show: a terminal's bar, a page's, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


class Bar(Protocol):
    """One stretch of work on its way."""

    def advance(self, count: int = 1) -> None:
        """So many more are done."""

    def note(self, **counts: int) -> None:
        """What has come of it so far, such as `new=3, cached=20`."""


@runtime_checkable
class Progress(Protocol):
    """Where work reports how far it is. It must be picklable to reach Ray's workers."""

    def bar(self, what: str, *, total: int | None = None, unit: str = "item") -> AbstractContextManager[Bar]:
        """A bar that is shown until the context ends; `total` is None where nobody knows it."""


class _NoBar:
    def advance(self, count: int = 1) -> None:
        pass

    def note(self, **counts: int) -> None:
        pass


@dataclass(frozen=True)
class Silent:
    """Shows nothing."""

    @contextmanager
    def bar(self, what: str, *, total: int | None = None, unit: str = "item") -> Iterator[Bar]:
        """A bar that nobody sees."""
        yield _NoBar()


@dataclass(frozen=True)
class Terminal:
    """A bar with an estimate of the time left, on stderr; shows nothing where that is no terminal."""

    @contextmanager
    def bar(self, what: str, *, total: int | None = None, unit: str = "item") -> Iterator[Bar]:
        """A tqdm bar."""
        from tqdm import tqdm

        with tqdm(total=total, desc=what, unit=unit, disable=None) as shown:
            yield _TqdmBar(shown)


class _TqdmBar:
    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def advance(self, count: int = 1) -> None:
        self._shown.update(count)

    def note(self, **counts: int) -> None:
        self._shown.set_postfix(counts, refresh=False)


def tracked(progress: Progress, work: Iterable[T], what: str, *, total: int | None = None, unit: str = "item") -> Iterator[T]:
    """The same things one by one, the bar advancing with each."""
    with progress.bar(what, total=total, unit=unit) as bar:
        for one in work:
            yield one
            bar.advance()
