"""The tab *Collections*: what there is to search, what was left out and why, and bringing it up to date."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from textanchor.collections import Collection
from textanchor.errors import TextAnchorError
from textanchor.records import Skipped
from textanchor.serve.refusal import public
from textanchor.studio.cards import html
from textanchor.studio.opened import Opened
from textanchor.studio.sources import Shelved

HOW = "Bring up to date takes in what is new or changed in the collection's places; look again shows what others did meanwhile."
SKIPPED, LOOKED = 200, 5000  # lines shown, and what is looked through for the reasons


def collections_tab(opened: Opened) -> None:
    """Its parts, within a tab that is open."""
    import gradio as gr

    names = [(source.name, source.id) for source in opened.collections.values()]
    kept = [name for name in names if isinstance(opened.collections[name[1]].shelf.held, Collection)]
    page = gr.HTML(_shown(opened, ""), apply_default_css=False, elem_id="ta-collections")
    if kept:
        gr.HTML(html("told.html.jinja", told=HOW), apply_default_css=False)
    with gr.Row(elem_classes="ta-controls"):
        which = gr.Dropdown(
            kept, value=kept[0][1] if kept else None, label="Collection", visible=len(kept) > 1, scale=0, min_width=200
        )
        sync = gr.Button("Bring up to date", variant="primary", visible=bool(kept), scale=0, min_width=180)
        again = gr.Button("Look again", visible=bool(names), scale=0, min_width=140)
    sync.click(lambda id: _synced(opened, id), which, page, api_visibility="private", concurrency_limit=1)
    again.click(lambda: _shown(opened, ""), None, page, api_visibility="private")


def _synced(opened: Opened, id: str) -> str:
    source = opened.collections.get(id)
    if source is None or not isinstance(source.shelf.held, Collection):
        return _shown(opened, "There is no such collection.")
    try:
        reports = source.shelf.held.sync(source.shelf.space)
    except TextAnchorError as why:
        return _shown(opened, public(str(why)))
    names = ("new", "changed", "unchanged", "skipped", "removed")
    told = ", ".join(f"{sum(getattr(one, name) for one in reports):,} {name}" for name in names)
    return _shown(opened, f"{source.name} is up to date: {told}.")


def _shown(opened: Opened, told: str) -> str:
    rows = [(source, source.shelf.counts, _skipped(source)) for source in opened.collections.values()]
    return html("collections.html.jinja", rows=rows, told=told, most=SKIPPED, counted=_counted)


def _skipped(source: Shelved) -> list[Skipped]:
    """What has no vector; of a collection that is kept, with the reason that was noted."""
    held = source.shelf.held
    if not isinstance(held, Collection):
        return list(held.skipped)
    found = islice(held.items(skipped=True), LOOKED)
    return [Skipped(item=source.public_id(one.id), reason=one.reason or "") for one in found]


def _counted(skipped: list[Skipped]) -> list[tuple[str, int]]:
    """Reasons, the commonest first."""
    return Counter(one.reason for one in skipped).most_common(8)
