"""The page around the tabs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textanchor.studio.cards import html
from textanchor.studio.opened import Opened
from textanchor.studio.tabs.collections import collections_tab
from textanchor.studio.tabs.label import label_tab
from textanchor.studio.tabs.map import map_tab
from textanchor.studio.tabs.reports import report_tab
from textanchor.studio.tabs.search import search_tab

TITLE = "textanchor studio"
KEPT = (600, 3600)  # every ten minutes what was sent more than an hour ago is deleted
HEAD = '<link rel="stylesheet" href="/studio/static/studio.css"><script type="module" src="/studio/static/studio.js"></script>'


def frame(opened: Opened, uploads: Path) -> Any:
    """Gradio's blocks; nothing of them asks the network for anything."""
    import gradio as gr

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=KEPT) as page:
        gr.HTML(html("header.html.jinja", opened=opened), apply_default_css=False, elem_id="ta-header")
        with gr.Tabs(elem_id="ta-tabs"):
            if opened.sources:
                with gr.Tab("Search", id="search"):
                    search_tab(opened, uploads, page)
            if opened.sources:
                with gr.Tab("Map", id="map"):
                    map_tab(opened)
            if opened.projects:
                with gr.Tab("Label", id="label"):
                    label_tab(opened)
            with gr.Tab("Report", id="report"):
                report_tab(opened)
            with gr.Tab("Collections", id="collections"):
                collections_tab(opened)
    return page
