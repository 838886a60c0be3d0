"""Sample sets."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from textanchor.data.pairs import read_pairs
from textanchor.data.samples import speech, write_sample, writing
from textanchor.errors import InputError, MissingError


def table(folder: Path) -> list[tuple[str, str, str, str]]:
    return [(pair.item.id, pair.item.modality, pair.text, str(pair.split)) for pair in read_pairs(folder).rows]


def test_digits_are_real_files_held_out_by_voice(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason='the [demo] extra is not installed: pip install ".[demo]"')
    first, second = (write_sample("digits", tmp_path / name, limit=9) for name in ("one", "two"))
    pairs = read_pairs(first)
    assert not pairs.skipped
    assert {pair.text for pair in pairs.rows if pair.item.modality == "audio"} == set(writing.DIGITS)
    sides = defaultdict(set)
    for pair in pairs.rows:
        if pair.item.modality == "audio":
            sides[pair.group].add(pair.split)
    assert len(sides) == 9
    assert all(len(held) == 1 for held in sides.values())
    assert sum(held == {"test"} for held in sides.values()) == 3
    assert len([row for row in pairs.rows if row.item.modality == "audio"]) == 9 * 3 * 10
    sound, rate = soundfile.read(next(first.glob("sounds/*/four-1.wav")))
    assert rate > 8000
    assert 0.1 < len(sound) / rate < 3
    assert np.abs(sound).max() > 0.05
    for path in first.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path
    about = json.loads((first / "about.json").read_text())
    assert "GPL-3.0-or-later" in about["sources"][1]


def test_all_voices_are_there_and_a_quarter_is_held_out() -> None:
    pytest.importorskip("espeakng_loader", reason='the [demo] extra is not installed: pip install ".[demo]"')
    assert len(speech.voices()) >= 60


def test_without_espeak_the_install_line_is_given_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r'pip install "textanchor\[demo\]"'):
        write_sample("digits", tmp_path / "digits")
    assert not list(tmp_path.iterdir())


def test_an_option_of_another_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sample 'digits' has no option 'speaker'"):
        write_sample("digits", tmp_path / "x", speaker="george")


def raw_digits(root: Path) -> Path:
    """A made-up pair of data sets of the right form."""
    (root / "mnist").mkdir(parents=True)
    (root / "fsdd" / "recordings").mkdir(parents=True)
    rng = np.random.default_rng(0)
    parts = {}
    for side, count in (("train", 60), ("test", 30)):
        parts[f"x_{side}"] = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        parts[f"y_{side}"] = np.arange(count, dtype=np.uint8) % 10
    np.savez(root / "mnist" / "mnist.npz", **parts)
    for speaker in ("ann", "bob"):
        for digit in range(10):
            for take in range(7):
                path = root / "fsdd" / "recordings" / f"{digit}_{speaker}_{take}.wav"
                soundfile.write(path, rng.normal(0, 0.1, 800), 8000)
    return root


def test_mnist_fsdd_names_its_split(tmp_path: Path) -> None:
    root = raw_digits(tmp_path / "raw")
    shared = read_pairs(write_sample("mnist-fsdd", tmp_path / "shared", root=root, train=40, test=20))
    assert shared.split_name == "official, speakers shared"
    audio = [pair for pair in shared.rows if pair.item.modality == "audio"]
    assert sum(pair.split == "test" for pair in audio) == 2 * 10 * 5
    apart = read_pairs(write_sample("mnist-fsdd", tmp_path / "apart", root=root, speaker="bob", train=40, test=20))
    assert apart.split_name is None
    assert {pair.group for pair in apart.rows if pair.split == "test" and pair.group} == {"speaker bob"}


def test_mnist_fsdd_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs --root"):
        write_sample("mnist-fsdd", tmp_path / "a")
    with pytest.raises(InputError, match="holds no recordings"):
        write_sample("mnist-fsdd", tmp_path / "a", root=tmp_path)
    root = raw_digits(tmp_path / "raw")
    with pytest.raises(InputError, match=r"no speaker 'eve' in .* \(there are: ann, bob\)"):
        write_sample("mnist-fsdd", tmp_path / "a", root=root, speaker="eve")
    np.savez(root / "mnist" / "mnist.npz", x_train=np.zeros(3))
    with pytest.raises(InputError, match="is not MNIST"):
        write_sample("mnist-fsdd", tmp_path / "a", root=root)
    assert not (tmp_path / "a").exists()
