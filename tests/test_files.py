"""Writing whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from textanchor import files
from textanchor.errors import DamagedError, InputError


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.json"
    files.write_json(target, {"a": 1})
    monkeypatch.setattr(files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        files.write_json(target, {"a": 2})
    assert files.read_json(target) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_not_a_number_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def build(fail: bool) -> None:
        with files.new_folder(tmp_path / "out", overwrite=True, marker="m") as new:
            (new / "m").write_text("x")
            if fail:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        build(fail=True)
    assert not list(tmp_path.iterdir())
    build(fail=False)
    with pytest.raises(RuntimeError):
        build(fail=True)
    assert (tmp_path / "out" / "m").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_our_own_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with (
        pytest.raises(InputError, match="holds no space.json, so it is not ours"),
        files.new_folder(tmp_path, overwrite=True, marker="space.json"),
    ):
        pass
    with (
        pytest.raises(InputError, match="exists already; name another place or add --overwrite"),
        files.new_folder(tmp_path, overwrite=False, marker="thesis.txt"),
    ):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_a_place_that_cannot_be_written_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"file is a file, so .* cannot be made"):
        files.refuse_existing(tmp_path / "file" / "deep" / "out", overwrite=True)
    monkeypatch.setattr(files.os, "access", lambda place, how: place != tmp_path)
    with pytest.raises(InputError, match="cannot be written: no permission"):
        files.refuse_existing(tmp_path / "new" / "out", overwrite=False)


def test_broken_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": ')
    with pytest.raises(DamagedError, match=r"a\.json is not readable JSON"):
        files.read_json(tmp_path / "a.json")


def test_digest_tells_parts_apart() -> None:
    assert files.digest("ab", "c") != files.digest("a", "bc")
