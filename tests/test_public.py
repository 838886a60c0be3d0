"""What a caller may count on: names, laziness, types."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib.resources import files
from typing import get_args, get_type_hints

import textanchor

PUBLIC = {
    "read_pairs", "write_sample", "split", "Split", "split_video", "start", "Taken", "wording", "Wording",
    "encode_collection", "embed_collection", "Tally", "build_index", "Index", "search", "Hit", "Hits", "classify",
    "Collection", "SyncReport", "Query", "Part", "Terms", "Explanation", "explain", "absence", "Absence",
    "fit", "load", "Space", "Fitted", "Story", "Embedded", "Geometry", "Comparison",
    "Runtime", "Splitting", "Reading", "Limits", "Progress", "Bar", "Terminal", "Silent",
    "recall_card", "RecallCard", "RecallRow",
    "evaluate", "Evaluation", "write_report", "diagnose", "Diagnosis", "Finding",
    "budget", "Budget", "next_pairs", "Proposal", "compare", "Grid", "Board", "Line", "Facts", "Difference", "rerun", "Repeat",
    "Item", "Pair", "Pairs", "Single", "Skipped", "Waveform", "Series", "Clip", "Pooled", "Ragged", "PairedLatents", "Unpaired",
    "View", "Fit", "Task", "Choice",
    "Project", "Promise", "ExportedLabels", "ImportedLabels", "export_labels", "import_labels", "write_label_report",
    "align", "vector_pairs", "TextAligner", "pack", "Packed", "export_hub", "push", "pull", "export_onnx",
    "export_sentence_transformers", "Exported", "mteb_model", "MtebModel",
    "TextAnchorError", "InputError", "LeakError", "MissingError", "NothingUsableError", "ItemError", "DamagedError",
    "UnknownNameError", "AbstainedError",
}  # fmt: skip


def test_public_names_are_pinned() -> None:
    assert set(textanchor.__all__) == PUBLIC
    assert len(textanchor.__all__) == len(PUBLIC)


def test_every_public_name_loads_and_is_documented() -> None:
    for name in textanchor.__all__:
        assert (getattr(textanchor, name).__doc__ or "").strip(), name


def test_type_checkers_are_told_the_same() -> None:
    stub = ast.parse(files("textanchor").joinpath("__init__.pyi").read_text())
    homes = {
        name.asname: str(node.module) for node in ast.walk(stub) if isinstance(node, ast.ImportFrom) for name in node.names
    }
    assert homes == {name: f"textanchor.{home}" for name, home in textanchor._public.HOME.items()}


def test_what_the_roots_functions_return_can_be_imported_from_it() -> None:
    """Classes of textanchor's own, wherever they stand in a public function's answer."""
    for name in textanchor.__all__:
        value = getattr(textanchor, name)
        if inspect.isfunction(value):
            answer = get_type_hints(value)["return"]
            inner = [kind for outer in get_args(answer) for kind in get_args(outer)]
            for kind in (answer, *get_args(answer), *inner):
                if inspect.isclass(kind) and kind.__module__.startswith("textanchor."):
                    assert getattr(textanchor, kind.__name__, None) is kind, f"{name} returns a {kind.__name__}"


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(textanchor, "no_such_name")


def test_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert textanchor.__version__ == version("textanchor")


def test_types_are_shipped() -> None:
    assert files("textanchor").joinpath("py.typed").is_file()
    assert files("textanchor.evaluation").joinpath("report.html.jinja").is_file()


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_and_help_load_no_heavy_library() -> None:
    heavy = "['torch', 'transformers', 'sklearn', 'scipy', 'pyarrow', 'matplotlib']"
    show = f"import sys; print([name for name in {heavy} if name in sys.modules])"
    assert fresh(f"import textanchor; {show}").strip() == "[]"
    told = f"""
from click.testing import CliRunner
from textanchor.cli import main
for arguments in (["--help"], ["--version"], *[[name, "--help"] for name in main.list_commands(None)]):
    assert CliRunner().invoke(main, arguments).exit_code == 0, arguments
{show}"""
    assert fresh(told).strip() == "[]"
