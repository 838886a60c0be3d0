"""The tab *Search*: a query that is typed, dropped or recorded, and a gallery of what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textanchor.errors import TextAnchorError
from textanchor.serve.refusal import Refusal, public
from textanchor.studio.asking import ANY, EACH, Wish, answered
from textanchor.studio.cards import html
from textanchor.studio.door.paths import is_uploaded
from textanchor.studio.door.sent import Sent
from textanchor.studio.opened import Opened
from textanchor.studio.static_files import static

COUNTS = (12, 24, 48)
HINT = "What is found is shown here, best first, with the line below which hits are mostly chance."

NOTHING = (
    "Nothing that was opened can be searched: a project is searched by the space that it was begun with, and here it has none, "
    "or another. Open what its items come from beside it, with a space:"
)


def search_tab(opened: Opened, uploads: Path, page: Any) -> None:
    """Its parts, within a tab of a page that is open."""
    import gradio as gr

    if not opened.searched:
        gr.HTML(
            html("hint.html.jinja", told=NOTHING, command="textanchor studio PROJECT FOLDER --space SPACE"),
            apply_default_css=False,
        )
        return
    names = [(source.name, source.id) for source in opened.searched.values()]
    sent = Sent(uploads)
    kinds = list(dict.fromkeys(kind for source in opened.searched.values() for kind in source.index.modalities))

    def found(query: Any, source: str, modality: str, where: str, k: int, visit: Any) -> str:
        told = query or {}
        files = tuple(Path(file) for file in told.get("files") or () if is_uploaded(file, uploads))
        sent.asked_with(visit.session_hash, files)
        return _answer(opened, source, Wish(words=told.get("text") or "", files=files, modality=modality, where=where, k=k))

    def alike(event: Any, source: str, modality: str, where: str, k: int) -> str:
        like = str(event._data.get("value", ""))
        return _answer(opened, source, Wish(like=like, modality=modality, where=where, k=k))

    def closed(visit: Any) -> None:
        sent.asked_with(visit.session_hash)

    alike.__annotations__["event"] = gr.EventData  # by which Gradio knows what to hand over
    found.__annotations__["visit"] = closed.__annotations__["visit"] = gr.Request
    query = gr.MultimodalTextbox(
        label="Query",
        placeholder="Type, drop a file, or record",
        sources=["upload", "microphone"],
        file_types=list(opened.endings),
        elem_id="ta-query",
        submit_btn="Search",
    )
    wanted = [("anything", ANY), *([(EACH, EACH)] if len(kinds) > 1 else []), *((kind, kind) for kind in kinds)]
    with gr.Row(elem_classes="ta-controls"):
        source = gr.Dropdown(names, value=names[0][1], label="In", visible=len(names) > 1, min_width=130)
        modality = gr.Dropdown(wanted, value=ANY, label="Find", min_width=130)
        k = gr.Dropdown(COUNTS, value=COUNTS[0], label="Hits", min_width=90)
        where = gr.Textbox(label="Only where", placeholder="year >= 2020 and camera = 'X100'", min_width=260, scale=4)
    hint, alike_js = html("hint.html.jinja", told=HINT), static("alike.js").decode()
    results = gr.HTML(hint, elem_id="ta-results", js_on_load=alike_js, apply_default_css=False)
    asked = [source, modality, where, k]
    gr.on([query.submit, where.submit], found, [query, *asked], results, api_visibility="private")
    page.unload(closed)
    results.select(alike, asked, results, api_visibility="private")


def _answer(opened: Opened, source: str, wish: Wish) -> str:
    if source not in opened.searched:
        return html("hint.html.jinja", told="There is no such collection.")
    try:
        return html("hits.html.jinja", answer=answered(opened.searched[source], wish))
    except (TextAnchorError, Refusal) as why:
        return html("hint.html.jinja", told=public(str(why)), wrong=True)
