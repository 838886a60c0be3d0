"""Graphs of ONNX that take only so many items at once, and what the runtime answers to others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from conftest import picture
from textanchor.encoders import make
from textanchor.encoders.onnx import GraphError
from textanchor.errors import InputError
from textanchor.latents.engine import encode
from textanchor.records import Item
from textanchor.runtime import Runtime
from tiny_models import tiny_onnx

CPU = Runtime(device="cpu")
PICTURES = [picture("cross", seed) for seed in range(11)]


def graph(folder: Path, batch: object, *, inside: int | None = None, gives: tuple[int, ...] = ()) -> Path:
    """Four mixtures of a picture's mean colour; `inside` fixes the batch within the graph, `gives` its result's shape."""
    tiny_onnx(folder, "image")
    nodes = [helper.make_node("ReduceMean", ["x", "axes"], ["m"], keepdims=0), helper.make_node("MatMul", ["m", "w"], ["z"])]
    shape = (inside, 4) if inside else gives or (0, 4)
    nodes.append(helper.make_node("Reshape", ["z", "shape"], ["y"]))
    held = [
        helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
        helper.make_tensor("w", TensorProto.FLOAT, [3, 4], np.arange(12, dtype=np.float32)),
        helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape),
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 16, 16])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = helper.make_graph(nodes, "fixed", [given], [out], held)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / "model.onnx")
    return folder


@pytest.fixture
def expected(tmp_path: Path) -> np.ndarray:
    encoder = make(f"onnx:{graph(tmp_path / 'free', 'n')}", "image", CPU)
    return encoder.encode(PICTURES)


@pytest.mark.parametrize("batch", [1, 2, 4, 16])
def test_a_fixed_batch_is_filled(batch: int, tmp_path: Path, expected: np.ndarray) -> None:
    encoder = make(f"onnx:{graph(tmp_path / 'm', batch)}", "image", CPU)
    np.testing.assert_allclose(encoder.encode(PICTURES), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(PICTURES[:1]), expected[:1], atol=1e-5)


def test_a_batch_that_is_fixed_within_is_found_by_halving(tmp_path: Path, expected: np.ndarray) -> None:
    place = graph(tmp_path / "m", "n", inside=1)
    encoder: Any = make(f"onnx:{place}", "image", CPU)
    with pytest.raises(GraphError, match="INVALID_ARGUMENT|Fail|Runtime"):
        encoder.forward([encoder.prepare(one) for one in PICTURES])
    items = [Item(id=str(row), modality="image", value=one) for row, one in enumerate(PICTURES)]
    found = encode(items, encoder, Runtime(device="cpu", cache=tmp_path / "cache"))
    assert not found.skipped
    np.testing.assert_allclose(found.vectors, expected, atol=1e-5)


def test_a_result_of_another_number_of_items_is_never_taken(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the graph gives \(2, 2\) for 1 items; expected a vector an item"):
        make(f"onnx:{graph(tmp_path / 'n', 'n', gives=(-1, 2))}", "image", CPU)


def test_the_command_line_encodes_one_by_one(tmp_path: Path, run: Callable[..., Any]) -> None:
    (tmp_path / "p").mkdir()
    for seed in range(6):
        picture("cross", seed).save(tmp_path / "p" / f"{seed}.png")
    for place in (graph(tmp_path / "one", 1), graph(tmp_path / "within", "n", inside=1)):
        done = run("encode", tmp_path / "p", "--encoder", f"image=onnx:{place}", "--cache", tmp_path / "cache")
        assert done.exit_code == 0, done.stderr
        assert ["all", "6", "0", "0"] in [line.split() for line in done.stdout.splitlines()]


def test_what_no_item_can_take_is_one_line(tmp_path: Path, run: Callable[..., Any]) -> None:
    (tmp_path / "p").mkdir()
    picture("cross", 0).save(tmp_path / "p" / "0.png")
    done = run("encode", tmp_path / "p", "--encoder", f"image=onnx:{graph(tmp_path / 'm', 'n', inside=3)}")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: onnx:")
    assert "the graph fails on an empty image" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
