"""The studio's door and what it shows of the disk: invited people see the items of its collections, and nothing else."""

from __future__ import annotations

import asyncio
import html
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("gradio", reason="the extra [studio] is not installed")

from starlette.requests import ClientDisconnect  # noqa: E402

from conftest import ROOT  # noqa: E402
from media_kinds import KINDS  # noqa: E402
from odd_files import CASES, Case  # noqa: E402
from studio_world import HOSTILE, SECRET, TOKEN, running, write_world  # noqa: E402
from textanchor.errors import InputError, ItemError  # noqa: E402
from textanchor.labelling.project import Project  # noqa: E402
from textanchor.records import Item  # noqa: E402
from textanchor.serve.refusal import Refusal  # noqa: E402
from textanchor.serve.settings import Access  # noqa: E402
from textanchor.studio.asking import EACH, Wish, answered  # noqa: E402
from textanchor.studio.cards import html as page_part  # noqa: E402
from textanchor.studio.door import Door  # noqa: E402
from textanchor.studio.door.heads import HEAD, may_be  # noqa: E402
from textanchor.studio.door.paths import is_open, is_uploaded, named_files  # noqa: E402
from textanchor.studio.door.sent import Sent  # noqa: E402
from textanchor.studio.opened import opened  # noqa: E402
from textanchor.studio.reports import is_report, report_in  # noqa: E402
from textanchor.studio.showing import keys  # noqa: E402
from textanchor.studio.showing.opening import opened as opened_file  # noqa: E402
from textanchor.studio.showing.playing import Playable, kind_of  # noqa: E402
from textanchor.studio.showing.ranges import sent, span_of  # noqa: E402

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shapes: Path, space: Any, saved: Path) -> Path:
    from textanchor.space.storage import load

    return write_world(tmp_path_factory.mktemp("studio"), shapes, load(saved))


@pytest.fixture(scope="module")
def studio(world: Path) -> Iterator[Any]:
    with running([str(world / "kept"), str(world / "report")]) as made:
        yield made


@pytest.fixture
def client(studio: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.address, headers=BEARER) as made:
        yield made


@pytest.fixture
def stranger(studio: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.address) as made:
        yield made


def key(studio: Any, name: str) -> str:
    source = studio.opened.collections["c0"]
    ((modality, place),) = source.index.holding.find(name)
    return source.key(modality, place, name)


# Who gets in


@pytest.mark.parametrize(
    "path", ["/", "/config", "/studio/static/studio.js", "/studio/report/r0", "/assets/x.js", "/gradio_api/info"]
)
def test_nobody_enters_without_an_invitation(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 401
    assert stranger.post(path).status_code == 401


def test_people_are_asked_for_the_invitation_and_programs_told(stranger: httpx.Client) -> None:
    asked = stranger.get("/", headers={"accept": "text/html"})
    assert asked.status_code == 401
    assert "<form" in asked.text
    assert stranger.get("/").json()["error"]["code"] == "no_invitation"


def test_a_link_opens_the_door_once_and_a_cookie_keeps_it_open(studio: Any, stranger: httpx.Client) -> None:
    entered = stranger.get(studio.link)
    told = entered.headers["set-cookie"]
    assert entered.status_code == 200
    assert "HttpOnly" in told
    assert "SameSite=Strict" in told
    assert TOKEN not in told
    assert stranger.get("/").status_code == 200


def test_a_link_in_a_message_on_another_site_opens_it_too(studio: Any, stranger: httpx.Client) -> None:
    elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert stranger.get(studio.link, headers=elsewhere).status_code == 200
    assert stranger.get("/", headers=elsewhere).status_code == 403


def test_wrong_tokens_and_cookies_open_nothing(studio: Any, stranger: httpx.Client) -> None:
    for token in ("", "x" * len(TOKEN), TOKEN[:-1], TOKEN + "x", "\u00e9" * 20):
        assert stranger.get("/", params={"token": token}).status_code == 401, token
        assert stranger.post("/studio/enter", data={"token": token}).status_code == 401, token
        stranger.cookies.set(f"textanchor-studio-{studio.access.port}", token.encode("ascii", "ignore").decode())
        assert stranger.get("/").status_code == 401, token
    assert stranger.get(f"/?token={TOKEN}&token=x").status_code == 401


def test_the_form_takes_the_token(stranger: httpx.Client) -> None:
    assert stranger.post("/studio/enter", data={"token": TOKEN}).status_code == 200
    assert stranger.get("/").status_code == 200


def test_pages_of_other_sites_and_other_names_are_refused(client: httpx.Client) -> None:
    assert client.get("/", headers={"origin": "https://example.org"}).status_code == 403
    assert client.post("/gradio_api/queue/join", headers={"origin": "null"}, json={}).status_code == 403
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"host": "rebound.example.org"}).status_code == 421


def test_an_open_door_is_for_this_machine_only(world: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--no-token"):
        Door(access=Access(tokens=(TOKEN,), host="0.0.0.0"), uploads=tmp_path, open=True)
    with running([str(world / "report")], open=True) as made, httpx.Client(base_url=made.address) as anybody:
        assert "token" not in made.link
        assert anybody.get("/").status_code == 200
        assert anybody.get("/", headers={"host": "rebound.example.org"}).status_code == 421


def test_every_answer_forbids_the_network(client: httpx.Client, stranger: httpx.Client) -> None:
    for answer in (client.get("/"), stranger.get("/"), client.get("/nothing"), client.get("/studio/static/studio.css")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


# What of Gradio is open


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/hostname", "/gradio_api/file=http://192.0.2.1/x", "/gradio_api/proxy=http://192.0.2.1/x",
        "/gradio_api/run/predict", "/gradio_api/call/found", "/gradio_api/vibe-edit", "/gradio_api/dev/reload", "/monitoring",
        "/gradio_api/runs", "/gradio_api/file/etc/hostname", "/custom_component/0/client/component/x", "/docs", "/openapi.json",
        "/login", "/gradio_api/component_server", "/gradio_api/process_recording", "/gradio_api/deep_link",
    ],
)  # fmt: skip
def test_what_the_studio_does_not_need_of_gradio_is_closed(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, json={}).status_code == 404


def test_paths_that_climb_are_closed(studio: Any, tmp_path: Path) -> None:
    uploads = tmp_path
    for path in (
        "/assets/../x",
        "/static/..",
        "/studio/../x",
        "/assets/a\\..\\b",
        "/assets/\x00",
        "/gradio_api/file=" + "../" * 9,
    ):
        assert not is_open("GET", path, uploads), path
    assert is_open("GET", "/assets/index-1.js", uploads)
    assert not is_open("POST", "/", uploads)
    assert not is_open("DELETE", "/studio/x", uploads)
    for path in ("/assets/%2e%2e/%2e%2e/routes.py", "/static/%2e%2e%2findex.html", "/studio/static/%2e%2e%2fapp.py"):
        raw = raw_get(studio, path)
        assert b" 404 " in raw.splitlines()[0] or b" 400 " in raw.splitlines()[0], path


def raw_get(studio: Any, path: str) -> bytes:
    """What comes for a path that no client tidies up."""
    import socket

    with socket.create_connection((studio.access.host, studio.access.port), timeout=5) as line:
        host = f"Host: 127.0.0.1:{studio.access.port}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close"
        line.sendall(f"GET {path} HTTP/1.1\r\n{host}\r\n\r\n".encode())
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_only_files_that_were_sent_may_be_named(tmp_path: Path) -> None:
    uploads, outside = tmp_path / "sent", tmp_path / "outside.txt"
    uploads.mkdir()
    outside.write_text(SECRET)
    (uploads / "fine.wav").write_bytes(b"x")
    (uploads / "link.wav").symlink_to(outside)
    assert is_uploaded(str(uploads / "fine.wav"), uploads)
    for wrong in (str(outside), str(uploads / "link.wav"), str(uploads / ".." / "outside.txt"), "fine.wav", "", None, 3, "http://x/y",
                  "/gradio_api/file=/etc/hostname", str(uploads), "a\x00b"):  # fmt: skip
        assert not is_uploaded(wrong, uploads), wrong
    assert named_files({"data": [{"files": [{"path": "a", "meta": {}}, {"x": {"path": None}}]}], "path": ["b"]}) == [["b"], "a"]


def test_a_request_cannot_make_gradio_read_a_file(client: httpx.Client, world: Path, studio: Any) -> None:
    """Gradio itself copies any file that a request to a mounted page names, from where it could then be fetched."""
    for path in (str(world / "secret.txt"), "/etc/hostname", "http://192.0.2.1/x.png"):
        told = {"path": path, "meta": {"_type": "gradio.FileData"}}
        data = [{"text": "", "files": [told]}, "c0", "", "", 12]
        answer = client.post("/gradio_api/queue/join", json={"data": data, "fn_index": 0, "session_hash": "s", "trigger_id": 1})
        assert answer.status_code == 403, path
        assert answer.json()["error"]["code"] == "foreign_file"
    assert not list(studio._uploads.rglob("secret*"))


def test_what_is_sent_is_bounded(studio: Any, client: httpx.Client) -> None:
    assert client.post("/gradio_api/queue/join", content=b"[" + b" " * (2 << 20) + b"]").status_code == 413
    gate = studio._threaded.app
    object.__setattr__(gate, "door", Door(access=studio.access, uploads=studio._uploads, file=1000))
    try:
        assert client.post("/gradio_api/upload", files={"files": ("a.wav", b"x" * 5000)}).status_code == 413
        assert client.post("/gradio_api/upload", content=iter([b"x"])).status_code == 411
        object.__setattr__(gate, "door", Door(access=studio.access, uploads=studio._uploads, file=1000, all_files=500))
        assert client.post("/gradio_api/upload", files={"files": ("a.wav", b"x" * 10)}).status_code == 503
    finally:
        object.__setattr__(gate, "door", Door(access=studio.access, uploads=studio._uploads))


def test_what_was_sent_is_gone_when_the_studio_stops(world: Path) -> None:
    with running([str(world / "kept")]) as made, httpx.Client(base_url=made.address, headers=BEARER) as client:
        sent = client.post("/gradio_api/upload", files={"files": ("a.wav", b"RIFF")}).json()[0]
        assert client.get(f"/gradio_api/file={sent}").status_code == 200
        folder = made._uploads
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def held(studio: Any) -> list[Path]:
    return [one for one in studio._uploads.rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.exe", b"MZ" + b"\0" * 60), ("a", b"RIFF0000WAVE"), ("a.html", b"<!doctype html>"), ("a.wav", b"MZ" + b"\0" * 60),
        ("a.wav", b""), ("a.png", b"<!doctype html><script>x</script>"), ("a.mp4", b"PK\x03\x04" + b"\0" * 60),
        ("a.png", b"RIFF" * 9),
        ("a.mp3", b"#!/bin/sh" + b" " * 300_000), ("a.ogg", b"GIF89a" + b"\0" * 90),
    ],
)  # fmt: skip
def test_what_is_no_file_to_search_with_is_refused_and_leaves_nothing(
    studio: Any, client: httpx.Client, name: str, content: bytes
) -> None:
    before = held(studio)
    answer = client.post("/gradio_api/upload", files={"files": (name, content)})
    assert (answer.status_code, name in answer.text) == (400, True)
    right = (studio.opened.collections["c0"].roots[0] / "circle" / "00.wav").read_bytes()
    both = [("files", ("right.wav", right)), ("files", (name, content))]
    assert client.post("/gradio_api/upload", files=both).status_code == 400
    assert held(studio) == before


READ = [one for one in (*CASES, *KINDS) if one.modality in ("image", "audio", "video") and not isinstance(one.outcome, str)]


@pytest.mark.parametrize("case", READ, ids=lambda case: f"{case.modality}: {case.about}")
def test_whatever_is_read_may_be_sent(case: Case) -> None:
    assert may_be(case.modality, case.make()[:HEAD])


def test_an_upload_that_breaks_off_leaves_nothing(studio: Any) -> None:
    import socket

    before = held(studio)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{studio.access.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\nRIFF'
    )
    with socket.create_connection((studio.access.host, studio.access.port), timeout=5) as line:
        line.sendall(head.encode() + b"x" * 5000)
        until(lambda: len(held(studio)) > len(before))
    until(lambda: held(studio) == before)


def until(done: Any) -> None:
    begun = time.monotonic()
    while not done():
        assert time.monotonic() - begun < 10
        time.sleep(0.02)


def test_a_file_is_let_go_when_no_page_asks_with_it(tmp_path: Path) -> None:
    files = [tmp_path / name / "x.wav" for name in "ab"]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(b"x")
    sent = Sent(tmp_path)
    sent.asked_with("one", files[:1])
    sent.asked_with("other", files)
    sent.asked_with("one", files[:1])
    sent.asked_with("other")
    assert [one.exists() for one in files] == [True, False]
    sent.asked_with("one")
    assert not list(tmp_path.iterdir())


# What is shown of items


def test_pictures_are_drawn_anew(studio: Any, client: httpx.Client) -> None:
    for name in ("circle/00.png", "circle/00.wav", "film.mp4", *HOSTILE):
        answer = client.get(f"/studio/picture/c0/{key(studio, name)}/small")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] in ("image/png", "image/jpeg")
        assert answer.content[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")


def test_sounds_come_in_parts(studio: Any, client: httpx.Client, world: Path) -> None:
    whole = (world / "items" / "circle" / "00.wav").read_bytes()
    address = f"/studio/play/c0/{key(studio, 'circle/00.wav')}"
    answer = client.get(address)
    assert (answer.content, answer.headers["content-type"]) == (whole, "audio/wav")
    part = client.get(address, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert client.get(address, headers={"range": f"bytes={len(whole)}-"}).status_code == 416
    assert client.get(f"/studio/play/c0/{key(studio, 'film.mp4')}").headers["content-type"] == "video/mp4"


def test_spans() -> None:
    def told(header: str, size: int = 100) -> tuple[int, int] | None:
        found = span_of(header, size)
        return None if found is None else (found.first, found.last)

    assert told("bytes=0-") == (0, 99)
    assert told("bytes=-5") == (95, 99)
    assert told("bytes=-500") == (0, 99)
    assert told("bytes=50-500") == (50, 99)
    assert told("bytes=100-") is None
    assert told("bytes=-0") is None
    for whole in ("", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"):
        assert told(whole) == (0, 99), whole


def test_what_a_browser_is_told_that_a_file_is() -> None:
    assert kind_of(b"RIFF....WAVEfmt \x10\0\0\0\x01\0", "audio") == "audio/wav"
    assert kind_of(b"RIFF....WAVEfmt \x10\0\0\0\x31\0", "audio") == ""  # GSM, which browsers do not play
    assert kind_of(b"....ftypisom", "video") == "video/mp4"
    assert kind_of(b"OggS", "audio") == "audio/ogg"
    for hostile in (b"<html><script>", b"GIF89a", b"\x89PNG", b"%PDF", b"#!/bin/sh", b""):
        assert kind_of(hostile, "audio") == "", hostile


@pytest.mark.parametrize(
    "told", ["", "x", "0.0000000000000000", "99999-696d616765.0000000000000000", "../secret.txt", "%2e%2e%2fsecret.txt", "-1.0"]
)
def test_keys_that_name_nothing(client: httpx.Client, told: str) -> None:
    assert client.get(f"/studio/play/c0/{told}").status_code == 404
    assert client.get(f"/studio/picture/c0/{told}/small").status_code == 404


def test_a_key_whose_item_has_changed_names_nothing(studio: Any, client: httpx.Client) -> None:
    right = key(studio, "circle/00.wav")
    place, kind = keys.place_in(right)
    assert client.get(f"/studio/play/c0/{keys.key_of('circle/01.wav', place, kind)}").status_code == 404
    assert client.get(f"/studio/play/c9/{right}").status_code == 404
    assert client.get(f"/studio/picture/c0/{right}/huge").status_code == 404
    with pytest.raises(Refusal):
        keys.check(right, "another")


def test_a_file_that_has_become_a_link_is_not_shown(studio: Any, client: httpx.Client, world: Path) -> None:
    """To a file outside the collection, though it is a picture, and to one inside, which is one of its items."""
    place = world / "items" / "cross" / "05.png"
    before = place.read_bytes()
    address = f"/studio/picture/c0/{key(studio, 'cross/05.png')}/large"
    try:
        place.unlink()
        place.symlink_to(world / "outside.png")
        assert client.get(address).status_code == 404
        place.unlink()
        place.symlink_to(world / "items" / "cross" / "04.png")
        assert client.get(address).status_code == 200
    finally:
        place.unlink()
        place.write_bytes(before)


def test_only_files_of_the_places_are_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.wav").write_bytes(b"x")
    (inside / "linked").symlink_to(outside)
    os.mkfifo(inside / "pipe.wav")
    with opened_file(Item(id="a", modality="audio", path=inside / "a.wav"), [inside]) as stream:
        assert stream.read() == b"x"
    for path in (
        outside / "a.wav",
        inside / "linked" / "a.wav",
        inside / ".." / "out" / "a.wav",
        inside / "pipe.wav",
        inside,
        Path("/etc/hostname"),
    ):
        with pytest.raises(ItemError):
            opened_file(Item(id="a", modality="audio", path=path), [inside])
    with opened_file(Item(id="a", modality="audio", path=outside / "a.wav"), [inside, outside]) as stream:
        assert stream.read() == b"x"


def test_reports_run_nothing(client: httpx.Client) -> None:
    answer = client.get("/studio/report/r0")
    assert "A report" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert client.get("/studio/report/r7").status_code == 404
    assert client.get("/studio/report/..").status_code == 404


# What is asked and answered


def test_hits_are_cards_with_the_line_and_the_reasons(studio: Any) -> None:
    source = studio.opened.collections["c0"]
    answer = answered(source, Wish(words="circle", k=5))
    assert len(answer.shown) == 5
    page = page_part("hits.html.jinja", answer=answer)
    assert "Why this hit" in page
    assert "no line is drawn" in page  # the drawings' space knows too few pairs to know chance
    assert "mostly chance" not in page
    judged = tuple(replace(one, hit=replace(one.hit, above=row < 2, p=0.01)) for row, one in enumerate(answer.shown))
    for above, told in ((2, "From here on mostly chance"), (0, "Nothing relevant")):
        hits = replace(answer.hits, line=above)
        seen = tuple(replace(one, hit=replace(one.hit, above=row < above)) for row, one in enumerate(judged))
        page = page_part("hits.html.jinja", answer=replace(answer, shown=seen, hits=hits))
        assert told in page
        cards = re.findall(r'class="(ta-card|ta-line)[ "]', page)
        assert cards == ["ta-card"] * above + ["ta-line"] + ["ta-card"] * (5 - above)
    by_file = answered(source, Wish(files=(source.roots[0] / "circle" / "00.wav",), modality="image", k=3))
    assert {one.hit.modality for one in by_file.shown} == {"image"}
    each = answered(source, Wish(words="circle", modality=EACH, k=3))
    assert sorted(one.hit.modality for one in each.shown) == ["audio", "image", "video"]
    assert each.hits.total == answer.hits.total
    alike = answered(source, Wish(like=answer.shown[0].card.key, k=2))
    assert alike.asked == f"more like {answer.shown[0].card.name}"


def test_a_project_is_searched_by_itself_where_its_collection_is_not_opened(world: Path, tmp_path: Path, saved: Path) -> None:
    Project.start(tmp_path / "p.sqlite", world / "kept", classes=["circle", "cross"], space=saved).close()
    beside = opened([str(world / "kept"), str(tmp_path / "p.sqlite")])
    assert list(beside.searched) == ["c0"]
    with running([str(tmp_path / "p.sqlite")]) as made, httpx.Client(base_url=made.address, headers=BEARER) as client:
        (own,) = made.opened.searched.values()
        found = [answered(source, Wish(words="circle", k=9)) for source in (own, beside.collections["c0"])]
        scores = [{one.card.name: one.hit.score for one in answer.shown} for answer in found]
        assert scores[0] == pytest.approx(scores[1], abs=2e-3)
        for one in found[0].shown:
            assert client.get(one.card.media.picture).status_code == 200
        alike = answered(own, Wish(like=found[0].shown[0].card.key, k=2))
        assert alike.shown[0].card.name == found[0].shown[0].card.name
    beside.close()


def test_a_project_without_a_space_says_what_to_open(tmp_path: Path, shapes: Path) -> None:
    Project.start(tmp_path / "p.sqlite", shapes / "image", classes=["circle", "cross"], encoders={"image": "signal"}).close()
    with running([str(tmp_path / "p.sqlite")]) as made, httpx.Client(base_url=made.address, headers=BEARER) as client:
        assert not made.opened.searched
        assert "textanchor studio PROJECT FOLDER --space SPACE" in client.get("/config").text


def test_names_are_shown_as_they_are_and_run_nothing(studio: Any) -> None:
    page = page_part("hits.html.jinja", answer=answered(studio.opened.collections["c0"], Wish(words="<b>square</b>", k=60)))
    assert "<img src=x" not in page
    assert "<b>square" not in page
    for name in HOSTILE:
        assert html.escape(name, quote=False)[:20] in page.replace("&#34;", '"').replace("&#39;", "'")


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish(), "type a sentence"), (Wish(words="x" * 3000), "letters"), (Wish(words="a", where="year >"), "character"),
        (Wish(words="a", where="path ~ '/home*'"), "own business"),
        (Wish(files=(Path("/x/a.exe"),)), "no file that this space reads"),
        (Wish(words="a", modality="series"), "series"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(studio: Any, wish: Wish, told: str) -> None:
    with pytest.raises(InputError, match=told):
        answered(studio.opened.collections["c0"], wish)


def test_a_collection_needs_a_space(tmp_path: Path, shapes: Path) -> None:
    with pytest.raises(InputError, match="--space"):
        opened([str(shapes)])


def test_the_package_holds_scripts_styles_and_templates() -> None:
    place = files("textanchor.studio")
    for name in ("static/studio.js", "static/studio.css", "static/entrance.html", "templates/hits.html.jinja"):
        assert place.joinpath(name).is_file(), name


def test_nothing_points_to_the_network() -> None:
    """Neither our own files, nor the page with its theme."""
    for file in (ROOT / "src" / "textanchor" / "studio").rglob("*"):
        if file.suffix in (".js", ".css", ".html", ".jinja"):
            assert not re.search(r"https?://", file.read_text()), file


def test_the_command_begins_prints_the_link_and_ends(world: Path) -> None:
    words = [sys.executable, "-c", "from textanchor.cli import main; main()", "studio", str(world / "report"), "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        link = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        assert link, line
        with httpx.Client() as browser:
            assert browser.get(link[0]).status_code == 200
            assert browser.get(link[0].partition("?")[0]).status_code == 200
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 8
        assert "stopped" in process.stderr.read()


def test_a_missing_extra_is_said_with_the_command_that_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.errors import MissingError
    from textanchor.studio.app import check_installed

    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(MissingError, match=re.escape("pip install 'textanchor[studio]'")):
        check_installed()


def test_the_copy_of_a_collection_has_its_new_place(world: Path, tmp_path: Path, saved: Path) -> None:
    """A folder that was not kept is indexed when the studio begins, and its own files are shown."""
    shutil.copytree(world / "items" / "circle", tmp_path / "circle")
    found = opened([str(tmp_path / "circle")], space=saved)
    assert found.collections["c0"].roots == (tmp_path / "circle",)


def test_what_the_doctor_said_a_board_and_a_report_are_recognised(tmp_path: Path) -> None:
    reached = [{"modality": "image", "aligner": name, "R@1": value, "R@1 interval": [0.1, 0.9], "largest class R@1": 0.2}
               for name, value in (("ridge", 0.5), ("cca", 0.7))]  # fmt: skip
    finding = {"modality": "all", "level": "leak", "topic": "<b>copies</b>", "text": "<script>x</script>"}
    (tmp_path / "said.json").write_text(json.dumps({"findings": [finding], "reached": reached}))
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "board.html").write_text("<h1>board</h1>")
    (tmp_path / "board" / "board.csv").write_text("rank,method,seeds,score,score sd\n1,cca,3,0.9,0.01\n2,ridge,3,0.8,0.02\n")
    doctor, board = report_in(tmp_path / "said.json"), report_in(tmp_path / "board")
    assert (doctor.kind, board.kind) == ("doctor", "bench")
    assert [(one.name, one.value, one.within) for one in doctor.figures] == [("image, cca", "0.700", "[0.100, 0.900]")]
    assert "largest class 0.200" in doctor.figures[0].of
    assert b"<script>" not in doctor.content
    assert [(one.name, one.within) for one in board.figures] == [("cca", "± 0.010"), ("ridge", "± 0.020")]
    assert not is_report(tmp_path / "other.json")
    with pytest.raises(InputError, match="no report"):
        report_in(tmp_path)


def test_a_player_that_goes_away_before_the_first_byte_leaves_no_open_file() -> None:
    stream = io.BytesIO(b"RIFF")
    response = sent(Playable(stream=stream, size=4, kind="audio/wav"), None)

    async def gone(*_: Any) -> Any:
        raise OSError("the other side is gone")

    with pytest.raises((OSError, ClientDisconnect)):
        asyncio.run(response({"type": "http", "asgi": {"spec_version": "2.4"}}, gone, gone))
    assert stream.closed
