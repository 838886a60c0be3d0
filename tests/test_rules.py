"""Rules of the house that no reader should have to look after, checked on the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "textanchor"
FILES = sorted(SOURCE.rglob("*.py"))
MOST, LONGEST_INIT = 8, 60
PUBLIC = {  # what a caller calls, with a keyword for each thing that may be said
    "fit", "compare", "budget", "next_pairs", "evaluate", "diagnose", "rerun", "search", "build_index", "encode_collection",
    "embed_collection", "recall_card", "split_video", "write_report", "write_hits", "command", "align", "pretrain", "finetune",
}  # fmt: skip
JSON = {"described", "read", "metrics", "row", "rows", "table", "facts", "dump", "brief", "columns", "cell"}


def named(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    told = function.args
    return [one.arg for one in (*told.posonlyargs, *told.args, *told.kwonlyargs) if one.arg not in ("self", "cls")]


def settings_of_a_part(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """What a user may set of an aligner, projector, loss, view or encoder is its signature; records go in by keyword too."""
    parts = ("aligners", "projectors", "losses", "views", "encoders")
    return (named(path).split("/")[0] in parts and not function.name.startswith("_")) or function.name == "__init__"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_function_takes_more_than_eight_parameters(path: Path) -> None:
    for function in functions(path):
        if function.name in PUBLIC or settings_of_a_part(path, function):
            continue
        count = len(parameters(function))
        assert count <= MOST, f"{named(path)}:{function.lineno} {function.name} takes {count} parameters; make a record"


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=named)
def test_packages_only_hand_names_on(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGEST_INIT, f"{named(path)} has {len(lines)} lines; logic belongs into a module with a name"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_records_and_not_dicts_travel_between_parts(path: Path) -> None:
    """A `dict[str, Any]` is what JSON is written from or read into, and has no other place in a public signature."""
    for function in functions(path):
        if function.name.startswith("_") or function.name in JSON or "json" in function.name:
            continue
        annotations = [function.returns, *(one.annotation for one in (*function.args.args, *function.args.kwonlyargs))]
        for annotation in annotations:
            text = ast.unparse(annotation) if annotation is not None else ""
            assert "dict[str, Any]" not in text, f"{named(path)}:{function.lineno} {function.name}: {text}"
