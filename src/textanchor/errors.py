"""Every error that textanchor raises on purpose.

    TextAnchorError              exit code 2 unless said otherwise
    |- InputError                what was given cannot be meant: a value, a table, a folder
    |  |- UnknownNameError       a name that no registry knows
    |  |- LeakError              one group or item would stand on both sides of a split
    |  |- AbstainedError         the data do not decide the answer, so none is given; exit code 1
    |  `- DamagedError           a file of ours that does not hold what it should
    |- MissingError              a model, package or device that cannot be had here
    |- NothingUsableError        the input was readable, nothing in it was usable; exit code 1
    `- ItemError                 one item cannot be read; callers count it, name it and go on

A message says what happened (with the value and the place), what was expected and what to do.
"""

from __future__ import annotations


class TextAnchorError(Exception):
    """Root of the errors that a user can cause and mend."""

    exit_code = 2


class InputError(TextAnchorError, ValueError):
    """The given value, table or folder cannot be used as it is."""


class UnknownNameError(InputError):
    """A name that is in no registry."""


class LeakError(InputError):
    """A split would put one group or one item on both sides."""


class AbstainedError(InputError):
    """What was given can be read, and says too little for an answer."""

    exit_code = 1


class DamagedError(InputError):
    """A stored file is incomplete, altered or of a newer format."""


class MissingError(TextAnchorError):
    """Something that is not on this machine; the message carries the command that gets it."""


class NothingUsableError(TextAnchorError):
    """Everything was read and nothing remained."""

    exit_code = 1


class ItemError(TextAnchorError):
    """One item cannot be read or encoded; `reason` is one line without the path.

    `absent` says that nothing is wrong: the item is a part that its file does not have.
    """

    def __init__(self, item: str, reason: str, *, absent: bool = False) -> None:
        super().__init__(f"{item}: {reason}")
        self.item = item
        self.reason = reason
        self.absent = absent
