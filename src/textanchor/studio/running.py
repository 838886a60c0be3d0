"""The studio in a thread: started, and stopped with what people had sent deleted."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from textanchor.serve.running import Threaded, listening
from textanchor.serve.settings import Access, Bounds
from textanchor.studio.app import application
from textanchor.studio.door import Door
from textanchor.studio.opened import Opened


@dataclass(eq=False)
class Running:
    """A studio on a socket; `open` lets everybody in who reaches it."""

    opened: Opened
    access: Access
    open: bool = False
    _threaded: Threaded = field(init=False)
    _uploads: Path = field(init=False)

    def start(self) -> Running:
        """Returns once it answers. Raises `InputError` where it cannot listen, or may not."""
        Door(access=self.access, uploads=Path(), open=self.open)
        socket, self.access = listening(self.access)
        self._uploads = Path(tempfile.mkdtemp(prefix="textanchor-studio-")).resolve()
        app = application(self.opened, Door(access=self.access, uploads=self._uploads, open=self.open))
        self._threaded = Threaded(app, socket, Bounds(), lifespan=True)
        self._threaded.start()
        return self

    @property
    def address(self) -> str:
        """Where it is, without the token."""
        host = f"[{self.access.host}]" if ":" in self.access.host else self.access.host
        return f"http://{host}:{self.access.port}/"

    @property
    def link(self) -> str:
        """The invitation."""
        return self.address if self.open else f"{self.address}?token={self.access.tokens[0]}"

    def stop(self) -> None:
        """Close, and delete what was sent."""
        self._threaded.stop()
        self.opened.close()
        shutil.rmtree(self._uploads, ignore_errors=True)
