"""The machine at work in the background: one run at a time a project, what it says kept for whoever asks."""

from __future__ import annotations

import logging
from threading import Lock, Thread

from textanchor.errors import TextAnchorError
from textanchor.labelling.guarantee import Promise
from textanchor.labelling.project import Project
from textanchor.serve.refusal import Refusal, public

log = logging.getLogger("textanchor.studio")


class Machine:
    """Proposes for one project. A studio that ends does not wait: a run is written as a whole, or not at all."""

    def __init__(self, project: Project) -> None:
        self._project, self._turn = project, Lock()
        self.working = False
        self.failed = ""
        """Why the last run failed; empty where it did not."""

    def propose(self, promise: Promise) -> None:
        """Begin. Raises `Refusal` (409) while it is at work."""
        with self._turn:
            if self.working:
                raise Refusal(409, "the machine is at work; wait until it is done", code="working")
            self.working, self.failed = True, ""
        Thread(target=self._proposed, args=(promise,), name="propose", daemon=True).start()

    def _proposed(self, promise: Promise) -> None:
        try:
            self._project.propose(promise)
        except TextAnchorError as why:
            self.failed = public(str(why))
        except Exception:
            log.exception("proposing failed")
            self.failed = "the machine failed; the studio's log says how"
        finally:
            self.working = False
