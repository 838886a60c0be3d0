"""What is written is true: commands run, references are generated, links lead somewhere."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, write_shapes

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RUN = re.compile(r"<!-- run -->\n```(console|python)\n(.*?)```", re.S)
BLOCKS = [(page.name, kind, code) for page in PAGES for kind, code in RUN.findall(page.read_text())]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with `pairs`, as the examples expect; its texts are the digits' names."""
    write_shapes(tmp_path / "pairs")
    table = tmp_path / "pairs" / "pairs.csv"
    words = {"circle": "zero", "square": "four", "cross": "seven", "stripes": "one"}
    text = table.read_text()
    for shape, word in words.items():
        text = text.replace(f",{shape},", f",{word},")
    table.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("page", "kind", "code"), BLOCKS, ids=[f"{page}-{row}" for row, (page, _, _) in enumerate(BLOCKS)])
def test_examples_run(page: str, kind: str, code: str, desk: Path, run: Callable[..., Any], capsys: Any) -> None:
    if kind == "console":
        lines = [line.removeprefix("$ ") for line in code.splitlines() if line.startswith("$ ")]
        assert lines
        for line in lines:
            program, *arguments = shlex.split(line)
            assert program == "textanchor"
            done = run(*arguments)
            assert done.exit_code == 0, f"{line}\n{done.stderr}"
            assert done.stdout.strip()
    else:
        exec(compile(code, page, "exec"), {})
        assert capsys.readouterr().out.strip()


def test_the_readme_promises_are_among_the_examples() -> None:
    told = "".join(code for page, _, code in BLOCKS if page == "README.md")
    for part in ("textanchor fit", "textanchor search", "textanchor evaluate", "textanchor.fit(", "textanchor.search("):
        assert part in told


def test_the_command_reference_is_generated() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "generate_cli.py"))["reference"]()
    assert (ROOT / "docs" / "cli.md").read_text() == made, "run: python docs/generate_cli.py"


def test_commands_in_prose_exist() -> None:
    from textanchor.cli import main

    commands = main.list_commands(None)  # type: ignore[arg-type]

    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        for line in re.findall(r"textanchor ((?:[a-z-]+) [^\n`]*)", page.read_text()):
            name, *rest = line.split()
            if name not in commands:
                continue
            command: Any = main.get_command(None, name)  # type: ignore[arg-type]
            command = command.commands.get(rest[0], command) if rest and hasattr(command, "commands") else command
            known = {option for held in command.params for option in held.opts + held.secondary_opts}
            for word in rest:
                option = word.split("=")[0].rstrip(".,;:)")
                if option.startswith("--"):
                    assert option in known | {"--help"}, f"{page.name}: textanchor {line}"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    text = (ROOT / "docs" / "dependencies.md").read_text()
    for requirement in named:
        name = re.split(r"[<>=\[;]", requirement)[0].strip()
        assert name == "textanchor" or f"`{name}`" in text, name


def test_every_registered_part_is_in_the_guide() -> None:
    from textanchor import registry

    text = (ROOT / "docs" / "guide.md").read_text() + (ROOT / "docs" / "bench.md").read_text()
    for kind in ("aligner", "encoder", "projector", "loss", "view", "hubness"):
        for name in registry.BUILT_IN[kind]:
            assert f"`{name.split('-image')[0].split('-audio')[0]}" in text, f"{kind} {name}"


def test_contributing_names_every_kind_of_part() -> None:
    from textanchor import registry

    text = (ROOT / "CONTRIBUTING.md").read_text()
    for kind in registry.KINDS:
        assert kind in text, kind


def test_nothing_of_the_machine_is_written_down() -> None:
    for page in [*PAGES, *ROOT.glob("Makefile"), ROOT / "pyproject.toml"]:
        assert str(ROOT.parent) not in page.read_text(), page
    assert sys.prefix not in (ROOT / "Makefile").read_text()
