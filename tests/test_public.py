"""What a caller may count on: names, laziness, types."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import textanchor

PUBLIC = {
    "read_pairs", "write_sample", "split", "split_video", "encode_collection", "embed_collection", "Series", "Clip",
    "Ragged", "fit", "load", "Space", "build_index", "search", "Hit", "evaluate", "Evaluation", "write_report",
    "diagnose", "compare", "Grid", "rerun", "wording", "Item", "Pair", "Pairs", "Waveform", "Pooled", "PairedLatents",
    "Unpaired", "View", "Task", "Fit", "Choice", "TextAnchorError", "InputError", "LeakError", "MissingError",
    "NothingUsableError", "ItemError",
}  # fmt: skip


def test_public_names_are_pinned() -> None:
    assert set(textanchor.__all__) == PUBLIC
    assert len(textanchor.__all__) == len(PUBLIC)


def test_every_public_name_loads_and_is_documented() -> None:
    for name in textanchor.__all__:
        assert (getattr(textanchor, name).__doc__ or "").strip(), name


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
