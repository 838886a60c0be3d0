"""A page that lists the operations of an OpenAPI document; it loads nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}code,pre{font-size:.9em}"
    "pre{background:#f4f4f4;padding:.8rem;overflow:auto}summary{cursor:pointer}b{display:inline-block;min-width:3.5rem}"
)


def page(document: Mapping[str, Any]) -> str:
    """One HTML document."""
    told = document["info"]
    operations = "".join(_operation(*operation) for operation in _operations(document))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(told['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(told['title'])} {escape(told['version'])}</h1><p>{escape(told['description'])}</p>{operations}"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    fields = f"<pre>{escape(json.dumps(body, indent=1, ensure_ascii=False))}</pre>" if body else ""
    statuses = "".join(
        f"<li><code>{status}</code> {escape(told['description'])}" for status, told in operation["responses"].items()
    )
    summary = escape(operation.get("summary", ""))
    head = f"<summary><b>{method}</b> <code>{escape(path)}</code> {summary}</summary>"
    return f"<details>{head}{fields}<ul>{statuses}</ul></details>"
