"""The command line: arguments in, calls of the library, text out. Results go to stdout, progress to stderr.

Exit codes: 0 done, 1 nothing usable, 2 wrong input, 130 interrupted (one line says what is kept). A closed pipe, such as
`| head` leaves behind, ends the printing and not the work: the exit code is that of the work.
Commands import the library when they run, so `--help` is quick.
"""

from textanchor.cli.commands import Commands, main

__all__ = ["Commands", "main"]
