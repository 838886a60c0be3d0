"""What is sent to be searched with, looked at as it comes in: what is no file that is read is refused before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from textanchor.serve.refusal import Message, Receive, quoted
from textanchor.studio.door.heads import HEAD, may_be


def looked_at(receive: Receive, content_type: str, kinds: Mapping[str, str]) -> Receive:
    """The same messages, each looked at before it is handed on; `kinds` are those of the endings that are read.

    Raises within Gradio's own reading what makes it delete what it has stored of the request: for a file of another ending, for
    one that begins as none of its kind does, and where the sender goes away.
    """
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser, parse_options_header
    from starlette.formparsers import MultiPartException

    parts = _Parts(kinds)
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    parser = MultipartParser(boundary, parts.callbacks) if boundary else None  # without one Gradio refuses it itself

    async def handed_on() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MultiPartException("the request broke off")
        try:
            if parser is not None:
                parser.write(message.get("body", b""))
        except MultipartParseError as why:
            raise MultiPartException(str(why)) from None
        if parts.wrong:
            raise MultiPartException(parts.wrong)
        return message

    return handed_on


@dataclass
class _Parts:
    """Parts of a request, one after the other: the first bytes of each, and what is wrong with one."""

    kinds: Mapping[str, str]
    wrong: str = ""
    _name: bytes = b""
    _value: bytes = b""
    _file: str | None = None
    _head: bytes = field(default=b"")

    @property
    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._of_field,
            "on_header_end": self._header,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._file, self._head = None, b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _of_field(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        from python_multipart.multipart import parse_options_header

        if self._name.lower() == b"content-disposition":
            named = parse_options_header(self._value)[1].get(b"filename")
            self._file = None if named is None else named.decode(errors="replace")
            if self._file is not None and PurePath(self._file).suffix.lower() not in self.kinds:
                self.wrong = (
                    f"{quoted(self._file)} is no file that is searched with; expected {', '.join(self.kinds) or 'none'}"
                )
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if len(self._head) < HEAD:
            self._head += data[start : min(end, start + HEAD)]
            if len(self._head) >= HEAD:
                self._judge()

    def _end(self) -> None:
        if len(self._head) < HEAD:
            self._judge()

    def _judge(self) -> None:
        kind = self.kinds.get(PurePath(self._file or "").suffix.lower(), "")
        if self._file is not None and not self.wrong and not may_be(kind, self._head):
            self.wrong = f"{quoted(self._file)} is not what its name says: {kind} does not begin with {self._head[:8]!r}"
