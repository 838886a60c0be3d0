"""The server: what it answers, what it refuses, and that one request never harms another."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ROOT

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")

from textanchor.errors import InputError, ItemError  # noqa: E402
from textanchor.records import Item  # noqa: E402
from textanchor.runtime import Limits  # noqa: E402
from textanchor.serve.admission import Admission  # noqa: E402
from textanchor.serve.app import application  # noqa: E402
from textanchor.serve.batching import Batcher  # noqa: E402
from textanchor.serve.connections import Guarded  # noqa: E402
from textanchor.serve.encoding import Encoded, Encoding  # noqa: E402
from textanchor.serve.fetching import Fetcher, is_public, parsed  # noqa: E402
from textanchor.serve.gate import check_host, check_origin  # noqa: E402
from textanchor.serve.lifecycle import Lifecycle  # noqa: E402
from textanchor.serve.refusal import Refusal, public  # noqa: E402
from textanchor.serve.running import Running, listening  # noqa: E402
from textanchor.serve.selftest.payloads import png  # noqa: E402
from textanchor.serve.service import Service  # noqa: E402
from textanchor.serve.settings import Access, Batching, Bounds, Settings  # noqa: E402
from textanchor.serve.shelves import open_shelves  # noqa: E402
from textanchor.serve.tokens import Keyring, given_tokens, new_token  # noqa: E402
from textanchor.serve.weighing import file_weight  # noqa: E402

TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HERE = "http://127.0.0.1:8000"
TEXTS = ["a circle", "a square of lines", "stripes", "a cross", "Größe, 日本語, 🦜"]


def asked(app: Any, method: str, path: str, *, headers: dict[str, str] | None = None, **what: Any) -> httpx.Response:
    """One request in this process."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE) as client:
            return await client.request(method, path, headers=BEARER if headers is None else headers, **what)

    return asyncio.run(send())


@pytest.fixture(scope="module")
def service(space: Any, shapes: Path) -> Iterator[Service]:
    settings = Settings(access=Access(tokens=(TOKEN,)), bounds=Bounds(items=64, hits=50))
    made = Service(space, "shapes", settings, open_shelves(space, [f"drawings={shapes}"]))
    yield made
    made.close(1)


@pytest.fixture(scope="module")
def app(service: Service) -> Any:
    return application(service)


@pytest.fixture(scope="module")
def server(space: Any, shapes: Path) -> Iterator[str]:
    """The address of a real one."""
    listens, access = listening(Access(tokens=(TOKEN,), port=0))
    settings = Settings(access=access, bounds=Bounds(head=2, drain=3))
    running = Running(Service(space, "shapes", settings, open_shelves(space, [f"drawings={shapes}"])), listens).start()
    yield f"http://127.0.0.1:{access.port}"
    assert running.stop()


def embedded(app: Any, **body: Any) -> httpx.Response:
    return asked(app, "POST", "/v1/embeddings", json=body)


def uri(path: Path, media: str) -> str:
    return f"data:{media};base64,{base64.b64encode(path.read_bytes()).decode()}"


def error(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/json"
    told = response.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    return told


# ---- what it answers


def test_embeddings_are_the_spaces_vectors_in_either_form(app: Any, space: Any) -> None:
    expected = space.embed(TEXTS, modality="text")
    floats = embedded(app, input=TEXTS, model="shapes").json()
    assert [one["index"] for one in floats["data"]] == [*range(5)]
    np.testing.assert_allclose([one["embedding"] for one in floats["data"]], expected, atol=1e-5)
    packed = embedded(app, input=TEXTS, encoding_format="base64").json()["data"]
    raw = [np.frombuffer(base64.b64decode(one["embedding"]), "<f4") for one in packed]
    np.testing.assert_array_equal(raw, np.array([one["embedding"] for one in floats["data"]], np.float32))
    assert floats["model"] == "shapes"
    assert floats["usage"]["prompt_tokens"] == floats["usage"]["total_tokens"] > len(TEXTS)


def test_files_come_as_data_uris(app: Any, space: Any, shapes: Path) -> None:
    for modality, media, pattern in (("image", "image/png", "*.png"), ("audio", "audio/wav", "*.wav")):
        files = sorted(shapes.rglob(pattern))[:3]
        got = embedded(app, input=[uri(file, media) for file in files], modality=modality)
        np.testing.assert_allclose([one["embedding"] for one in got.json()["data"]], space.embed(files), atol=1e-4)


def test_an_item_that_fails_is_named_or_refuses_the_request(app: Any, shapes: Path) -> None:
    good = uri(next(iter(sorted(shapes.rglob("*.png")))), "image/png")
    inputs = [good, "data:image/png;base64,aGVsbG8=", good, "no data URI"]
    refused = embedded(app, input=inputs, modality="image")
    assert refused.status_code == 400
    assert error(refused)["param"] == "input[1]"
    assert "1 more failed" in error(refused)["message"]
    partial = embedded(app, input=inputs, modality="image", on_error="partial").json()
    assert [one["index"] for one in partial["data"]] == [0, 2]
    assert [one["index"] for one in partial["errors"]] == [1, 3]
    assert "not an image" in partial["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"input": [1, 2]}, "tokens are not taken"),
        ({"input": [[1, 2]]}, "tokens are not taken"),
        ({"input": {"text": "a"}}, "an object"),
        ({"input": None}, "null"),
        ({"input": "a", "k": 1}, "Unexpected keyword"),
        ({"input": "a", "encoding_format": "int8"}, "'float' or 'base64'"),
        ({"input": "a", "dimensions": "384"}, "valid integer"),
        ({"input": "a", "dimensions": True}, "valid integer"),
        ({"input": "a", "dimensions": 8}, "384 numbers"),
        ({"input": "a", "modality": "smell"}, "there are: text, image, audio"),
        ({"input": "data:image/png;base64,AAAA"}, "say its modality"),
        ({"input": "   "}, "blank"),
        ({"input": ["a", ""]}, "input 1: the text is blank"),
        ({"input": ["a"] * 65}, "at most 64"),
        ({}, "Field required"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(app: Any, body: dict[str, Any], word: str) -> None:
    response = embedded(app, **body)
    assert response.status_code == 400
    assert word in error(response)["message"]
    assert error(response)["type"] == "invalid_request_error"


def test_a_text_that_looks_like_a_file_is_a_text_where_that_is_said(app: Any) -> None:
    assert embedded(app, input="data:image/png;base64,AAAA", modality="text").status_code == 200


def test_search_finds_what_the_library_finds(app: Any, space: Any, shapes: Path) -> None:
    found = asked(app, "POST", "/v1/search", json={"query": "circle", "k": 5, "modality": "image"}).json()
    expected = space.search("circle", shapes, k=5, modality="image")
    assert [hit["id"] for hit in found["data"]] == [hit.id for hit in expected]
    assert [hit["score"] for hit in found["data"]] == pytest.approx([hit.score for hit in expected], abs=1e-5)
    assert set(found["data"][0]) == {"rank", "id", "modality", "score", "p", "percentile", "above", "fields", "duplicates"}
    assert (found["total"], found["line"]) == (expected.total, expected.line)
    assert str(shapes) not in json.dumps(found)
    sound = uri(sorted(shapes.rglob("*.wav"))[0], "audio/wav")
    mixed = asked(app, "POST", "/v1/search", json={"query": sound, "query_modality": "audio", "collection": "drawings"})
    assert len(mixed.json()["data"]) == 10


def test_a_search_over_http_has_terms(app: Any, space: Any, shapes: Path) -> None:
    body = {"query": "circle", "k": 3, "offset": 2, "modality": "image", "where": "not (id ~ '*square*')", "level": 0.2}
    found = asked(app, "POST", "/v1/search", json=body).json()
    expected = space.search("circle", shapes, k=3, offset=2, modality="image", where=body["where"])
    assert [hit["id"] for hit in found["data"]] == [hit.id for hit in expected]
    assert (found["level"], found["total"], found["data"][0]["rank"]) == (0.2, 36, 3)
    for where in ("path ~ '/*'", "nonsense ((", "(" * 500):
        refused = asked(app, "POST", "/v1/search", json={"query": "circle", "where": where})
        assert (refused.status_code, error(refused)["code"]) == (400, "bad_filter")
    assert len(asked(app, "POST", "/v1/search", json={"query": "circle", "threshold": 5}).json()["data"]) == 0


def test_a_collection_that_stays_is_searched_as_it_is_now(space: Any, shapes: Path, tmp_path: Path) -> None:
    from textanchor.collections import Collection

    kept = Collection(tmp_path / "kept", create=True)
    kept.add(space, shapes / "image" / "circle")
    made = Service(space, "shapes", Settings(access=Access(tokens=(TOKEN,))), open_shelves(space, [str(tmp_path / "kept")]))
    app = application(made)
    search = {"query": "cross", "k": 100}
    assert len(asked(app, "POST", "/v1/search", json=search).json()["data"]) == 12
    kept.add(space, shapes / "image" / "cross")
    found = asked(app, "POST", "/v1/search", json=search)
    assert len(found.json()["data"]) == 24
    assert str(shapes) not in found.text
    assert asked(app, "GET", "/v1/collections").json()["data"][0] == {
        "object": "collection", "id": "kept", "items": {"image": 24},
    }  # fmt: skip
    shelf = made.shelves["kept"]
    assert shelf.public_id(str(shelf.place / "a" / "b.png")) == "a/b.png"
    assert shelf.public_id("/elsewhere/b.png") == "b.png"
    assert shelf.public_id("c/d.png") == "c/d.png"
    made.close(1)
    kept.close()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"query": "a", "k": 51}, 400, "too_many_hits"),
        ({"query": "a", "k": 0}, 400, "invalid_request"),
        ({"query": "a", "k": 1.5}, 400, "invalid_request"),
        ({"query": ["a"]}, 400, "invalid_request"),
        ({"query": "a", "collection": "../drawings"}, 404, "collection_not_found"),
        ({"query": "a", "modality": "video"}, 404, "unknown_modality"),
        ({"query": " "}, 400, "invalid_request"),
        ({"query": "data:audio/wav;base64,AAAA"}, 400, "modality_needed"),
    ],
)
def test_a_wrong_search_is_told_what_is_wrong(app: Any, body: dict[str, Any], status: int, code: str) -> None:
    response = asked(app, "POST", "/v1/search", json=body)
    assert (response.status_code, error(response)["code"]) == (status, code)


def test_what_there_is(app: Any) -> None:
    assert asked(app, "GET", "/v1/models").json()["data"][0]["id"] == "shapes"
    assert asked(app, "GET", "/v1/collections").json()["data"] == [
        {"object": "collection", "id": "drawings", "items": {"image": 48, "audio": 48}}
    ]
    assert asked(app, "GET", "/nowhere").status_code == 404
    wrong = asked(app, "PUT", "/v1/embeddings")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_metrics_count_and_have_few_labels(app: Any) -> None:
    embedded(app, input=["a", "b"])
    asked(app, "GET", "/made-up/123")
    text = asked(app, "GET", "/metrics").text
    assert 'textanchor_requests_total{method="POST",route="/v1/embeddings",status="200"}' in text
    assert 'textanchor_items_total{modality="text",outcome="embedded"}' in text
    assert "made-up" not in text
    assert "textanchor_memory_reserved_bytes 0.0" in text


def test_the_page_lists_every_operation_and_loads_nothing(app: Any) -> None:
    document = asked(app, "GET", "/openapi.json").json()
    page = asked(app, "GET", "/docs")
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert "src=" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    basic = base64.b64encode(f"me:{TOKEN}".encode()).decode()
    assert asked(app, "GET", "/docs", headers={"Authorization": f"Basic {basic}"}).status_code == 200
    assert asked(app, "GET", "/v1/models", headers={"Authorization": f"Basic {basic}"}).status_code == 401


def test_ready_only_while_the_canary_sings(app: Any, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(app, "GET", "/healthz", headers={}).json() == {"status": "ok"}
    assert asked(app, "GET", "/readyz").status_code == 200
    encoder = service.space.encoder("text")
    before = encoder.encode
    monkeypatch.setattr(encoder, "encode", lambda batch: before(["something else"] * len(batch)))
    response = asked(app, "GET", "/readyz")
    assert (response.status_code, error(response)["code"]) == (503, "not_ready")


def test_errors_carry_no_path_and_no_trace(app: Any, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no such file: /home/somebody/model.bin")

    monkeypatch.setattr("textanchor.serve.app.embeddings", fail)
    response = embedded(app, input="a")
    assert response.status_code == 500
    assert "somebody" not in response.text
    assert "/home/somebody/model.bin" in caplog.text
    assert public("cannot open /home/a/b.png or C:\\x\\y") == "cannot open <path> or <path>"
    assert public("expected image/png at 3/4") == "expected image/png at 3/4"
    assert len(public("x" * 1000)) == 300


# ---- one request never harms another


def poisoned(space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = space.encoder("text")
    before = encoder.encode

    def encode(batch: Sequence[str]) -> np.ndarray:
        if any("poison" in text for text in batch):
            raise KeyError("an error that nobody expects")
        return before(batch)

    monkeypatch.setattr(encoder, "encode", encode)


def test_a_poisoned_item_in_every_batch_costs_nobody_else_an_answer(space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text number {row}" for row in range(24)]
    expected = space.embed(texts)
    poisoned(space, monkeypatch)
    batcher = Batcher("text", Encoding(space), Batching(items=8), waiting=100, notice=lambda *_: None, company=lambda: 99)
    jobs = []
    for row, text in enumerate(texts):
        item = Item(id="", modality="text", value=text)
        jobs.append((row, batcher.submit([item], [1])))
        if row % 6 == 0:
            bad = batcher.submit([item, replace(item, value=f"poison {row}")], [1, 1])
            jobs.append((-1, bad))
    for row, job in jobs:
        outcomes = job.result(20)
        if row < 0:
            assert isinstance(outcomes[0], Encoded)
            assert outcomes[1] == "the encoder failed on it"
        else:
            np.testing.assert_allclose(outcomes[0].vector, expected[row], atol=1e-5)
    batcher.close(1)


class Slow:
    """An encoder that waits for a sign, and notes its batches."""

    def __init__(self) -> None:
        self.go, self.batches = threading.Event(), list[list[str]]()

    def __call__(self, _modality: str, items: Sequence[Item]) -> list[Encoded | str]:
        self.batches.append([str(item.value) for item in items])
        assert self.go.wait(10)
        return [Encoded(vector=np.zeros(1, np.float32), tokens=1) for _ in items]


def texts(*names: str) -> tuple[list[Item], list[int]]:
    return [Item(id="", modality="text", value=name) for name in names], [10] * len(names)


def test_requests_take_turns_and_those_given_up_are_dropped() -> None:
    slow = Slow()
    batcher = Batcher("text", slow, Batching(items=4, seconds=0), waiting=10, notice=lambda *_: None, company=lambda: 99)
    first = batcher.submit(*texts("first"))
    while not slow.batches:
        time.sleep(0.001)
    large = batcher.submit(*texts(*"abcdef"))
    given_up = batcher.submit(*texts("nobody waits"))
    small = batcher.submit(*texts("small"))
    assert given_up.cancel()
    with pytest.raises(Refusal, match="items wait already") as why:
        batcher.submit(*texts("g", "h", "i"))
    assert (why.value.status, why.value.retry) == (503, 2)
    slow.go.set()
    assert len(small.result(5)) == 1
    assert len(large.result(5)) == 6
    assert first.done()
    assert slow.batches[1] == ["a", "small", "b", "c"]
    assert batcher.waiting == 0
    with pytest.raises(CancelledError):
        given_up.result(0)
    batcher.close(1)
    with pytest.raises(Refusal, match="stopping"):
        batcher.submit(*texts("late"))


def test_batches_are_bounded_by_memory_too() -> None:
    slow = Slow()
    batcher = Batcher(
        "text", slow, Batching(items=10, seconds=0.05, memory=25), waiting=100, notice=lambda *_: None, company=lambda: 99
    )
    done = batcher.submit(*texts(*"abcde"))
    slow.go.set()
    assert len(done.result(5)) == 5
    assert slow.batches == [["a", "b"], ["c", "d"], ["e"]]
    batcher.close(1)


def test_who_is_alone_does_not_wait_for_company() -> None:
    slow = Slow()
    slow.go.set()
    batcher = Batcher("text", slow, Batching(seconds=30), waiting=10, notice=lambda *_: None, company=lambda: 1)
    assert len(batcher.submit(*texts("alone")).result(5)) == 1
    batcher.close(1)


def test_what_waits_when_a_queue_closes_is_still_answered() -> None:
    slow = Slow()
    batcher = Batcher("text", slow, Batching(items=1, seconds=0), waiting=100, notice=lambda *_: None, company=lambda: 99)
    jobs = [batcher.submit(*texts(name)) for name in "abc"]
    closing = threading.Thread(target=batcher.close, args=(5,))
    closing.start()
    slow.go.set()
    closing.join(5)
    assert all(job.done() for job in jobs)


def test_memory_is_shared_and_a_lone_request_may_have_all_and_more() -> None:
    admission = Admission(Bounds(memory=100, requests=2))
    with admission.request(0) as one:
        one.grow(1000)  # alone
        with admission.request(1) as other, pytest.raises(Refusal) as why:
            other.grow(1)
        assert (why.value.status, why.value.retry) == (503, 2)
        with admission.request(0), pytest.raises(Refusal) as why, admission.request(0):
            pass
        assert (why.value.status, why.value.retry) == (429, 1)
        assert dict(why.value.headers)[b"retry-after"] == b"1"
    assert admission.reserved == 0


def test_files_weigh_what_their_headers_say(shapes: Path) -> None:
    limits = Limits(pixels=10**8, seconds=600)
    assert file_weight("image", png(30_000, 30_000), limits) > 10**8 * 12
    assert file_weight("image", png(640, 480), limits) == pytest.approx(640 * 480 * 12, rel=0.01)
    assert file_weight("image", b"no image", limits) == 8
    sound = next(shapes.rglob("*.wav")).read_bytes()
    assert file_weight("audio", sound, limits) == len(sound) + 2400 * 4
    assert file_weight("audio", b"x" * 1000, limits) == 1000 + 128_000
    with pytest.raises(ItemError, match="3 x 200 pixels are too few"):
        file_weight("image", png(3, 200), limits, side=4)


def test_an_image_is_weighed_before_it_is_decoded(space: Any, shapes: Path) -> None:
    settings = Settings(access=Access(tokens=(TOKEN,)), bounds=Bounds(memory=1000))
    made = Service(space, "shapes", settings)
    app = application(made)
    picture = uri(next(shapes.rglob("*.png")), "image/png")
    with made.admission.request(7) as other:
        other.grow(1)
        assert embedded(app, input="a").status_code == 503  # a text takes more than is left
        response = embedded(app, input=picture, modality="image")
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert embedded(app, input=picture, modality="image").status_code == 200  # alone
    made.close(1)


# ---- who is let in


def scope(**headers: str) -> dict[str, Any]:
    told = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "headers": told, "server": ("127.0.0.1", 8000)}


ACCESS = Access(tokens=(TOKEN,), names=("search.example.org", "other.example:8443"))
OURS = ("127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "search.example.org", "other.example:8443")
FOREIGN = (
    "evil.example", "127.0.0.1", "localhost:80", "127.0.0.1:8001", "127.0.0.1:8000:8000", "localhost.evil.example:8000",
    "evil.example#localhost:8000", "localhost:8000@evil.example", "user@localhost:8000", "127.0.0.1:08000000", "::1:8000",
    "other.example", "other.example:1", "", " localhost:8000", "localhost.:8000", "0.0.0.0:8000", "2130706433:8000",
    "localhost:\xb2",
)  # fmt: skip


def test_only_our_own_names_are_hosts_and_origins() -> None:
    for name in OURS:
        check_host(scope(host=name), ACCESS)
        check_origin(scope(origin=f"http://{name}"), ACCESS)
    for name in FOREIGN:
        with pytest.raises(Refusal):
            check_host(scope(host=name), ACCESS)
        with pytest.raises(Refusal):
            check_origin(scope(origin=f"http://{name}"), ACCESS)
    for origin in ("null", "file://", "ftp://localhost:8000", "https://localhost", "http://localhost:8000/x", ""):
        with pytest.raises(Refusal):
            check_origin(scope(origin=origin), ACCESS)
    with pytest.raises(Refusal):
        check_host(scope(), ACCESS)
    check_origin(scope(sec_fetch_site="none"), ACCESS)
    with pytest.raises(Refusal):
        check_origin(scope(sec_fetch_site="same-site"), ACCESS)


def test_every_path_but_one_needs_a_token(app: Any) -> None:
    for path in ("/v1/models", "/v1/collections", "/readyz", "/metrics", "/openapi.json", "/docs", "/nowhere"):
        response = asked(app, "GET", path, headers={})
        assert response.status_code == 401, path
        assert "www-authenticate" in response.headers
    for given in ("", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"bearer{TOKEN}", f"Token {TOKEN}", "Basic !", "Bearer \xff"):
        assert Keyring([TOKEN]).owner(given.encode("latin-1")) is None
    assert Keyring(["another-of-these-tokens", TOKEN]).owner(f"bearer {TOKEN}".encode()) == 1


def test_tokens_are_given_or_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# mine\n{TOKEN}\n\n  another-token-0123456 \n")
    assert given_tokens(file) == (TOKEN, "another-token-0123456")
    monkeypatch.setenv("TEXTANCHOR_TOKEN", TOKEN)
    assert given_tokens(None) == (TOKEN,)
    monkeypatch.delenv("TEXTANCHOR_TOKEN")
    assert given_tokens(None) == ()
    assert len(new_token()) > 40
    assert new_token() != new_token()
    for bad in ("short", "a token with blanks", "tökens-of-some-length"):
        with pytest.raises(InputError):
            Access(tokens=(bad,))
    with pytest.raises(InputError):
        Access(tokens=())
    for name in ("https://search.example", "a b", "", "search.example/x"):
        with pytest.raises(InputError, match="is no Host"):
            Access(tokens=(TOKEN,), names=(name,))
    with pytest.raises(InputError):
        given_tokens(tmp_path / "absent")
    assert TOKEN not in repr(Access(tokens=(TOKEN,)))


class Wire:
    """A connection without a network: what uvicorn's protocol and asyncio's transport are to `Guarded`."""

    def __init__(self) -> None:
        self.cycle, self.aborted, self.unread = None, False, 0

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return self.unread

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Cycle:
    def __init__(self, complete: bool) -> None:
        self.response_complete = complete


def guarded(steps: Callable[[Guarded, Wire], Any], seconds: float = 0.02) -> bool:
    """Whether a connection is ended within three times the seconds after some steps."""

    async def go() -> bool:
        wire = Wire()
        guard = Guarded(wire, seconds, 1000)
        guard.connection_made(wire)  # type: ignore[arg-type]
        steps(guard, wire)
        await asyncio.sleep(3 * seconds)
        guard.connection_lost(None)
        return wire.aborted

    return asyncio.run(go())


def test_connections_that_keep_still_are_ended() -> None:
    def under_way(guard: Guarded, wire: Wire) -> None:
        wire.cycle = Cycle(complete=False)
        guard.data_received(b"the rest of a head")

    def next_head(guard: Guarded, wire: Wire) -> None:
        under_way(guard, wire)
        wire.cycle = Cycle(complete=True)
        guard.data_received(b"GET")

    def not_read(guard: Guarded, wire: Wire) -> None:
        under_way(guard, wire)
        wire.unread = 10_000
        guard.pause_writing()

    def read(guard: Guarded, wire: Wire) -> None:
        not_read(guard, wire)
        guard.resume_writing()

    assert guarded(lambda *_: None)
    assert guarded(lambda guard, _: [guard.data_received(b"a: b") for _ in range(3)])
    assert not guarded(under_way)
    assert guarded(next_head)
    assert guarded(not_read)
    assert not guarded(read)


# ---- URLs

PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fec0::1", "not an address", "", "127.1",
    "0x7f.1", "fe80::1%eth0", "::127.0.0.1", "2001:db8::1", "203.0.113.1",
)  # fmt: skip
BAD_URLS = (
    "file:///etc/passwd", "ftp://a.example/", "//a.example/", "http:/a.example", "http:a.example", "http://", "http:///x",
    "http://a.example\\@127.0.0.1/", "http://127.0.0.1\\.a.example/", "http://user@a.example/", "http://a.example@127.0.0.1/",
    "http://a.example:22/", "http://a.example:/", "http://a.example:80:80/", "http://a.example:99999/", "http://127.0.0.1/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1./",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fe80::1%25eth0]/", "http://%31%32%37.0.0.1/",
    "http://a.example/\r\nHost: b", "http://a.example/ b", " http://a.example/", "http://ａ.example/", "http://①②⑦.0.0.1/",
    "http://localhost\u3002/", "http://a.example/\u00e9", "http://a_b.example/", "http://-a.example/", "http://a.example\t/",
    "http://" + "a" * 3000, "http://a.example/\x00", "http://a.example#@127.0.0.1:22\\",
)  # fmt: skip


def test_no_private_address_is_public() -> None:
    assert not [address for address in PRIVATE if is_public(address)]
    assert is_public("93.184.215.14")
    assert is_public("2606:4700::1111")


def test_one_pattern_says_what_a_url_is() -> None:
    for url in BAD_URLS:
        with pytest.raises(ItemError):
            parsed(url)
    target = parsed("HTTPS://Images.Example.org/a/b.png?c=d#e")
    assert (target.scheme, target.host, target.port, target.path) == ("https", "images.example.org", 443, "/a/b.png?c=d")
    assert parsed("http://a.example?x").path == "/?x"
    assert parsed("http://8.8.8.8/").host == "8.8.8.8"


@pytest.fixture
def web() -> Iterator[Callable[[dict[str, bytes]], Fetcher]]:
    """A fetcher for which hosts are in the internet, and whose connections to it reach a server here."""
    import socket

    listens = socket.create_server(("127.0.0.1", 0))
    pages: dict[str, bytes] = {}
    connected: list[str] = []

    def serve() -> None:
        while True:
            try:
                stream, _ = listens.accept()
            except OSError:
                return
            with stream:
                path = stream.recv(4096).split(b" ")[1].decode()
                stream.sendall(pages.get(path, b"HTTP/1.1 404 No\r\n\r\n"))

    def connect(address: str, _port: int, seconds: float) -> Any:
        connected.append(address)
        return socket.create_connection(listens.getsockname(), timeout=seconds)

    def resolve(host: str, _port: int) -> list[str]:
        known = {"a.example": ["93.184.215.14"], "b.example": ["93.184.215.15", "10.0.0.1"], "none.example": []}
        if host not in known:
            raise OSError("unknown")
        return known[host]

    threading.Thread(target=serve, daemon=True).start()

    def made(told: dict[str, bytes]) -> Fetcher:
        pages.update(told)
        return Fetcher(most=100, seconds=2, resolve=resolve, connect=connect)

    yield made
    listens.close()
    assert set(connected) <= {"93.184.215.14"}


def test_what_is_fetched_is_what_was_checked(web: Callable[[dict[str, bytes]], Fetcher]) -> None:
    fetcher = web(
        {
            "/here": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "/moved": b"HTTP/1.1 302 Found\r\nLocation: /here\r\n\r\n",
            "/inwards": b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n",
            "/by-name": b"HTTP/1.1 302 Found\r\nLocation: http://b.example/\r\n\r\n",
            "/nowhere": b"HTTP/1.1 302 Found\r\n\r\n",
            "/round": b"HTTP/1.1 302 Found\r\nLocation: /round\r\n\r\n",
            "/large": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
            "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
            "/packed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello",
            "/garbage": b"\0\0\0\0\r\n",
        }
    )
    assert fetcher.fetch("http://a.example/here") == b"hello"
    assert fetcher.fetch("http://a.example/moved") == b"hello"
    for path in ("inwards", "by-name", "nowhere", "round", "large", "short", "packed", "garbage", "absent"):
        with pytest.raises(ItemError) as why:
            fetcher.fetch(f"http://a.example/{path}")
        assert "10.0.0.1" not in str(why.value)
    for host in ("b.example", "none.example", "unknown.example"):
        with pytest.raises(ItemError):
            fetcher.fetch(f"http://{host}/here")


def test_urls_are_fetched_only_where_that_is_said(app: Any, space: Any, shapes: Path, web: Any) -> None:
    picture = next(shapes.rglob("*.png"))
    fetcher = replace(web({"/it.png": b"HTTP/1.1 200 OK\r\n\r\n" + picture.read_bytes()}), most=1 << 20)
    asked_for = {"input": "http://a.example/it.png", "modality": "image"}
    assert "not fetched" in error(embedded(app, **asked_for))["message"]
    made = Service(space, "shapes", Settings(access=Access(tokens=(TOKEN,)), urls=True), fetcher=fetcher)
    got = embedded(application(made), **asked_for).json()
    np.testing.assert_allclose(got["data"][0]["embedding"], space.embed([picture])[0], atol=1e-4)
    many = embedded(application(made), input=["http://a.example/it.png"] * 17, modality="image")
    assert error(many)["code"] == "too_many_urls"
    assert embedded(application(made), input="http://a.example/it.png").status_code == 200  # a text
    made.close(1)


# ---- a real server


def test_the_official_client_gets_embeddings(server: str, space: Any) -> None:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=f"{server}/v1", api_key=TOKEN, max_retries=0)
    expected = space.embed(TEXTS, modality="text")
    packed = client.embeddings.create(model="shapes", input=TEXTS)  # base64 on the way
    floats = client.embeddings.create(model="shapes", input=TEXTS, encoding_format="float")
    for answer in (packed, floats):
        np.testing.assert_allclose([one.embedding for one in answer.data], expected, atol=1e-5)
    assert packed.usage.total_tokens == floats.usage.total_tokens > 0
    assert [model.id for model in client.models.list()] == ["shapes"]
    more = client.embeddings.create(model="shapes", input=["a", " "], extra_body={"on_error": "partial"})
    assert more.model_extra["errors"][0]["index"] == 1
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="text-embedding-3-small", input="a")
    with pytest.raises(openai.BadRequestError, match="tokens are not taken"):
        client.embeddings.create(model="shapes", input=[[1, 2, 3]])
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="not-the-right-token").embeddings.create(model="shapes", input="a")


def test_many_clients_get_their_own_vectors(server: str, space: Any) -> None:
    texts = [f"client {row} asks for {row % 7} things" for row in range(16)]
    expected = space.embed(texts)

    def client(row: int) -> list[float]:
        with httpx.Client(base_url=server, headers=BEARER, timeout=30) as asking:
            got = [asking.post("/v1/embeddings", json={"input": texts[row]}).json() for _ in range(3)]
        assert got[0] == got[0]
        return got[-1]["data"][0]["embedding"]

    with ThreadPoolExecutor(16) as pool:
        np.testing.assert_allclose(list(pool.map(client, range(16))), expected, atol=1e-5)


def test_a_server_that_stops_answers_what_is_under_way(space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    listens, access = listening(Access(tokens=(TOKEN,), port=0))
    service = Service(space, "shapes", Settings(access=access, bounds=Bounds(drain=5)))
    running = Running(service, listens).start()
    encoder = space.encoder("text")
    before, busy, go = encoder.encode, threading.Event(), threading.Event()

    def encode(batch: Sequence[str]) -> np.ndarray:
        busy.set()
        assert go.wait(10)
        return before(batch)

    monkeypatch.setattr(encoder, "encode", encode)
    with ThreadPoolExecutor(2) as pool, httpx.Client(base_url=f"http://127.0.0.1:{access.port}", headers=BEARER) as asking:
        under_way = pool.submit(asking.post, "/v1/embeddings", json={"input": "a text that takes long"})
        assert busy.wait(5)
        stopped = pool.submit(running.stop)
        while not service.lifecycle.closing:
            time.sleep(0.001)
        late = httpx.get(f"http://127.0.0.1:{access.port}/v1/models", headers=BEARER)
        assert (late.status_code, late.headers["retry-after"]) == (503, "5")
        go.set()
        assert under_way.result(5).status_code == 200
        assert stopped.result(10)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{access.port}/healthz")


def test_an_answer_that_takes_too_long_is_given_up(space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(space, "shapes", Settings(access=Access(tokens=(TOKEN,)), bounds=Bounds(answer=0.05)))
    app, go = application(service), threading.Event()
    encoder = space.encoder("text")
    before = encoder.encode
    monkeypatch.setattr(encoder, "encode", lambda batch: before(batch) if go.wait(10) else None)
    late = embedded(app, input=["a text that nobody", "waits for"])
    assert (late.status_code, error(late)["code"]) == (504, "timeout")
    assert service.admission.reserved == 0
    go.set()
    while service.batchers["text"].waiting:
        time.sleep(0.001)
    assert service.close(1)


def test_stopping_takes_no_longer_than_it_may() -> None:
    lifecycle = Lifecycle()
    with lifecycle.request():
        assert not lifecycle.close(0.01)
    assert lifecycle.close(0.01)


def test_a_port_that_is_taken_is_said() -> None:
    listens, access = listening(Access(tokens=(TOKEN,), port=0))
    with listens, pytest.raises(InputError, match="choose another --port"):
        listening(access)


def test_the_command_serves_until_it_is_told_to_stop(saved: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-c", "from textanchor.cli import main; main()", "serve", str(saved), "--port", "0"]
    process = subprocess.Popen([*call, "--cache", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = process.stderr.readline().split(" at ")[1].split(" ")[0]
    token = process.stderr.readline().removeprefix("token: ").strip()
    answer = httpx.get(f"{address}/readyz", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=20)
    assert (process.returncode, rest.strip()) == (0, "stopping: requests under way are answered")


def test_without_the_extra_the_command_says_what_to_install(saved: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = run("serve", saved)
    assert done.exit_code == 2
    assert "pip install 'textanchor[serve]'" in done.stderr


def test_what_cannot_be_meant_is_said_before_anything_is_served(saved: Path, shapes: Path, run: Any, tmp_path: Path) -> None:
    for wrong in (
        ["--token-file", tmp_path / "absent"],
        ["--allow-host", "https://a"],
        ["--collection", "a="],
        ["--collection", f"a={shapes / 'image' / 'cross'}", "--collection", f"a={shapes / 'image' / 'circle'}"],
        ["--collection", f"a={tmp_path / 'nothing'}"],
        ["--host", "256.0.0.1"],
        ["--host", "no such host"],
    ):
        done = run("serve", saved, "--port", 0, *wrong)
        assert done.exit_code == 2, wrong
        assert done.stderr.startswith("error: "), wrong


# ---- attacks


def test_every_attack_is_refused_and_the_page_says_so(saved: Path, shapes: Path, run: Callable[..., Any]) -> None:
    done = run("serve", saved, "--collection", f"drawings={shapes}", "--selftest")
    assert done.exit_code == 0, done.stdout
    assert "**no**" not in done.stdout
    assert done.stdout.strip() in (ROOT / "docs" / "server.md").read_text(), "docs/server.md: textanchor serve SPACE --selftest"


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_schemathesis_finds_nothing(app: Any, mode: str) -> None:
    """Requests made from the OpenAPI document, right ones and wrong ones; a file's content alone may refuse a right one."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

    schema = schemathesis.openapi.from_dict(asked(app, "GET", "/openapi.json").json())
    schema.app = app
    for found in schema.get_all_operations():
        operation = found.ok()
        strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])

        @given(case=strategy)
        @settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        def ask(case: Any) -> None:
            body = case.body if isinstance(case.body, dict) else {}
            unless = []
            if any(body.get(name) in ("image", "audio", "video") for name in ("modality", "query_modality")):
                unless.append(positive_data_acceptance)
            if body.get("where") is not None or body.get("collapse") is not None:  # a grammar, and a bound on k beside it
                unless.append(positive_data_acceptance)
            if body.get("on_error") == "partial":
                unless.append(negative_data_rejection)  # a wrong item is answered with its error
            case.call_and_validate(headers={**BEARER, "Host": "127.0.0.1:8000"}, excluded_checks=unless)

        if mode == "POSITIVE" or operation.body:
            ask()
