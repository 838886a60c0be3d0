"""HTML from a template that lies beside the part whose page it is."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from textanchor.pages.tables import cell


def rendered(package: str, template: str, **values: object) -> str:
    """A page from a template that lies in a package; everything is escaped, and a missing value is an error."""
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters["cell"] = cell
    return page.from_string(files(package).joinpath(template).read_text(encoding="utf-8")).render(**values)
