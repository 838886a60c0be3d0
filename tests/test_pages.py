"""What pages stand on: cells, plots and media."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import soundfile
from PIL import Image

from conftest import picture, sound
from textanchor.pages import as_svg, cell, columns, figure, label, shown
from textanchor.records import Clip, Waveform


def test_an_interval_stands_in_the_cell_of_its_figure() -> None:
    rows = [{"a": 1, "R@1": 0.5, "R@1 interval": (0.25, 0.75)}, {"b": None}]
    assert columns(rows) == ["a", "R@1", "b"]
    assert cell(rows[0], "R@1") == "0.500 [0.250, 0.750]"
    assert cell(rows[0], "a") == "1"
    assert cell(rows[1], "b") == cell(rows[1], "a") == "–"


def test_media_are_small_and_lie_in_the_page() -> None:
    kind, uri = shown(Image.new("RGB", (400, 200)))
    assert kind == "image"
    assert Image.open(_bytes(uri, "image/png")).size == (96, 48)
    long = Waveform(samples=np.tile(sound("circle", 1), 500), rate=48_000)
    kind, uri = shown(long)
    samples, rate = soundfile.read(_bytes(uri, "audio/flac"))
    assert (kind, rate) == ("audio", 16_000)
    assert len(samples) == 160_000 or len(samples) == round(len(long.samples) / 3)
    assert shown(Clip(frames=(picture("cross", 1),), sound=long))[0] == "image"
    assert shown(Clip(sound=replace(long, rate=8000)))[0] == "audio"
    assert shown("a text") == shown(Clip()) == ("name", "")


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
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(body))
