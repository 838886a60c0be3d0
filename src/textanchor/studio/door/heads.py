"""What the first bytes of a file say that it is: enough to refuse what cannot be what it is called."""

from __future__ import annotations

import re

from textanchor.data.readers.image import FORMATS

HEAD = 16  # bytes that are looked at
_MEDIA = re.compile(  # sounds and films, each of which may be in the other's containers
    rb"RIFF|RF64|riff|FORM|caff|\.snd|dns\.|OggS|fLaC|ID3|#!AMR|FLV|\x0bw|\x1aE\xdf\xa3|0&\xb2u|\0\0\x01|\xff[\xe0-\xff]"
    rb"|....(ftyp|moov|mdat|free|skip|wide|pnot)|G(?!IF8)",
    re.DOTALL,
)


def may_be(kind: str, head: bytes) -> bool:
    """Whether a file of a modality may begin so; a kind of which nothing is known may begin anyhow."""
    if kind == "image":
        return _is_picture(head)
    if kind in ("audio", "video"):
        return _MEDIA.match(head) is not None
    return b"\0" not in head if kind == "text" else True


def _is_picture(head: bytes) -> bool:
    """By Pillow, of the formats that are read."""
    from PIL import Image

    Image.init()
    return any(accepts is None or accepts(head) for name in FORMATS for _, accepts in [Image.OPEN[name]])
