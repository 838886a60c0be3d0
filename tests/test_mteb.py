"""A space under MTEB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textanchor
from conftest import picture, sound
from textanchor.errors import InputError, MissingError
from textanchor.interop import mteb as bridge
from textanchor.interop import mteb_model

pytestmark = pytest.mark.filterwarnings("ignore")  # the benchmark's own, and those of what it imports


@pytest.fixture(scope="module")
def mteb() -> Any:
    return pytest.importorskip("mteb", reason="the [mteb] extra is not installed")


def test_the_benchmark_itself_evaluates_texts_and_images(mteb: Any, space: Any, tmp_path: Path) -> None:
    from mteb.mocks import mock_tasks

    model = mteb_model(space)
    assert isinstance(model, mteb.models.EncoderProtocol)
    tasks = [mock_tasks.MockSTSTask(), mock_tasks.MockRetrievalTask(), mock_tasks.MockImageClassificationTask()]
    done = mteb.evaluate(model, tasks, cache=None, show_progress_bar=False)
    assert {one.task_name for one in done.task_results} == {task.metadata.name for task in tasks}
    assert all(np.isfinite(one.get_score()) for one in done.task_results)
    assert done.model_name == "textanchor/space"


def test_it_is_asked_as_the_benchmark_asks(mteb: Any, space: Any) -> None:
    model = mteb_model(space, name="me/shapes")
    assert model.mteb_model_meta.embed_dim == 384
    assert model.mteb_model_meta.modalities == ["text", "image", "audio"]
    both = type("Task", (), {"modalities": ["text", "image"]})
    only = type("Task", (), {"modalities": ["text"]})
    told = {"hf_split": "test", "hf_subset": "default"}
    pictures = [picture("cross", seed) for seed in range(3)]
    images = model.encode([{"image": pictures[:2]}, {"image": pictures[2:]}], task_metadata=both, **told)
    np.testing.assert_allclose(images, space.embed(pictures, compared_with="image"), atol=1e-6)
    texts = model.encode([{"text": ["cross", "  ", "circle"]}], task_metadata=both, **told)
    np.testing.assert_allclose(texts[[0, 2]], space.embed(["cross", "circle"], compared_with="image"), atol=1e-6)
    assert not texts[1].any()
    assert model.similarity(images, texts[[0, 2]]).argmax(axis=1).tolist() == [0, 0, 0]
    np.testing.assert_allclose(model.similarity_pairwise(images, texts), np.diag(model.similarity(images, texts)), atol=1e-6)
    raw = model.encode([{"text": ["cross"]}], task_metadata=only, **told)
    np.testing.assert_allclose(raw, space.embed("cross"), atol=1e-6)
    heard = [{"array": sound("cross", 1), "sampling_rate": 8000}]
    mixed = model.encode([{"audio": heard, "text": ["cross"]}], task_metadata=only, **told)
    assert np.linalg.norm(mixed) == pytest.approx(1, abs=1e-5)
    with pytest.raises(InputError, match="expected text, image, audio"):
        model.encode([{"smell": [1]}], task_metadata=only, **told)


def test_what_is_missing_is_said(space: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no modality 'smell'"):
        textanchor.mteb_model(space, compared_with="smell")
    monkeypatch.setattr(bridge, "installed", lambda _: None)
    with pytest.raises(MissingError, match=r"pip install 'textanchor\[mteb\]'"):
        mteb_model(space)
