"""An index named by where it lies, and names of indexes without the passwords in them."""

from __future__ import annotations

import re

from textanchor.grammar import spelled

_BACKENDS = {"postgresql": "pgvector", "postgres": "pgvector", "milvus": "milvus", "http": "milvus", "https": "milvus"}
_URL = re.compile(r"([a-z]+)://.*")
_SECRETS = (
    (re.compile(r"((?:://|url=)[^\s:@/\"']*):[^\"']*@"), r"\1:***@"),
    (re.compile(r"\b(password|token)\s*=\s*([^\s&,)\"']+|\"[^\"]*\"|'[^']*')", re.IGNORECASE), r"\1=***"),
)


def as_call(spec: str) -> str:
    """`postgresql://host/base` becomes `pgvector(url=...)`; `milvus://`, `http(s)://` and a path in .db: `milvus(url=...)`.

    Anything else stays as it is.
    """
    scheme = _URL.fullmatch(spec.strip())
    name = _BACKENDS.get(scheme[1]) if scheme else ("milvus" if _is_file(spec) else None)
    return spelled(name, {"url": spec.strip()}) if name else spec


def without_password(text: str) -> str:
    """The text with *** for passwords and tokens of the URLs in it."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _is_file(spec: str) -> bool:
    return spec.strip().endswith(".db") and "(" not in spec
