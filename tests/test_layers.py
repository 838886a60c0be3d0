"""The rules of the tree, checked on the source itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "textanchor"
LAYERS = (
    ("errors", "escaping", "grammar", "settings", "registry", "records", "config", "files", "progress", "runtime", "database"),
    ("data",),
    ("encoders",),
    ("latents",),
    ("projectors", "losses", "views", "metrics"),
    ("aligners",),
    ("space",),
    ("judging", "pages"),
    ("collections",),
    ("evaluation",),
    ("bench", "budgeting", "doctor"),
    ("pretraining",),
    ("distilling", "finetuning"),
    ("labelling",),
    ("interop", "serve"),
    ("studio",),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ROOT = {SOURCE / "__init__.py", SOURCE / "_public.py"}
FILES = sorted(set(SOURCE.rglob("*.py")) - ROOT)
BESIDE: set[tuple[str, str]] = set()  # the second half of one layer stands on the first
FORBIDDEN = {"utils", "helpers", "common", "misc"}


def imports(path: Path) -> list[str]:
    """Dotted names of textanchor's modules that a file imports, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "textanchor":
            found += (
                [f"{node.module}.{name.name}" for name in node.names] if node.module == "textanchor" else [str(node.module)]
            )
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] == "textanchor"]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_go_down_only(path: Path) -> None:
    home = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    for name in imports(path):
        parts = name.split(".")
        assert len(parts) > 1, f"{path} imports the root"
        there = parts[1]
        fine = there == home or LEVEL[there] < LEVEL[home] or (home, there) in BESIDE or LEVEL[there] == LEVEL[home] == 0
        assert fine, f"{home} (layer {LEVEL[home]}) imports {name} (layer {LEVEL[there]})"


def test_every_module_has_its_layer() -> None:
    assert {path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in FILES} == set(LEVEL)


def test_files_are_short_and_named_after_an_idea() -> None:
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 300, path
        assert path.stem.strip("_") not in FORBIDDEN, path


def test_architecture_names_every_layer() -> None:
    text = (SOURCE.parents[1] / "docs" / "architecture.md").read_text()
    for name in LEVEL:
        assert f"`{name}`" in text or f"`{name}/`" in text, name


def test_nothing_is_pickled() -> None:
    for path in FILES:
        text = path.read_text()
        assert "import pickle" not in text, path
        assert text.count("torch.load(") == text.count("weights_only=True)"), path
        assert "allow_pickle=True" not in text, path
