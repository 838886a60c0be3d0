"""HTML from a template that lies beside the part whose page it is."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from textanchor.pages.tables import cell, stacked

SHARED = ("page.html.jinja", "parts.html.jinja", "page.css")  # what every page extends and uses
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # control, direction, no Unicode
LETTERS = 4000  # of one printed value that is no media and no markup of ours


def rendered(package: str, template: str, **values: object) -> bytes:
    """A page from a template that lies in a package; everything is escaped, and a missing value is an error.

    Control characters and what is no Unicode are printed as their escapes, and what is endless is cut.
    """

    def source(name: str) -> str:
        return files("textanchor.pages" if name in SHARED else package).joinpath(name).read_text(encoding="utf-8")

    page = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    page.filters |= {"cell": cell, "stacked": stacked, "score": score, "ending": ending}
    return page.get_template(template).render(**values).encode("utf-8", "backslashreplace")


def _printable(value: Any) -> Any:
    """Text that shows what it is made of: no character that moves a cursor or turns the reading direction."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    short = value if len(value) <= LETTERS else f"{value[:LETTERS]}…"
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), short)


def score(value: float) -> str:
    """A cosine to two decimals, with a true minus and no minus zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def ending(name: str, longest: int = 44) -> str:
    """A name's end where it is long: folders come first, and the file last."""
    if len(name) <= longest:
        return name
    cut, slash, rest = name[-longest:].partition("/")
    return f"…{slash}{rest or cut}"
