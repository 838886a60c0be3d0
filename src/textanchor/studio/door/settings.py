"""What the studio's door is told."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from textanchor.errors import InputError
from textanchor.serve.settings import MIB, Access

LOCAL = "localhost"


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where the studio listens and whom it lets in; with `open` whoever reaches it.

    `uploads` is the folder of files that people send, of at most `file` bytes each and `all_files` together; `body` bytes are
    what any other request may bring.
    """

    access: Access
    uploads: Path
    open: bool = False
    file: int = 64 * MIB
    all_files: int = 2048 * MIB
    body: int = MIB

    def __post_init__(self) -> None:
        """Raises `InputError` for an open door on an address that other machines reach."""
        if self.open and not is_loopback(self.access.host):
            raise InputError(
                f"--no-token with --host {self.access.host} would let everybody in who reaches this machine; "
                "leave --no-token out, or listen on 127.0.0.1"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == LOCAL or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
