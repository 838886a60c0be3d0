"""The tab *Report*: pages that were written before, in a frame that runs nothing, and their key figures."""

from __future__ import annotations

from textanchor.errors import TextAnchorError
from textanchor.serve.refusal import public
from textanchor.studio.cards import html
from textanchor.studio.opened import Opened

NONE, COMMAND = "No report was opened. Write one, and open its folder:", "textanchor evaluate SPACE PAIRS -o report"


def report_tab(opened: Opened) -> None:
    """Its parts, within a tab that is open."""
    import gradio as gr

    names = [
        (report.name if report.name == report.kind else f"{report.name} ({report.kind})", id)
        for id, report in opened.reports.items()
    ]
    if not names:
        gr.HTML(html("hint.html.jinja", told=NONE, command=COMMAND), apply_default_css=False)
        return
    which = gr.Dropdown(names, value=names[0][1], label="Report", visible=len(names) > 1)
    page = gr.HTML(_shown(opened, names[0][1]), apply_default_css=False)
    which.change(lambda id: _shown(opened, id), which, page, api_visibility="private")


def _shown(opened: Opened, id: str) -> str:
    if id not in opened.reports:
        return html("hint.html.jinja", told="There is no such report.", wrong=True)
    report = opened.reports[id]
    try:
        return html("report.html.jinja", id=id, report=report, figures=report.figures)
    except TextAnchorError as why:
        return html("hint.html.jinja", told=public(str(why)), wrong=True)
