"""What is tried. Each attack names the status that it should come to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from textanchor.serve.selftest.payloads import CUT_WAV, GOOD_PNG, NAN_WAV, png, uri
from textanchor.serve.selftest.victim import CLOSED, Victim
from textanchor.serve.settings import Bounds

Try = Callable[[Victim], str]
PUBLIC_NAME = "public.example"  # which the self-test resolves to an address in the internet


@dataclass(frozen=True)
class Attack:
    """One line of the table."""

    name: str
    expected: str
    attempt: Try


def attacks(bounds: Bounds, modalities: Sequence[str]) -> list[Attack]:
    """All of them, for a server of such bounds; files of a modality that it does not have are refused for that."""
    groups = (_doors(), _bodies(bounds), _json(bounds), _names(), _confused())
    files = {"image": [*_images(), *_urls()], "audio": [*_sounds()]}
    told = [Attack(*line) for group in groups for line in group]
    for modality, lines in files.items():
        there = modality in modalities
        told += [Attack(name, expected if there else "400 unknown_modality", attempt) for name, expected, attempt in lines]
    return told


Lines = Iterator[tuple[str, str, Try]]


def _doors() -> Lines:
    yield "no token", "401 invalid_api_key", _headers(Authorization="")
    yield (
        "wrong token",
        "401 invalid_api_key",
        _headers(Authorization="Bearer nonsense-nonsense"),
    )
    yield "token as a password", "401 invalid_api_key", lambda it: it.get("/v1/models", {"Authorization": "Basic OnNlY3JldA=="})
    yield "token in the query", "401 invalid_api_key", lambda it: it.get(f"/v1/models?token={it.token}", {"Authorization": ""})
    yield "two tokens", "401 invalid_api_key", lambda it: it.raw([_with(it, f"Authorization: Bearer {it.token}")])
    yield "rebinding: foreign Host", "421 bad_host", _headers(Host="evil.example")
    yield (
        "rebinding: Host with our port",
        "421 bad_host",
        lambda it: it.post(_text(), headers={"Host": f"evil.example:{it.port}"}),
    )
    yield "Host of another port", "421 bad_host", _headers(Host="127.0.0.1:1")
    yield "no Host", "400", _headers(Host="")
    yield "two Hosts", "400", lambda it: it.raw([_with(it, "Host: evil.example")])
    yield "foreign Origin", "403 foreign_origin", _headers(Origin="https://evil.example")
    yield "Origin null", "403 foreign_origin", _headers(Origin="null")
    yield "Origin of another port", "403 foreign_origin", _headers(Origin="http://localhost:1")
    yield (
        "a page's request without Origin",
        "403 foreign_origin",
        _headers(Sec_Fetch_Site="cross-site"),
    )
    yield "cross-site form", "415 unsupported_type", _headers(Content_Type="text/plain")


def _bodies(bounds: Bounds) -> Lines:
    long = bounds.body + 1
    slow = bounds.body_grace / 3
    yield "oversized", "413 body_too_large", lambda it: it.post(b" " * long)
    yield (
        "announced oversized",
        "413 body_too_large",
        lambda it: it.raw([it.head("POST", _PATH, {"Content-Length": str(1 << 40)})]),
    )
    yield "chunked oversized", "413 body_too_large", lambda it: it.raw(_chunks(it, long))
    yield (
        "Content-Length too large",
        "408 slow_body",
        lambda it: it.raw([it.head("POST", _PATH, {"Content-Length": "1000"}), b"{}"]),
    )
    yield "Content-Length too small", "400 invalid_json", _announced(3, b'{"input": "a"}')
    yield "Content-Length negative", "400", _announced(-1, b"{}")
    yield (
        "Content-Length and chunks",
        "400 bad_request",
        _chunks_and_length,
    )
    yield "broken chunks", "400", lambda it: it.raw([_chunked(it), b"zz\r\nhello\r\n"])
    yield "slow body", "408 slow_body", lambda it: it.raw(_drip(it), pause=slow)
    yield "slow head", CLOSED, lambda it: it.raw([b"POST / HTTP/1.1\r\n", *[b"a: b\r\n"] * 6], pause=bounds.head / 3)
    yield "no head at all", CLOSED, lambda it: it.raw([])
    yield "endless head", "400", lambda it: it.raw([b"GET / HTTP/1.1\r\n", b"a: " + b"b" * (1 << 17)])
    yield "compressed body", "415 unsupported_encoding", lambda it: it.post(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    yield "no HTTP", "400", lambda it: it.raw([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"])


def _json(bounds: Bounds) -> Lines:
    yield "empty body", "400 invalid_json", lambda it: it.post(b"")
    yield "malformed JSON", "400 invalid_json", lambda it: it.post(b'{"input": ')
    yield "no UTF-8", "400 invalid_json", lambda it: it.post(b'{"input": "\xff"}')
    yield "lone surrogate", "400 invalid_json", lambda it: it.post(rb'{"input": "\ud800"}')
    yield "deep JSON", "400 invalid_json", lambda it: it.post(b"[" * 100_000)
    yield "many small values", "400 invalid_json", lambda it: it.post(b'{"input": [' + b"[]," * (bounds.body // 4) + b"[]]}")
    yield "NaN", "400 invalid_json", lambda it: it.post(b'{"input": "a", "dimensions": NaN}')
    yield "a key twice", "400 invalid_json", lambda it: it.post(b'{"input": "a", "input": "b"}')
    yield "unknown field", "400 invalid_request", lambda it: it.post({"input": "a", "__class__": "os"})
    yield "no object", "400 invalid_request", lambda it: it.post([1, 2])
    yield "input is a number", "400 invalid_request", lambda it: it.post({"input": 7})
    yield "input is tokens", "400 invalid_request", lambda it: it.post({"input": [[101, 102]]})
    yield "input is empty", "400 invalid_request", lambda it: it.post({"input": []})
    yield "a text is empty", "400 bad_item", lambda it: it.post({"input": ["a", ""]})
    yield "a long text", "400 bad_item", lambda it: it.post({"input": "a" * (bounds.characters + 1)})
    yield "too many items", "400 too_many_items", lambda it: it.post({"input": ["a"] * (bounds.items + 1)})
    yield "other dimensions", "400 bad_dimensions", lambda it: it.post({"input": "a", "dimensions": 7})
    yield "huge k", "400 too_many_hits", lambda it: it.post({"query": "a", "k": 10**9}, "/v1/search")
    digits = b'{"query": "a", "k": 1' + b"0" * 10_000 + b"}"
    yield "k is an overlong number", "400 invalid_json", lambda it: it.post(digits, "/v1/search")
    yield "k of no hits", "400 invalid_request", lambda it: it.post({"query": "a", "k": 0}, "/v1/search")


def _images() -> Lines:
    bomb = uri("image/png", png(30_000, 30_000, bomb=True))
    yield "decompression bomb", "400 bad_item", _image(bomb)
    yield "1x1 image", "400 bad_item", _image(uri("image/png", png(1, 1)))
    yield "truncated image", "400 bad_item", _image(uri("image/png", GOOD_PNG[:45]))
    yield "empty image", "400 bad_item", _image("data:image/png;base64,")
    yield "image that is HTML", "400 bad_item", _image(uri("image/png", b"<html><script>alert(1)</script>"))
    yield "broken base64", "400 bad_item", _image("data:image/png;base64,????")


def _sounds() -> Lines:
    yield "image that is said to be a sound", "400 bad_item", _audio(uri("image/png", GOOD_PNG))
    yield "NaN audio", "400 bad_item", _audio(uri("audio/wav", NAN_WAV))
    yield "truncated audio", "400 bad_item", _audio(uri("audio/wav", CUT_WAV))
    yield "audio of no samples", "400 bad_item", _audio(uri("audio/wav", NAN_WAV[:44]))
    yield "a playlist as audio", "400 bad_item", _audio(uri("audio/x-mpegurl", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"))


def _confused() -> Lines:
    yield "file without its modality", "400 modality_needed", lambda it: it.post({"input": uri("image/png", GOOD_PNG)})
    yield "unknown modality", "400 unknown_modality", lambda it: it.post({"input": "a", "modality": "../image"})


def _names() -> Lines:
    for name in ("../../etc/passwd", "..\\..\\windows", "/etc/passwd", "%2e%2e%2f", "a\0b", "con"):
        yield f"collection {name!r}", "404 collection_not_found", _collection(name)
    yield "traversal in the path", "404 not_found", lambda it: it.get("/v1/../../etc/passwd")
    yield "encoded traversal in the path", "404 not_found", lambda it: it.get("/%2e%2e/%2e%2e/etc/passwd")
    yield "another model", "404 model_not_found", lambda it: it.post({"input": "a", "model": "../../model"})
    yield "a method that is not there", "405 method_not_allowed", lambda it: it.raw([it.head("DELETE", "/v1/models", {})])


def _urls() -> Lines:
    targets = {
        "file URL": "file:///etc/passwd",
        "loopback URL": "http://127.0.0.1/",
        "loopback by name": "http://localhost/",
        "private URL": "http://192.168.0.1/",
        "link-local URL": "http://169.254.169.254/latest/meta-data/",
        "mapped address": "http://[::ffff:127.0.0.1]/",
        "NAT64 address": "http://[64:ff9b::7f00:1]/",
        "hexadecimal address": "http://0x7f.1/",
        "decimal address": "http://2130706433/",
        "octal address": "http://0177.0.0.1/",
        "short address": "http://127.1/",
        "backslash": f"http://{PUBLIC_NAME}\\@127.0.0.1/",
        "user in the URL": f"http://{PUBLIC_NAME}@127.0.0.1/",
        "full-width digits": "http://１２７.0.0.1/",
        "line break in the URL": f"http://{PUBLIC_NAME}/\r\nHost: evil",
        "another port": f"http://{PUBLIC_NAME}:22/",
        "other scheme": f"gopher://{PUBLIC_NAME}/",
        "redirect to a private address": f"http://{PUBLIC_NAME}/private",
        "redirect to a file": f"http://{PUBLIC_NAME}/file",
        "redirects without end": f"http://{PUBLIC_NAME}/again",
        "endless content": f"http://{PUBLIC_NAME}/endless",
    }
    for name, url in targets.items():
        yield f"URL: {name}", "400 bad_item", _image(url)


_PATH = "/v1/embeddings"


def _text() -> object:
    return {"input": "a"}


def _headers(**told: str) -> Try:
    """An honest request but for these headers."""
    return lambda it: it.post(_text(), headers={name.replace("_", "-"): value for name, value in told.items()})


def _announced(length: int, body: bytes) -> Try:
    """A body that is not as long as it is said to be."""
    return lambda it: it.post(body, headers={"Content-Length": str(length)})


def _chunks_and_length(it: Victim) -> str:
    return it.post(b"0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})


def _image(given: str) -> Try:
    return lambda it: it.post({"input": given, "modality": "image"})


def _audio(given: str) -> Try:
    return lambda it: it.post({"input": given, "modality": "audio"})


def _collection(name: str) -> Try:
    return lambda it: it.post({"query": "a", "collection": name}, "/v1/search")


def _with(it: Victim, line: str) -> bytes:
    """A request's head with one line more."""
    return it.head("GET", "/v1/models", {}).replace(b"\r\n\r\n", f"\r\n{line}\r\n\r\n".encode())


def _chunked(it: Victim) -> bytes:
    return it.head("POST", _PATH, {"Transfer-Encoding": "chunked"})


def _chunks(it: Victim, size: int) -> Iterator[bytes]:
    """A body in pieces that never says how long it will be."""
    yield _chunked(it)
    piece = b" " * (64 << 10)
    for _ in range(-(-size // len(piece))):
        yield b"10000\r\n" + piece + b"\r\n"


def _drip(it: Victim) -> Iterator[bytes]:
    """A body that comes a byte at a time."""
    yield it.head("POST", _PATH, {"Content-Length": "1000"})
    start = time.monotonic()
    while time.monotonic() - start < 60:
        yield b" "
