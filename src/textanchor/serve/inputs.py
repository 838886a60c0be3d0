"""From what a client sent to items: texts as they are, files from data URIs, or from URLs where the server allows them."""

from __future__ import annotations

import asyncio
import binascii
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from textanchor.data.objects.values import Content
from textanchor.errors import ItemError
from textanchor.records import Item
from textanchor.runtime import Limits
from textanchor.serve.refusal import Refusal, quoted
from textanchor.serve.settings import Bounds
from textanchor.serve.weighing import file_weight, text_weight
from textanchor.space import TEXT

_DATA = re.compile(r"data:(?P<type>[a-z0-9][a-z0-9.+-]*)/[a-z0-9][a-z0-9.+-]*(?:;[a-z0-9-]+=[^;,]{0,100})*;base64,", re.I)
URLS = 16  # of one request
_HEAD = 1000  # characters in which a data URI's comma is
_URL = re.compile("https?:", re.I)
_MEDIA = ("image", "audio", "video")  # types that say which modality it is


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """An item and the bytes that it will take decoded, or why it is none."""

    item: Item | None = None
    weight: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Makes items of one space's modalities; `fetch` gets what a URL points at, where URLs are allowed, in threads
    of `fetching`.
    """

    modalities: tuple[str, ...]
    bounds: Bounds
    limits: Limits
    fetch: Callable[[str], bytes] | None = None
    fetching: Executor | None = None

    def modality(self, asked: str | None, given: Sequence[str], param: str = "modality") -> str:
        """The modality that inputs are of. Raises `Refusal` for one that is not there, or a data URI without one."""
        if asked is not None and asked not in self.modalities:
            known = ", ".join(self.modalities)
            raise Refusal(400, f"no modality {quoted(asked)}; there are: {known}", code="unknown_modality", param=param)
        if asked is None and any(_DATA.match(text, 0, _HEAD) for text in given):
            raise Refusal(400, f"an input is a data URI; say its {param}, such as 'image'", code="modality_needed", param=param)
        return asked or TEXT

    async def weighed(self, given: Sequence[str], modality: str) -> list[Weighed]:
        """An entry an input, in order. Files are looked at in a thread."""
        if modality == TEXT:
            return [self._text(text) for text in given]
        pool = self.fetching if self.urls(given, modality) else None  # slow servers elsewhere delay nobody with files at hand
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, lambda: [self._file(text, modality) for text in given])

    def urls(self, given: Sequence[str], modality: str) -> int:
        """How many inputs are to be fetched. Raises `Refusal` for too many."""
        found = 0 if modality == TEXT or self.fetch is None else sum(_URL.match(text) is not None for text in given)
        if found > URLS:
            raise Refusal(400, f"{found} URLs; at most {URLS} a request", code="too_many_urls", param="input")
        return found

    def _text(self, text: str) -> Weighed:
        if len(text) > self.bounds.characters:
            return Weighed(reason=f"{len(text):,} characters; at most {self.bounds.characters:,}")
        if not text.strip():
            return Weighed(reason="the text is blank")
        return Weighed(item=Item(id="", modality=TEXT, value=text), weight=text_weight(text))

    def _file(self, text: str, modality: str) -> Weighed:
        try:
            raw = self._content(text, modality)
            if not raw:
                return Weighed(reason="the file is empty")
            weight = file_weight(modality, raw, self.limits, side=self.bounds.side)
        except ItemError as why:
            return Weighed(reason=why.reason)
        return Weighed(item=Item(id="", modality=modality, value=Content(raw)), weight=weight)

    def _content(self, text: str, modality: str) -> bytes:
        """The bytes of a file. Raises `ItemError`."""
        if _URL.match(text):
            if self.fetch is None:
                raise ItemError("input", "URLs are not fetched by this server; send the file as a data URI")
            return self.fetch(text)
        told = _DATA.match(text, 0, _HEAD)
        if told is None:
            raise ItemError("input", f"a file is sent as a data URI: data:{modality}/...;base64,...")
        main = told["type"].lower()
        if main in _MEDIA and main != modality and {main, modality} != {"audio", "video"}:
            raise ItemError("input", f"the data URI says {main}, the request {modality}")
        if (len(text) - told.end()) * 3 // 4 > self.bounds.item + 2:  # before it is decoded
            raise ItemError("input", f"more than {self.bounds.item:,} bytes")
        try:
            return binascii.a2b_base64(text[told.end() :], strict_mode=True)
        except ValueError:  # binascii's own, and characters that are no ASCII
            raise ItemError("input", "the data URI's base64 is broken") from None
