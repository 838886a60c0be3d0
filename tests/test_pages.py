"""What pages stand on: cells, plots and media."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from conftest import picture, sound
from textanchor.pages import Album, Media, as_svg, cell, columns, figure, label, shown
from textanchor.records import Clip, Item, Series, Waveform
from textanchor.runtime import Limits


def test_an_interval_stands_in_the_cell_of_its_figure() -> None:
    rows = [{"a": 1, "R@1": 0.5, "R@1 interval": (0.25, 0.75)}, {"b": None}]
    assert columns(rows) == ["a", "R@1", "b"]
    assert cell(rows[0], "R@1") == "0.500 [0.250, 0.750]"
    assert cell(rows[0], "a") == "1"
    assert cell(rows[1], "b") == cell(rows[1], "a") == "–"


def test_media_are_small_and_lie_in_the_page() -> None:
    plain = shown(Image.new("RGB", (400, 200)))
    assert Image.open(_bytes(plain.picture, "image/png")).size == (160, 80)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8))
    photo = shown(noise)
    assert Image.open(_bytes(photo.picture, "image/jpeg")).size == (160, 160)
    assert len(photo.picture) < 40_000
    icon = Image.open(_bytes(shown(Image.new("L", (8, 4), 200)).picture, "image/png"))
    assert icon.size == (80, 40)
    assert np.unique(np.asarray(icon.convert("L"))).tolist() == [200], "few pixels keep their values"
    long = Waveform(samples=np.tile(sound("circle", 1), 500), rate=48_000)
    heard = shown(long)
    samples, rate = soundfile.read(_bytes(heard.sound, "audio/"))
    assert rate == 16_000
    assert len(samples) / rate == pytest.approx(10, abs=0.3)
    assert len(heard.sound) < 400_000
    assert Image.open(_bytes(heard.picture, "image/png")).size == (160, 56)
    both = shown(Clip(frames=(picture("cross", 1),), sound=long))
    assert both.sound == heard.sound
    assert both.picture == shown(picture("cross", 1)).picture
    assert shown(Clip(sound=replace(long, rate=8000))).sound
    assert shown("a text" * 100) == Media(words=("a text" * 100)[:300])
    assert shown(Clip()) == shown(None) == Media()


@pytest.mark.parametrize(
    "values", [np.zeros((5, 1)), np.zeros((0, 2)), np.full((1, 1), 3.0), np.eye(900, 7), np.full((9, 2), 1e30)]
)
def test_series_are_drawn_whatever_their_size(values: np.ndarray) -> None:
    drawn = shown(Series(values=values.astype(np.float32)))
    assert Image.open(_bytes(drawn.picture, "image/png")).size == (160, 56)


def test_a_page_holds_no_more_media_than_it_may(tmp_path: Path) -> None:
    picture("cross", 1).save(tmp_path / "a.png")
    items = [Item(id=f"{name}.png", modality="image", path=tmp_path / f"{name}.png") for name in ("a", "gone")]
    size = len(shown(picture("cross", 1)).picture)
    album = Album(Limits(), budget=2 * size)
    assert [bool(album.of(items[0]).picture) for _ in range(3)] == [True, True, False]
    assert album.missing == 1
    assert album.of(items[1]) == Media(), "what is gone is shown by its name"
    assert album.missing == 1
    small = Album(Limits(), budget=size).thumbnail(items[0], side=20)
    assert Image.open(_bytes(small, "image/")).size == (20, 20)


def test_what_pages_print_shows_what_it_is_made_of() -> None:
    from textanchor.pages.rendering import _printable, ending, score

    assert _printable("a\x1b[31m\u202eb\x00\ud800") == "a\\x1b[31m\\u202eb\\x00\\ud800"
    assert _printable("žluťoučký 👩‍👩‍👧 العربية\n") == "žluťoučký 👩‍👩‍👧 العربية\n"
    assert len(_printable("x" * 1_000_000)) < 5000
    assert (score(-0.001), score(-0.25), score(0.999)) == ("0.00", "−0.25", "1.00")
    assert ending("folder/" * 20 + "name.jpg").endswith("folder/name.jpg")
    assert ending("folder/" * 20 + "name.jpg").startswith("…/")
    assert ending("n" * 99) == "…" + "n" * 44
    assert len(ending("folder/" * 20)) <= 45


def test_a_column_that_some_rows_lack_stands_where_others_have_it() -> None:
    assert columns([{"a": 1, "c": 1}, {"a": 1, "b": 1, "c": 1, "d": 1}, {"z": 1}]) == ["a", "b", "c", "d", "z"]


def test_a_plot_is_the_same_bytes_each_time() -> None:
    def drawn() -> str:
        plot, axes = figure(2.0)
        axes.plot([1, 2])
        axes.set_title(label("$x_1$"))
        return as_svg(plot)

    assert drawn() == drawn()
    assert drawn().startswith("<svg")
    assert "$x_1$" in drawn()
    assert label("n" * 61) == "n" * 57 + "..."


def _bytes(uri: str, kind: str) -> io.BytesIO:
    head, _, body = uri.partition(",")
    assert head.startswith(f"data:{kind}")
    assert head.endswith(";base64")
    return io.BytesIO(base64.b64decode(body))
