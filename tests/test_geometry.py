"""The geometry alone: arrays in, arrays out, against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest

from textanchor.errors import InputError
from textanchor.projectors import Kept
from textanchor.projectors.linear import Linear
from textanchor.records import Affine, View
from textanchor.space import TEXT, Geometry
from textanchor.space.sides import AnchorSide, ComposedSide, FittedSide
from textanchor.views import unit, with_hubness

DIM = 6


def rows(seed: int, count: int = 8, dim: int = DIM) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def view(seed: int, *, hubness: str = "csls(k=2)", matrix: bool = True) -> View:
    mean = rows(seed, 1)[0]
    item = Affine(mean=mean, matrix=rows(seed + 1, DIM) if matrix else None)
    text = Affine(mean=mean, matrix=rows(seed + 2, DIM) if matrix else None)
    return with_hubness(View(item=item, text=text), hubness, items=rows(seed + 3, 30), anchors=rows(seed + 4, 30))


@pytest.fixture
def geometry() -> Geometry:
    image = FittedSide(Kept.of(Linear(dim_in=3, dim_out=DIM).eval()), view(10))
    audio = FittedSide(Kept.of(Linear(dim_in=2, dim_out=DIM).eval()), view(20, hubness="none"))
    video = ComposedSide(("image", "image", "audio"), {"image": image, "audio": audio})
    return Geometry({TEXT: AnchorSide(), "image": image, "audio": audio, "video": video})


def test_texts_meet_items_under_the_items_view(geometry: Geometry) -> None:
    own = geometry.view("image")
    assert own is not None
    images, texts = rows(1), rows(2)
    comparison = geometry.between("image", TEXT)
    np.testing.assert_allclose(comparison.query_unit(images), unit((images - own.item.mean) @ own.item.matrix), atol=1e-6)
    np.testing.assert_allclose(comparison.gallery_unit(texts), unit((texts - own.text.mean) @ own.text.matrix), atol=1e-6)
    scores = comparison.query(images) @ comparison.gallery(texts).T
    bias = scores - comparison.cosine(images, texts)
    np.testing.assert_allclose(bias, np.broadcast_to(bias[0], bias.shape), atol=1e-6)
    assert np.abs(bias).max() > 1e-3, "one bias a gallery vector, whoever asks"


def test_modalities_that_were_never_paired_are_only_centred(geometry: Geometry) -> None:
    own = geometry.view("image")
    assert own is not None
    images = rows(3)
    comparison = geometry.between("audio", "image")
    np.testing.assert_allclose(comparison.gallery(images), unit(images - own.item.mean), atol=1e-6)
    assert comparison.query(rows(4)).shape == (8, DIM), "no bias stands between them"


def test_a_key_says_whose_gallery_serves_whom(geometry: Geometry) -> None:
    key = {(a, b): geometry.between(a, b).key for a in geometry.sides for b in geometry.sides}
    assert key["audio", "image"] == key["video", "image"], "others all see the same centred images"
    assert key[TEXT, "image"] != key["audio", "image"]
    assert key["image", TEXT] != key["audio", TEXT] != key[TEXT, TEXT]
    galleries: dict[str, np.ndarray] = {}
    for (asking, asked), name in key.items():
        vectors = geometry.between(asking, asked).gallery(rows(5))
        np.testing.assert_array_equal(galleries.setdefault(name, vectors), vectors)


def test_the_scale_is_that_of_random_training_pairs(geometry: Geometry) -> None:
    own = geometry.view("image")
    assert own is not None
    assert own.hubness is not None
    comparison = geometry.between(TEXT, "image")
    scores = comparison.query(own.hubness.texts) @ comparison.gallery(own.hubness.items).T
    assert comparison.scale == pytest.approx((float(scores.mean()), float(scores.std())), abs=1e-6)
    assert geometry.between(TEXT, "image") is comparison, "worked out once"
    assert geometry.between("video", "image").scale is None, "a composition keeps no bank"


def test_a_composed_item_speaks_with_one_voice_a_modality(geometry: Geometry) -> None:
    """Two frames and no sound: the unit mean of the frames, each centred, at length 1 plus what was taken out."""
    first, second = rows(6, 1, 3), rows(7, 1, 3)
    latent = np.concatenate([first, second, np.zeros((1, 2), np.float32), [[1, 1, 0]]], axis=1).astype(np.float32)
    image, audio = geometry.view("image"), geometry.view("audio")
    assert image is not None
    assert audio is not None
    frames = [unit(geometry.project("image", one) - image.item.mean) for one in (first, second)]
    mean = (image.text.mean + audio.text.mean) / 2
    np.testing.assert_allclose(geometry.project("video", latent), unit(unit(frames[0] + frames[1])) + mean, atol=1e-5)


def test_what_a_geometry_does_not_have_is_said(geometry: Geometry) -> None:
    with pytest.raises(InputError, match=r"no modality 'smell' \(it has: text, image, audio, video\)"):
        geometry.between(TEXT, "smell")
    assert geometry.project("image", np.empty((0, 3), np.float32)).shape == (0, DIM)
