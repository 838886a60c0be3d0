"""The studio in a real browser: search, map and labelling by hand, without an error and without a request that leaves."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra [studio] is not installed")
playing = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),  # Gradio's own counting, with a newer pandas
]

from studio_world import HOSTILE, TOKEN, running, write_world  # noqa: E402
from textanchor.labelling.project import Project  # noqa: E402

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")  # which beeps
READY = {"map": ".ta-legend li", "label": ".ta-one, .ta-wall, #ta-label .ta-desk .ta-hint"}
TABS = ("search", "map", "label", "report", "collections")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shapes: Path, saved: Path) -> Path:
    from textanchor.space.storage import load

    folder = write_world(tmp_path_factory.mktemp("browsed"), shapes, load(saved))
    Project.start(folder / "shapes.sqlite", folder / "kept", classes=["circle", "cross", "square"], space=saved).close()
    return folder


@pytest.fixture
def project(world: Path, tmp_path: Path) -> Iterator[Project]:
    """A fresh copy each."""
    shutil.copy(world / "shapes.sqlite", tmp_path / "shapes.sqlite")
    with Project(tmp_path / "shapes.sqlite") as made:
        yield made


@pytest.fixture
def studio(world: Path, project: Project) -> Iterator[Any]:
    with running([str(world / "kept"), str(world / "report"), str(project.file)]) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playing.sync_playwright() as player:
        made = player.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required", *MICROPHONE]
        )
        yield made
        made.close()


@pytest.fixture
def visit(browser: Any, studio: Any) -> Iterator[Callable[..., Any]]:
    """Pages of one person, who is let in; in the end no page had an error, and none asked any other machine."""
    context = browser.new_context(viewport=DESKTOP)
    context.add_init_script(
        "try { localStorage.getItem('textanchor-who') || localStorage.setItem('textanchor-who', 'Ada') } catch { }"
    )
    wrong: list[str] = []

    def watched(page: Any) -> None:
        page.on(
            "request", lambda one: wrong.append(one.url) if not one.url.startswith((studio.address, "data:", "blob:")) else None
        )
        page.on("console", lambda one: wrong.append(f"{one.type}: {one.text}") if one.type == "error" else None)
        page.on("pageerror", lambda one: wrong.append(f"error: {one}"))
        page.on("dialog", lambda one: wrong.append(f"dialog: {one.message}"))

    context.on("page", watched)

    def go(tab: str = "search", *, invited: bool = True) -> Any:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto(studio.link if invited else studio.address)
        if invited:
            page.wait_for_selector("#ta-tabs [role=tab]")
            page.evaluate(f"location.hash = '{tab}'")
            page.wait_for_selector(
                {"map": ".ta-legend li", "label": ".ta-one, .ta-wall, #ta-label .ta-desk .ta-hint"}.get(tab, "#ta-tabs")
            )
        return page

    go.context, go.wrong = context, wrong  # type: ignore[attr-defined]
    yield go
    context.close()
    assert not wrong


def decided(project: Project) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.item, one.kind, one.classes) for one in project.history() if one.undoes is None and not one.undone]


def saved(page: Any, words: str = "Saved") -> str:
    page.wait_for_function("words => document.querySelector('.ta-word').textContent.startsWith(words)", arg=words)
    return page.inner_text(".ta-word")


def shown(page: Any) -> str:
    return page.get_attribute(".ta-one", "data-key")


def another(page: Any, than: str) -> None:
    """There is none for a moment while the next ones are fetched."""
    page.wait_for_function("key => (document.querySelector('.ta-one')?.dataset.key ?? key) !== key", arg=than)


def press(page: Any, key: str) -> None:
    """A key, and then the next item."""
    before = shown(page)
    page.keyboard.press(key)
    another(page, before)


def test_nobody_sees_anything_without_the_invitation(browser: Any, studio: Any) -> None:
    page = browser.new_page()
    assert page.goto(studio.address).status == 401
    page.fill("#token", "a wrong one, and long enough")
    page.click("button")
    assert "not known" in page.inner_text("[role=alert]")
    page.fill("#token", TOKEN)
    page.click("button")
    page.wait_for_selector("#ta-tabs [role=tab]")
    assert TOKEN not in page.url
    page.close()


def test_search_by_a_sentence_and_by_a_sound(visit: Any, world: Path) -> None:
    page = visit()
    page.fill("#ta-query textarea", "circle")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ta-card")
    assert page.locator(".ta-card").count() == 12
    assert "circle" in page.inner_text(".ta-card >> nth=0 >> .ta-name")
    page.locator(".ta-why summary").first.click()
    assert "training texts" in page.inner_text(".ta-why >> nth=0")
    page.fill("#ta-query textarea", "")
    page.set_input_files("#ta-query input[type=file]", world / "items" / "cross" / "03.wav")
    page.wait_for_selector("#ta-query .thumbnail-item, #ta-query [data-testid=thumbnail]", state="attached")
    page.click("#ta-query .submit-button")
    page.wait_for_function("document.querySelector('.ta-asked')?.textContent === '03.wav'")
    first = page.locator(".ta-card").first
    assert "cross/03.wav" in first.inner_text()
    assert (
        first.locator("audio").evaluate(
            "a => new Promise((done) => { a.onloadeddata = () => done(a.duration); a.load(); a.preload = 'auto'; })"
        )
        > 0.2
    )
    first.locator("[data-like]").click()
    page.wait_for_function("document.querySelector('.ta-asked')?.textContent.startsWith('more like')")
    page.get_by_label("Only where").fill("nothing >")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert].ta-wrong")


def test_what_was_sent_is_gone_when_no_page_asks_with_it(
    visit: Any, studio: Any, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays while it may be asked with again, and nothing else is left of a search anywhere."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for last in ("another search", "the page is closed"):
        page = visit()
        page.set_input_files("#ta-query input[type=file]", world / "items" / "cross" / "03.wav")
        page.wait_for_selector("#ta-query .thumbnail-item, #ta-query [data-testid=thumbnail]", state="attached")
        page.click("#ta-query .submit-button")
        page.wait_for_function("document.querySelector('.ta-asked')?.textContent === '03.wav'")
        page.get_by_label("Only where").fill("modality = 'image'")
        page.keyboard.press("Enter")
        page.wait_for_function("[...document.querySelectorAll('.ta-kind')].every(one => one.textContent === 'image')")
        assert page.inner_text(".ta-asked") == "03.wav"
        assert [one.name for one in studio._uploads.rglob("*") if one.is_file()] == ["03.wav"]
        if last == "another search":
            page.locator("#ta-query").get_by_label("Remove").first.click()
            page.fill("#ta-query textarea", "circle")
            page.keyboard.press("Enter")
            page.wait_for_function("document.querySelector('.ta-asked')?.textContent === '“circle”'")
            assert not [one for one in studio._uploads.rglob("*") if one.is_file()]
        page.close()
        begun = time.monotonic()
        while [one for one in studio._uploads.rglob("*") if one.is_file()]:
            assert time.monotonic() - begun < 20
            time.sleep(0.1)
    assert not list((tmp_path / "temporary").iterdir())


def test_search_by_a_recording(visit: Any) -> None:
    visit.context.grant_permissions(["microphone"])
    page = visit()
    page.get_by_label("Record audio").click()
    page.get_by_label("Start recording").click()
    page.wait_for_timeout(1200)
    page.get_by_label("Stop recording").click()
    page.get_by_label("Attach audio").click()
    page.click("#ta-query .submit-button")
    page.wait_for_selector(".ta-card")
    assert page.inner_text(".ta-asked").endswith(".wav")


def test_names_run_nothing(visit: Any) -> None:
    page = visit()
    title = page.title()
    page.fill("#ta-query textarea", "square")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ta-card")
    names = page.locator(".ta-card .ta-name").evaluate_all("all => all.map(one => one.title)")
    assert set(HOSTILE) <= set(names)
    page.evaluate("location.hash = 'map'")
    page.wait_for_selector(".ta-legend li")
    keys = page.evaluate("fetch('/studio/map/p0').then(one => one.json()).then(one => one.keys)")
    for place in range(len(keys)):
        page.evaluate("place => document.querySelector('#ta-map [data-sources]').taScatter.pick(place)", place)
    assert page.title() == title


def test_a_report_runs_nothing_and_asks_nobody(visit: Any, world: Path) -> None:
    with running([str(world / "hostile")]) as other:
        page = visit.context.new_page()
        asked: list[str] = []
        page.on("requestfinished", lambda one: asked.append(one.url))
        page.goto(other.link)
        page.wait_for_selector("iframe")
        frame = page.frame_locator("iframe")
        assert frame.locator("h1").inner_text() == "A report"
        page.wait_for_timeout(300)
        assert page.title() == "textanchor studio"
        assert all(one.startswith(other.address) for one in asked)
        page.close()
    assert any("Content Security Policy" in one for one in visit.wrong)  # the browser has refused it
    visit.wrong.clear()


def test_the_map_is_clicked_and_lassoed(visit: Any, project: Project) -> None:
    page = visit("map")
    scatter = "document.querySelector('#ta-map [data-sources]').taScatter"
    box = page.locator(".ta-canvas").bounding_box()
    x, y = page.evaluate(f"{scatter}.place(4)")
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.wait_for_selector(".ta-side .ta-name")
    chosen = page.evaluate(f"{scatter}.at")
    name = page.inner_text(".ta-side .ta-name")
    assert name == project.overview().ids[chosen]
    page.focus(".ta-canvas")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{scatter}.at !== {chosen}")
    page.get_by_role("button", name="Lasso").click()
    corners = [(4, 4), (box["width"] - 4, 4), (box["width"] - 4, box["height"] - 4), (4, box["height"] - 4), (4, 8)]
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    for across, down in corners:
        page.mouse.move(box["x"] + across, box["y"] + down, steps=4)
    page.mouse.up()
    page.select_option(".ta-chosen select", "cross")
    page.get_by_role("button", name="Label 27").click()
    page.wait_for_function("document.querySelector('#ta-map-told').textContent.startsWith('Labelled 27 as cross')")
    assert {one.state.classes for one in project.entries()} == {("cross",)}
    assert {one.how for one in project.history()} <= {"bulk", "drawn", "chosen"}


def test_twenty_by_keyboard_with_undo_reload_and_a_second_tab(visit: Any, project: Project) -> None:
    page = visit("label")
    keys = ["1", "2", "3", "u", "n", "1", "2", "1", "2", "3"]
    for key in keys:
        press(page, key)
    last = shown(page)
    page.keyboard.press("z")
    saved(page, "Taken back")
    another(page, last)
    again = shown(page)
    assert len(decided(project)) == 9
    press(page, "2")
    saved(page)
    kinds = [kind for _, kind, _ in decided(project)]
    assert len(kinds) == 10
    assert kinds.count("unsure") == kinds.count("none") == 1
    assert decided(project)[-1][2] == ("cross",)
    assert again != shown(page)

    here = shown(page)
    page.reload()
    page.wait_for_selector(".ta-one")
    assert shown(page) == here  # the same item is asked again
    assert "10 of 27" in page.inner_text(".ta-three").replace("8 of 27", "10 of 27")

    other = visit("label")
    assert shown(other) == here
    for key in ["1", "2"] * 5:
        press(page, key)
    saved(page)
    assert len(decided(project)) == 20
    other.wait_for_function("key => document.querySelector('.ta-one')?.dataset.key === key", arg=shown(page))
    assert other.inner_text(".ta-three") == page.inner_text(".ta-three")
    assert len({item for item, _, _ in decided(project)}) == 20


def test_keys_while_a_sound_plays_and_while_somebody_writes(visit: Any, project: Project) -> None:
    page = visit("label")
    while not page.locator(".ta-one audio").count():
        press(page, "s")
    page.evaluate("const a = document.querySelector('.ta-one audio'); a.loop = true; a.focus(); a.play()")
    page.wait_for_function("!document.querySelector('.ta-one audio').paused")
    heard = page.query_selector(".ta-one audio")
    press(page, "2")
    saved(page)
    assert heard.evaluate("a => a.paused")
    assert [classes for _, _, classes in decided(project)] == [("cross",)]

    here = shown(page)
    page.keyboard.press("o")
    page.wait_for_selector("#ta-class")
    page.keyboard.type("unz12")
    assert page.input_value("#ta-class") == "unz12"
    assert len(decided(project)) == 1
    assert shown(page) == here
    page.fill("#ta-class", "squ")
    page.keyboard.press("Enter")
    another(page, here)
    saved(page)
    assert decided(project)[-1][2] == ("square",)
    page.keyboard.press("o")
    page.fill("#ta-class", "<b>star</b>")
    page.keyboard.press("Enter")
    saved(page, "Saved. <b>star</b>")
    assert project.classes[-1].key == "<b>star</b>"
    page.keyboard.press("Control+z")  # the browser's, not ours
    page.evaluate(
        "document.querySelector('.ta-desk').append(Object.assign(document.createElement('textarea'), { id: 'field' }))"
    )
    page.focus("#field")
    page.keyboard.type("unz12 ?")
    assert page.input_value("#field") == "unz12 ?"
    assert len(decided(project)) == 3
    assert not page.locator("dialog").count()


def test_many_at_once_in_a_grid_and_in_clusters(visit: Any, project: Project) -> None:
    for one in project.entries():
        if one.id[:2] in ("ci", "cr") and one.id[-5] in "02":
            project.decide(one.id, classes=[one.id.partition("/")[0]], who="Bob")
    project.propose()
    page = visit("label")
    page.get_by_role("button", name="Grid").click()
    page.wait_for_selector(".ta-tile")
    page.select_option("[aria-label='Proposed as']", "cross")
    page.wait_for_function(
        "[...document.querySelectorAll('.ta-tile .ta-score')].every(one => one.textContent.startsWith('cross'))"
    )
    count = page.locator(".ta-tile").count()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    out = page.get_attribute(".ta-tile[data-out]", "data-name")
    before = len(decided(project))
    page.keyboard.press("Enter")
    saved(page)
    fresh = decided(project)[before:]
    assert len(fresh) == count - 1
    assert {(kind, classes) for _, kind, classes in fresh} == {("accept", ("cross",))}
    assert out not in {item for item, _, _ in fresh}
    page.keyboard.press("z")
    saved(page, "Taken back")
    assert len(decided(project)) == before

    page.get_by_role("button", name="Cluster", exact=True).click()
    page.wait_for_selector("text=Cluster 1 of")
    everything = int(page.inner_text("[data-all]").split("All ")[1].split()[0])
    seen = page.locator(".ta-tile").count()
    assert page.inner_text(".ta-how").startswith(
        f"{seen} of {everything} items are shown" if seen < everything else "Click an item"
    )
    page.keyboard.press("1")
    saved(page)
    assert len(decided(project)) == before + everything


def test_the_machine_proposes_and_what_it_may_is_taken_over(visit: Any, project: Project) -> None:
    for one in project.entries(ids=[ask.entry.id for ask in project.next("Bob", 20)]):
        project.decide(one.id, classes=["circle" if "circle" in one.id else "cross"], who="Bob")
    page = visit("label")
    page.get_by_role("button", name="Propose").click()
    page.select_option("#ta-level", "0.2")
    page.locator("dialog").get_by_role("button", name="Propose").click()
    page.wait_for_selector(".ta-accept")
    assert "of proposals" in page.inner_text(".ta-three")
    assert project.run is not None
    assert project.run.level == 0.2
    assert page.inner_text(".ta-word").startswith("proposed by")
    here, proposed = shown(page), page.inner_text(".ta-accept span")
    press(page, "Enter")
    saved(page)
    assert decided(project)[-1][1:] == ("accept", (proposed.removeprefix("Accept: "),))
    assert here != shown(page)


@pytest.mark.parametrize("tab", TABS)
def test_a_phone_has_no_need_to_scroll_sideways(visit: Any, tab: str) -> None:
    page = visit(tab)
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(300)
    if tab == "search":
        page.fill("#ta-query textarea", "circle")
        page.keyboard.press("Enter")
        page.wait_for_selector(".ta-card")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_who_is_asked_once_and_kept(browser: Any, studio: Any, project: Project) -> None:
    page = browser.new_page()
    page.goto(studio.link)
    page.wait_for_selector("#ta-tabs [role=tab]")
    page.evaluate("location.hash = 'label'")
    page.fill("#ta-name", "Grace <i>")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ta-one")
    press(page, "1")
    saved(page)
    assert project.history()[-1].who == "Grace <i>"
    page.reload()
    page.wait_for_selector(".ta-one")
    assert page.inner_text("[data-who]") == "Grace <i>"
    page.close()


def test_an_error_is_said_and_the_item_stays(visit: Any, project: Project) -> None:
    page = visit("label")
    press(page, "1")
    saved(page)
    here = shown(page)
    visit.context.route("**/decide", lambda route: route.abort())
    page.evaluate("window.onunhandledrejection = () => { document.title = 'lost' }")
    page.keyboard.press("1")
    page.wait_for_selector(".ta-word.ta-wrong")
    assert "Not saved" in page.inner_text(".ta-word")
    page.wait_for_function("key => document.querySelector('.ta-one')?.dataset.key === key", arg=here)
    assert len(decided(project)) == 1
    visit.context.unroute("**/decide")
    press(page, "1")
    saved(page)
    assert len(decided(project)) == 2
    assert visit.wrong == ["error: Failed to load resource: net::ERR_FAILED"]
    visit.wrong.clear()


def test_labels_are_exported(visit: Any, project: Project) -> None:
    page = visit("label")
    press(page, "1")
    saved(page)
    page.click(".ta-export summary")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Labels as CSV").click()
    assert waiting.value.suggested_filename == "shapes.csv"
    text = Path(waiting.value.path()).read_text()
    assert decided(project)[0][0] in text
    assert "circle" in text


def test_doubtful_labels_are_asked_again(visit: Any, project: Project) -> None:
    """One wrong label among right ones comes first."""
    for one in project.entries():
        if "/" in one.id and one.id[-5] in "0123":
            project.decide(one.id, classes=["circle" if one.id.startswith("circle") else "cross"], who="Bob")
    project.decide("circle/01.wav", classes=["cross"], who="Bob")
    project.propose()
    page = visit("label")
    page.select_option("[aria-label='What is asked']", "suspects")
    page.wait_for_selector(".ta-given")
    assert page.inner_text(".ta-given") == "Labelled as cross"
    assert page.inner_text(".ta-item figcaption") == "circle/01.wav"
    press(page, "1")
    saved(page)
    assert project.entry("circle/01.wav").state.classes == ("circle",)
