"""What every front and every backbone of encoders of one's own keeps, and what is particular to each."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from conftest import picture, sound
from textanchor import registry
from textanchor.encoders.own import Front, OwnNetwork, front_of, pooled
from textanchor.encoders.own.backbones import Backbone
from textanchor.encoders.own.backbones.pca import PCA
from textanchor.encoders.own.backbones.vit import Block
from textanchor.errors import InputError
from textanchor.grammar import spelled
from textanchor.pretraining.choosing import FRONTS
from textanchor.records import Series, Waveform

SHAPES = [(1, 28, 28), (3, 17, 23), (2, 1, 50), (1, 60, 3), (1, 1, 1)]


def wave(seconds: float, rate: int = 8000) -> Waveform:
    return Waveform(samples=sound("cross", 1, rate, seconds), rate=rate)


def values(modality: str) -> list[Any]:
    """Items as people have them: large, tiny, long, short, empty-looking."""
    rng = np.random.default_rng(0)
    if modality == "image":
        made = picture("cross", 1)
        odd = [made.resize(size) for size in ((90, 30), (1, 1), (3, 200))]
        return [made, *odd, made.convert("L"), made.convert("RGBA"), made.convert("1"), Image.new("P", (9, 9))]
    if modality == "audio":
        nothing = [Waveform(samples=np.zeros(count, np.float32), rate=16_000) for count in (1, 100, 8000)]
        return [wave(0.3), wave(3.0), wave(0.01), wave(0.4, 44_100), *nothing]
    return [Series(values=rng.normal(size=(count, 1)).astype(np.float32), rate=None) for count in (1, 2, 50, 5000)]


# --- fronts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.names("front"))
def test_every_front_keeps_its_contract(name: str) -> None:
    made = front_of(name)
    assert isinstance(made, Front)
    assert FRONTS[made.modality] == name
    for value in values(made.modality):
        kept = copy.deepcopy(value)
        found = made(value)
        assert found.shape == made.shape
        assert found.dtype in (np.uint8, np.float32)
        assert found.flags.c_contiguous
        assert np.isfinite(found).all()
        assert np.array_equal(found, made(kept))
    assert len({made(value).tobytes() for value in values(made.modality)[:2]}) == 2 or name == "curves"


@pytest.mark.parametrize("name", registry.names("front"))
def test_a_front_is_built_again_from_its_name_and_settings(name: str) -> None:
    made = front_of(name)
    again = front_of(spelled(made.name, made.settings))
    assert (again.shape, again.settings, again.seconds) == (made.shape, made.settings, made.seconds)
    value = values(made.modality)[0]
    assert np.array_equal(made(value), again(value))


def test_pixels_are_the_middle_square() -> None:
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = np.arange(64).reshape(8, 8)
    made = front_of("pixels(side=8,channels=1)")(Image.fromarray(wide))
    assert np.array_equal(made[0], np.arange(64).reshape(8, 8))


def test_log_mel_is_of_the_middle_and_silence_follows() -> None:
    front = front_of("log-mel(bands=24,frames=20,seconds=0.2)")
    short = front(wave(0.1))
    assert not short[:, :, 13:].any()
    assert short[:, :, :8].max() > 0.9
    noise, long = wave(0.2), np.zeros(8000, np.float32)
    long[4000 - 800 : 4000 + 800] = noise.samples
    assert front(Waveform(samples=long, rate=8000)).mean() > 0.7 * front(noise).mean()
    assert 0 <= short.min() <= short.max() <= 1


def test_silence_is_0_and_loudness_is_no_matter() -> None:
    front = front_of("log-mel")
    assert not front(Waveform(samples=np.zeros(9000, np.float32), rate=16_000)).any()
    loud = wave(0.5)
    quiet = Waveform(samples=loud.samples / 4, rate=loud.rate)
    assert np.allclose(front(loud), front(quiet), atol=0.01)


def test_curves_are_the_course_of_each_channel() -> None:
    line = np.stack([np.arange(11.0), 5 - np.arange(11.0)], axis=1).astype(np.float32)
    found = front_of("curves(channels=2,length=21)")(Series(values=line))
    assert np.allclose(found[0, 0], np.linspace(0, 10, 21), atol=1e-5)
    assert np.allclose(found[1, 0], np.linspace(5, -5, 21), atol=1e-5)
    with pytest.raises(ValueError, match="2 channels; this encoder was made of series with 1"):
        front_of("curves")(Series(values=line))


@pytest.mark.parametrize("spec", ["pixels(side=0)", "pixels(channels=2)", "log-mel(seconds=0)", "curves(length=1.5)", "mfcc"])
def test_fronts_that_cannot_be_are_refused(spec: str) -> None:
    with pytest.raises(InputError):
        front_of(spec)


# --- backbones ------------------------------------------------------------------------------------------------------


def backbone(name: str, shape: tuple[int, int, int]) -> Any:
    torch.manual_seed(0)
    made = registry.part("backbone", name, shape=shape)
    if isinstance(made, PCA):
        made.fitted(inputs(shape, 12).numpy())
    return made.eval()


def inputs(shape: tuple[int, int, int], count: int = 4) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", registry.names("backbone"))
def test_every_backbone_keeps_its_contract(name: str, shape: tuple[int, int, int]) -> None:
    made, given = backbone(name, shape), inputs(shape)
    assert isinstance(made, Backbone)
    with torch.inference_mode():
        layers = made(given)
        alone = made(given[2:3])
    assert [one.shape[2] for one in layers] == list(made.widths)
    assert all(one.shape[0] == 4 and one.isfinite().all() for one in layers)
    for together, single in zip(layers, alone, strict=True):
        assert torch.allclose(together[2:3], single, atol=1e-4), "an item's neighbours change it"


@pytest.mark.parametrize("name", registry.names("backbone"))
def test_a_backbone_is_built_again_from_its_settings_and_numbers(name: str) -> None:
    shape = (1, 12, 10)
    made = backbone(name, shape)
    again = registry.part("backbone", spelled(made.name, made.settings), shape=shape).eval()
    again.load_state_dict(made.state_dict())
    with torch.inference_mode():
        for mine, theirs in zip(made(inputs(shape)), again(inputs(shape)), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", [name for name in registry.names("backbone") if name != "pca"])
def test_all_of_a_backbone_learns_and_no_dropout_makes_two_passes_differ(name: str) -> None:
    made, given = backbone(name, (1, 14, 14)).train(), inputs((1, 14, 14))
    first, second = made(given)[-1], made(given)[-1]
    assert torch.equal(first, second)
    first.square().sum().backward()
    assert {key for key, one in made.named_parameters() if one.grad is None} <= {"hidden"}


def test_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA as Theirs

    given = inputs((1, 4, 5), 40)
    made = PCA(shape=(1, 4, 5), dim=6).fitted(given.numpy())
    theirs = Theirs(6, random_state=0).fit_transform(given.flatten(1).numpy())
    assert np.allclose(made(given)[0][:, 0].numpy(), theirs, atol=1e-4)


def test_components_that_do_not_exist_are_0() -> None:
    given = inputs((1, 2, 2), 3)
    found = PCA(shape=(1, 2, 2), dim=9).fitted(given.numpy())(given)[0]
    assert found.shape == (3, 1, 9)
    assert not found[:, :, 3:].any()


def test_a_residual_block_is_its_formula() -> None:
    """Identity kernels and normalisation of nothing: relu(x) + x, then relu."""
    made = registry.part("backbone", "resnet(width=2,stages=1)", shape=(2, 5, 5)).eval()
    block = made.blocks[0]
    for conv in (block.first[0], block.second[0]):
        nn.init.dirac_(conv.weight)
    given = inputs((2, 5, 5))
    with torch.inference_mode():
        assert torch.allclose(block(given), (given.relu() + given).relu(), atol=1e-4)


def test_a_transformer_s_block_is_torch_s() -> None:
    mine, theirs = Block(12, 3), nn.TransformerEncoderLayer(12, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True)
    pairs = [
        (theirs.norm1, mine.first), (theirs.norm2, mine.second), (theirs.self_attn.out_proj, mine.told),
        (theirs.linear1, mine.dense[0]), (theirs.linear2, mine.dense[2]),
    ]  # fmt: skip
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(mine.asked.weight)
        theirs.self_attn.in_proj_bias.copy_(mine.asked.bias)
        for there, here in pairs:
            there.load_state_dict(here.state_dict())
    given = torch.randn(5, 7, 12, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(mine(given), theirs(given), atol=1e-5)


@pytest.mark.parametrize(("layer", "place"), [(0, 0), (2, 2), (-1, 3), (-4, 0)])
def test_a_network_is_cut_at_a_layer_and_pooled(layer: int, place: int) -> None:
    made = OwnNetwork(shape=(1, 16, 16), backbone="resnet(width=4)", layer=layer, pool="max").eval()
    made.standard.measured(torch.tensor([3.0]), torch.tensor([2.0]))
    given = inputs((1, 16, 16))
    with torch.inference_mode():
        by_hand = made.backbone((given - 3) / 2)[place].amax(dim=1)
        assert torch.allclose(made(given), by_hand)
        assert made.dim == by_hand.shape[1]
        assert torch.allclose(pooled(made.layers(given)[place], "mean"), made.layers(given)[place].mean(dim=1))


def test_a_channel_that_never_changes_is_no_trouble() -> None:
    made = OwnNetwork(shape=(1, 8, 8), backbone="resnet(width=4,stages=1)").eval()
    made.standard.measured(torch.tensor([7.0]), torch.tensor([0.0]))
    with torch.inference_mode():
        assert made(torch.full((2, 1, 8, 8), 7.0)).isfinite().all()


@pytest.mark.parametrize("spec", ["resnet(width=0)", "vit(depth=0)", "pca(dim=-1)", "vit(patches=3)", "lenet"])
def test_backbones_that_cannot_be_are_refused(spec: str) -> None:
    with pytest.raises(InputError):
        OwnNetwork(shape=(1, 8, 8), backbone=spec)


def test_heads_that_do_not_share_the_width_are_refused() -> None:
    with pytest.raises(InputError, match="width=10 and heads=4"):
        OwnNetwork(shape=(1, 8, 8), backbone="vit(width=10,heads=4)")
