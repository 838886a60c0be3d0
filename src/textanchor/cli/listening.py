"""Where a command that answers requests listens, who may ask, and when it ends."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from textanchor.cli import options

if TYPE_CHECKING:
    from textanchor.serve.settings import Access


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where it listens and who may ask, as typed."""

    host: str
    port: int
    token_file: Path | None
    allow_host: tuple[str, ...]

    def access(self) -> tuple[Access, str]:
        """The record, and the token that was made where none was given. Raises `InputError`."""
        from textanchor.serve.settings import Access
        from textanchor.serve.tokens import given_tokens, new_token

        given = given_tokens(self.token_file)
        made = "" if given else new_token()
        return Access(tokens=given or (made,), host=self.host, port=self.port, names=self.allow_host), made


def door(*, port: int, callers: str) -> options.Decorator:
    """Options that reach the command as `door`; `callers` says who may call it by which further name."""
    return options.gathered(
        "door",
        Door,
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option("--port", type=click.IntRange(0, 65535), default=port, show_default=True, help="0: any that is free."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path),
            help="File of tokens, one a line. [default: $TEXTANCHOR_TOKEN, or a new one]",
        ),
        click.option(
            "--allow-host",
            multiple=True,
            metavar="NAME[:PORT]",
            help=f"Further name that {callers} by. Repeatable.",
        ),
    )


def told_to_end() -> Event:
    """An event that comes with Ctrl-C or SIGTERM; a second one does not wait."""
    ended = Event()

    def end(number: int, _frame: Any) -> None:
        ended.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return ended
