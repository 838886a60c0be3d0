"""What a URL points at, fetched so that nobody is led into the server's own network.

One parser serves the check and the connection; the host is resolved once, every address is checked, and the connection goes to
the address that was checked. Each redirect is a new URL and goes the same way.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from typing import TypeAlias
from urllib.parse import urljoin

from textanchor.errors import ItemError

REDIRECTS = 3
CHUNK = 64 << 10
_HOST = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]"
_URL = re.compile(rf"(https?)://({_HOST})(?::([0-9]{{1,5}}))?([/?#][!-\[\]-~]*)?", re.I | re.A)
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], list[str]]
Connect: TypeAlias = Callable[[str, int, float], socket.socket]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A URL taken apart, once."""

    scheme: str
    host: str
    port: int
    path: str


def resolved(host: str, port: int) -> list[str]:
    """All addresses of a host."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def connected(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to an address; it is no name, so nothing is resolved."""
    return socket.create_connection((address, port), timeout=seconds)


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """Fetches at most `most` bytes in at most `seconds`; `resolve` and `connect` reach the network."""

    most: int
    seconds: float = 10.0
    resolve: Resolve = resolved
    connect: Connect = connected

    def fetch(self, url: str) -> bytes:
        """The content. Raises `ItemError` for what may not be fetched, or cannot be."""
        end = time.monotonic() + self.seconds
        for _ in range(REDIRECTS + 1):
            target = parsed(url)
            found = self._one(target, self._address(target), end)
            if isinstance(found, bytes):
                return found
            url = urljoin(url, found)
        raise refused(f"more than {REDIRECTS} redirects")

    def _address(self, target: Target) -> str:
        """The first of the host's addresses, all of which are public."""
        try:
            addresses = self.resolve(target.host.strip("[]"), target.port)
        except (OSError, UnicodeError):
            raise refused("its host is not known") from None
        if not addresses or not all(is_public(address) for address in addresses):
            raise refused("its host is not a public one")
        return addresses[0]

    def _one(self, target: Target, address: str, end: float) -> bytes | str:
        """The content of one URL, or where it redirects to."""
        left = end - time.monotonic()
        if left <= 0:
            raise refused("it takes too long")
        try:
            with _secured(target, self.connect(address, target.port, left)) as stream:
                return self._asked(target, stream, end)
        except (OSError, http.client.HTTPException, ValueError):
            raise refused("it could not be fetched in time") from None

    def _asked(self, target: Target, stream: socket.socket, end: float) -> bytes | str:
        stop = Timer(max(0.0, end - time.monotonic()), _cut, (stream,))  # a server may send one byte at a time
        stop.daemon = True
        stop.start()
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            asking = http.client.HTTPConnection(target.host, target.port)
            asking.sock = stream  # the checked address; nothing is resolved again
            named = target.host if target.port == _PORTS[target.scheme] else f"{target.host}:{target.port}"
            asking.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
            for name, value in (("Host", named), ("Accept-Encoding", "identity"), ("Connection", "close")):
                asking.putheader(name, value)
            asking.endheaders()
            with asking.getresponse() as told:
                return self._answer(told)
        finally:
            stop.cancel()

    def _answer(self, told: http.client.HTTPResponse) -> bytes | str:
        if told.status in (301, 302, 303, 307, 308):
            return told.headers.get("Location", "")
        if told.status != 200:
            raise refused(f"its server answers {told.status}")
        if told.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise refused("its content is compressed")
        raw = bytearray()
        while piece := told.read(min(CHUNK, self.most + 1 - len(raw))):
            raw += piece
            if len(raw) > self.most:
                raise refused(f"it holds more than {self.most:,} bytes")
        if told.length:  # announced and not sent
            raise refused("it broke off")
        return bytes(raw)


def parsed(url: str) -> Target:
    """A URL of http or https as one pattern has it. Raises `ItemError` for anything that two parsers might read in two ways.

    No user, no backslash, no escape or letter beyond ASCII in the host, no number that is not an address in full, and the
    ports 80 and 443 only.
    """
    told = _URL.fullmatch(url) if len(url) <= 2000 else None
    if told is None:
        raise refused("it is not a plain http or https URL")
    scheme, host = told[1].lower(), told[2].lower()
    port = int(told[3] or _PORTS[scheme])
    if port not in _PORTS.values():
        raise refused(f"port {port} is neither 80 nor 443")
    last = host.strip("[]").rsplit(".", 1)[-1]
    if (host.startswith("[") or last.isdigit() or re.fullmatch("0x[0-9a-f]*", last)) and not is_public(host.strip("[]")):
        raise refused("its host is not a public one")
    path = (told[4] or "/").partition("#")[0]
    return Target(scheme=scheme, host=host, port=port, path=path if path.startswith("/") else f"/{path}")


def is_public(address: str) -> bool:
    """Whether an address, and one that it stands for, is out in the internet; False for what is no address in full."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(_is_outside(one) for one in (found, *_within(found)))


def _is_outside(address: Address) -> bool:
    inner = address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    return address.is_global and not inner


def _within(address: Address) -> list[Address]:
    """IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address] = [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
    found += address.teredo or ()
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def refused(why: str) -> ItemError:
    """The error of a URL."""
    return ItemError("url", f"the URL is refused: {why}")


def _secured(target: Target, bare: socket.socket) -> socket.socket:
    """The stream to speak on; the handshake is still to come."""
    if target.scheme == "http":
        return bare
    context = ssl.create_default_context()
    return context.wrap_socket(bare, server_hostname=target.host.strip("[]"), do_handshake_on_connect=False)


def _cut(stream: socket.socket) -> None:
    with suppress(OSError):
        stream.shutdown(socket.SHUT_RDWR)
