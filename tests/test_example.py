"""The package under examples/ adds a modality from outside; it is installed in an environment of its own, and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from conftest import ROOT

EXAMPLE = ROOT / "examples" / "textanchor-molecule"
FAMILIES = {
    "alcohol": lambda n: "C" * n + "O",
    "carboxylic acid": lambda n: "C" * n + "C(=O)O",
    "amine": lambda n: "C" * n + "N",
    "alkyl chloride": lambda n: "C" * n + "Cl",
}
SCRIPT = """
import sys
from textanchor.cli import main
for line in sys.argv[1:]:
    try:
        main(line.split("|"))
    except SystemExit as done:
        assert not done.code, (line, done.code)
"""


def test_it_is_as_short_as_the_guide_says() -> None:
    assert len((EXAMPLE / "textanchor_molecule.py").read_text().splitlines()) < 60


@pytest.mark.slow
def test_it_is_installed_and_used(tmp_path: Path) -> None:
    for family, draw in FAMILIES.items():
        (tmp_path / "molecules" / family).mkdir(parents=True)
        for size in range(1, 21):
            (tmp_path / "molecules" / family / f"{size}.smi").write_text(f"{draw(size)} {family} {size}\n")
    (tmp_path / "molecules" / "amine" / "bad.smi").write_text("§§§")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    place = next((tmp_path / "env" / "lib").glob("python3*/site-packages"))
    outer = [sysconfig.get_path("purelib"), *(path for path in sys.path if path.endswith("src"))]
    (place / "outer.pth").write_text(
        "".join(f"{path}\n" for path in outer)
    )  # what is installed here, without installing it again
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", EXAMPLE]
    subprocess.run(install, check=True, cwd=tmp_path)
    lines = (
        f"fit|{tmp_path}/molecules|-o|{tmp_path}/space",
        f"search|{tmp_path}/space|alcohol|--in|{tmp_path}/molecules|-k|3|--json",
        f"evaluate|{tmp_path}/space|{tmp_path}/molecules|-o|{tmp_path}/report|--no-probes",
        f"embed|{tmp_path}/molecules|--space|{tmp_path}/space|-o|{tmp_path}/v.parquet",
    )
    env = {**os.environ, "TEXTANCHOR_HOME": str(tmp_path / "home")}
    done = subprocess.run([python, "-c", SCRIPT, *lines], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "molecule: 81 pairs, 81 items, 4 distinct texts" in done.stdout
    assert "not a SMILES string: '" in done.stderr
    hits = json.loads(done.stdout[done.stdout.index("\n[") : done.stdout.index("\n]") + 2])
    assert all(hit["item"].startswith("alcohol/") for hit in hits)
    row = next(
        row for row in json.loads((tmp_path / "report" / "metrics.json").read_text())["alignment"] if row["query"] == "molecule"
    )
    assert row["R@1"] >= 0.9
    assert "molecule        0      80        1" in done.stdout
