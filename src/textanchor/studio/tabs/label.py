"""The tab *Label*. Gradio has no keys, no grid that is taken out of and no state that two tabs share: it is drawn by hand."""

from __future__ import annotations

import json

from textanchor.studio.cards import html
from textanchor.studio.label.handing import FORMATS
from textanchor.studio.opened import Opened
from textanchor.studio.static_files import static


def label_tab(opened: Opened) -> None:
    """Its place, within a tab that is open; `static/label.js` fills it."""
    import gradio as gr

    named = json.dumps([[source.name, source.id] for source in opened.projects.values()])
    formats = json.dumps([[name, words] for name, (words, _, _) in FORMATS.items()])
    place = html("place.html.jinja", sources=named, formats=formats, told="The project is being opened.")
    gr.HTML(place, js_on_load=static("label_start.js").decode(), apply_default_css=False, elem_id="ta-label")
