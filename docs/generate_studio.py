"""Take the pictures of docs/studio.md: `python docs/generate_studio.py`.

Needs the extras demo and studio, playwright and Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import textanchor
from textanchor.data.samples import write_sample
from textanchor.labelling.project import Project
from textanchor.serve.settings import Access
from textanchor.studio.opened import opened
from textanchor.studio.running import Running

PICTURES = Path(__file__).with_name("studio")
WIDTHS = {"desktop": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 844}}
COLOURS = 200
LABELLED = 60


def prepared(folder: Path) -> list[str]:
    """Digits as pictures and sounds, a space, a collection, a project of which some are labelled, and a report."""
    digits = write_sample("digits", folder / "sample", limit=400)
    space = textanchor.fit(digits, encoders={"image": "signal"})
    place = space.save(folder / "space")
    space = textanchor.load(place)
    textanchor.Collection(folder / "digits", create=True).add(space, digits)
    textanchor.write_report(textanchor.evaluate(space, digits), space, folder / "evaluation")
    _labelled(folder, place)
    return [str(folder / name) for name in ("digits", "labels.sqlite", "evaluation")]


def _labelled(folder: Path, space: Path) -> None:
    """By people who know what the table says."""
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    with Project.start(folder / "labels.sqlite", folder / "digits", classes=names, space=space) as project:
        truth = {one.id: str(one.fields["text"]) for one in project.entries()}
        for _ in range(LABELLED):
            (ask,) = project.next("Ada")
            project.decide(ask.entry.id, classes=[truth[ask.entry.id]], who="Ada")
        project.propose()


def taken(page: Any, width: str) -> None:
    """Every tab once."""
    page.set_viewport_size(WIDTHS[width])
    shot(page, "search", width, before=_searched)
    shot(page, "map", width, before=_mapped)
    shot(page, "label", width, before=lambda page: page.wait_for_selector(".ta-one"))
    shot(page, "report", width, before=lambda page: page.wait_for_selector("iframe"))
    if width == "desktop":
        shot(page, "label", width, name="grid", before=lambda page: _many(page, "Grid"))
        shot(page, "label", width, name="cluster", before=lambda page: _many(page, "Cluster"))
        page.get_by_role("button", name="One", exact=True).click()


def _searched(page: Any) -> None:
    page.fill("#ta-query textarea", "seven")
    page.get_by_label("Find").click()
    page.get_by_role("option", name="some of each").click()
    page.click("#ta-query .submit-button")
    page.wait_for_selector(".ta-card")


def _mapped(page: Any) -> None:
    page.wait_for_selector(".ta-legend li", timeout=120_000)
    page.focus(".ta-canvas")
    page.keyboard.press("ArrowRight")


def _many(page: Any, mode: str) -> None:
    page.get_by_role("button", name=mode, exact=True).click()
    page.wait_for_selector(".ta-tile")


def shot(page: Any, tab: str, width: str, *, before: Any, name: str = "") -> None:
    """A small PNG of what is seen of a tab."""
    page.evaluate(f"location.hash = '{tab}'")
    before(page)
    page.wait_for_timeout(1500)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(PICTURES / f"{name or tab}-{width}.png", optimize=True)


def main() -> None:
    """All pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as player:
        running = Running(opened(prepared(Path(folder))), Access(tokens=("docs-" * 5,), port=0)).start()
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(running.link)
        page.wait_for_selector("#ta-tabs [role=tab]")
        page.evaluate("localStorage.setItem('textanchor-who', 'Ada')")
        page.reload()
        page.wait_for_selector("#ta-query textarea")
        for width in WIDTHS:
            taken(page, width)
        browser.close()
        running.stop()


if __name__ == "__main__":
    sys.exit(main())
