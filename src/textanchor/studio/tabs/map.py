"""The tab *Map*: items as points. Gradio has no scatter with a click and a lasso, so that this one is drawn by hand."""

from __future__ import annotations

import json

from textanchor.studio.cards import html
from textanchor.studio.opened import Opened
from textanchor.studio.static_files import static


def map_tab(opened: Opened) -> None:
    """Its place, within a tab that is open; `static/map.js` fills it."""
    import gradio as gr

    named = [[source.name, source.id] for source in opened.projects.values()]
    named += [[source.name, source.id] for source in opened.collections.values()]
    place = html("place.html.jinja", sources=json.dumps(named), formats="[]", told="The map is being fetched.")
    gr.HTML(place, js_on_load=static("map_start.js").decode(), apply_default_css=False, elem_id="ta-map")
