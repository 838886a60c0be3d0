"""Random changes of items: what all of them keep, and what each of them does."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from conftest import sound
from textanchor import registry
from textanchor.encoders.own import OwnNetwork, front_of
from textanchor.encoders.own.fronts.log_mel import LogMel
from textanchor.errors import InputError, MissingError
from textanchor.pretraining import inputs
from textanchor.pretraining.augmenting import Augmentation, augmentation_of
from textanchor.pretraining.augmenting.waves import Waves
from textanchor.pretraining.choosing import AUGMENTATIONS, FRONTS
from textanchor.pretraining.loop import Material
from textanchor.records import Item, Waveform
from textanchor.runtime import Runtime

AUGMENTING = registry.names("augmentation")
RANGES = {"pixels": (0.0, 255.0), "log-mel": (0.0, 1.0)}


def arrays(front: str) -> Tensor:
    """Five items as a front gives them."""
    rng = np.random.default_rng(0)
    shape = {"pixels": (1, 28, 28), "log-mel": (1, 24, 20), "curves": (3, 1, 50)}[front]
    values = rng.random((5, *shape)).astype(np.float32)
    return torch.from_numpy(values * RANGES.get(front, (0, 1))[1] + (300 if front == "curves" else 0))


def given(name: str) -> list[Tensor]:
    """Batches that an augmentation is for; colour pictures and single channels too."""
    modality = next((one for one, own in AUGMENTATIONS.items() if own == name), "image")
    first = arrays(FRONTS[modality])
    return [first, first.expand(-1, 3, -1, -1).clone() if modality == "image" else first[:, :1].clone()]


@pytest.mark.parametrize("name", AUGMENTING)
def test_every_augmentation_keeps_its_contract(name: str) -> None:
    made = augmentation_of(name)
    assert isinstance(made, Augmentation)
    for batch in given(name):
        before = batch.clone()
        torch.manual_seed(1)
        first = made(batch)
        torch.manual_seed(1)
        again, other = made(batch), made(batch)
        assert first.shape == batch.shape
        assert first.dtype == torch.float32
        assert first.isfinite().all()
        assert torch.equal(batch, before), "the input was changed in place"
        assert torch.equal(first, again), "a seed does not repeat"
        if name != "nothing":
            assert not torch.equal(first, other)
            assert not torch.equal(first, batch)


@pytest.mark.parametrize("name", AUGMENTING)
def test_a_new_one_with_the_same_seed_does_the_same(name: str) -> None:
    """A training that goes on in another process makes its augmentation anew, in the middle of a stream of random numbers."""
    batch, used, fresh = given(name)[0], augmentation_of(name), augmentation_of(name)
    used(batch)
    torch.manual_seed(5)
    first = used(batch)
    torch.manual_seed(5)
    assert torch.equal(first, fresh(batch))


@pytest.mark.parametrize("name", [name for name in AUGMENTING if name != "nothing"])
def test_items_are_changed_each_by_itself(name: str) -> None:
    batch = given(name)[0]
    changed = augmentation_of(name)(batch[:1].expand(8, -1, -1, -1).clone())
    assert len({tuple(one.flatten().tolist()) for one in changed}) == 8


@pytest.mark.parametrize(("name", "front"), [("pictures", "pixels"), ("spectra", "log-mel")])
def test_numbers_stay_in_their_range(name: str, front: str) -> None:
    low, high = RANGES[front]
    for extreme in (torch.zeros(8, 1, 24, 24), torch.full((8, 1, 24, 24), high), arrays(front)):
        for seed in range(5):
            torch.manual_seed(seed)
            changed = augmentation_of(name)(extreme)
            assert float(changed.min()) >= low
            assert float(changed.max()) <= high


@pytest.mark.parametrize("name", AUGMENTING)
def test_a_batch_of_one_and_inputs_of_one_point_do(name: str) -> None:
    for batch in given(name):
        assert augmentation_of(name)(batch[:1]).shape == batch[:1].shape
    if name in ("curves", "spectra"):
        assert augmentation_of(name)(torch.ones(2, 1, 1, 1)).isfinite().all()


@pytest.mark.parametrize("spec", ["pictures(crop=1.0,colour=0,blur=0,flip=0)", "spectra(shift=0,pitch=0,mask=0,gain=0,noise=0)",
                                  "curves(crop=1.0,warp=0,scale=0,jitter=0,mask=0)"])  # fmt: skip
def test_settings_of_nothing_do_nothing(spec: str) -> None:
    batch = given(spec.partition("(")[0])[0]
    assert torch.allclose(augmentation_of(spec)(batch), batch, atol=2e-2 if "pictures" in spec else 1e-3)


# --- curves ---------------------------------------------------------------------------------------------------------


def test_time_is_cropped_and_warped_but_never_turns_back() -> None:
    """Of a rising line, what is read rises, from somewhere to somewhere at least `crop` later."""
    line = torch.arange(101.0).repeat(64, 1)[:, None, None]
    changed = augmentation_of("curves(crop=0.6,warp=0.5,scale=0,jitter=0,mask=0)")(line)[:, 0, 0]
    assert (changed.diff(dim=1) > 0).all()
    lengths = changed[:, -1] - changed[:, 0]
    assert float(lengths.min()) >= 60 - 1e-3
    assert float(lengths.max()) <= 100
    assert float(lengths.std()) > 5
    assert float((changed.diff(dim=1).amax(dim=1) / changed.diff(dim=1).amin(dim=1)).max()) <= 3.0 + 1e-2


def test_a_channel_of_several_stays_and_the_rest_become_their_mean() -> None:
    batch = arrays("curves").repeat(20, 1, 1, 1)
    changed = augmentation_of("curves(crop=1.0,warp=0,scale=0,jitter=0,mask=1.0)")(batch)
    still = changed.std(dim=3) < 1e-3
    assert (still.sum(dim=1) == 2).all()
    assert (still.float().mean(dim=0) < 1).all()
    alone = augmentation_of("curves(crop=1.0,warp=0,scale=0,jitter=0,mask=1.0)")(batch[:, :1])
    assert torch.allclose(alone, batch[:, :1], atol=1e-3)


def test_jitter_and_scale_are_in_deviations_of_a_channel() -> None:
    """Degrees above 300 are not scaled away from there, and noise does not depend on their unit."""
    batch = 300 + 10 * torch.randn(200, 1, 1, 100, generator=torch.Generator().manual_seed(0))
    noisy = augmentation_of("curves(crop=1.0,warp=0,scale=0,jitter=0.2,mask=0)")(batch) - batch
    assert float(noisy.std()) == pytest.approx(2.0, rel=0.05)
    scaled = augmentation_of("curves(crop=1.0,warp=0,scale=0.3,jitter=0,mask=0)")(batch)
    assert torch.allclose(scaled.mean(dim=3), batch.mean(dim=3), atol=1e-2)
    assert float((scaled.std(dim=3) / batch.std(dim=3)).std()) == pytest.approx(0.3, rel=0.3)


def test_settings_out_of_range_are_refused() -> None:
    for spec in (
        "curves(crop=0)",
        "curves(warp=1.0)",
        "pictures(crop=0)",
        "spectra(mask=2)",
        "spectra(waves=-1)",
        "curves(x=1)",
    ):
        with pytest.raises(InputError):
            augmentation_of(spec)


# --- waves ----------------------------------------------------------------------------------------------------------


def wave(kind: str = "circle", *, seconds: float = 0.3) -> Waveform:
    return Waveform(samples=sound(kind, 0, seconds=seconds), rate=8000)


def test_a_wave_is_changed_by_its_seed_alone() -> None:
    made, own = Waves(), wave()
    kept, python, arrays = own.samples.copy(), random.getstate(), np.random.get_state()[1].copy()  # type: ignore[union-attr]
    seeds = [(0, 1, 2), (0, 1, 3), (0, 2, 1), (4, 1, 2)]
    first = [made(own, seed).samples for seed in seeds]
    for seed, one in zip(reversed(seeds), reversed(first), strict=True):
        assert np.array_equal(made(own, seed).samples, one)
    assert len({one.tobytes() for one in first}) > 1
    assert np.array_equal(own.samples, kept)
    assert random.getstate() == python
    assert np.array_equal(np.random.get_state()[1], arrays)


def test_waves_become_longer_shorter_higher_and_lower() -> None:
    made, own = Waves(), wave("square", seconds=0.5)
    changed = [made(own, (seed,)) for seed in range(40)]
    lengths = {len(one.samples) for one in changed}
    assert min(lengths) < len(own.samples) < max(lengths)
    assert min(lengths) >= len(own.samples) / 1.25 - 2
    assert max(lengths) <= len(own.samples) / 0.8 + 2

    def loudest(one: Waveform) -> float:
        return float(np.abs(np.fft.rfft(one.samples)).argmax() * one.rate / len(one.samples))

    pitches = np.asarray([loudest(one) for one in changed]) / loudest(own)
    assert pitches.min() < 0.95 < 1.05 < pitches.max()
    assert all(one.samples.dtype == np.float32 and np.abs(one.samples).max() <= 1 for one in changed)


@pytest.mark.parametrize("samples", [0, 1, 100, 600])
def test_silent_and_tiny_sounds_are_no_trouble(samples: int) -> None:
    for seed in range(10):
        found = Waves()(Waveform(samples=np.zeros(samples, dtype=np.float32), rate=8000), (seed,))
        assert np.isfinite(found.samples).all()


def test_variants_are_made_once_and_looks_draw_from_them() -> None:
    front = LogMel(bands=16, frames=12, seconds=0.3)
    items = [Item(id=str(at), modality="audio", value=wave(kind)) for at, kind in enumerate(("circle", "cross"))]
    made = inputs.variants(items, front, 3, Runtime(), seed=0)
    assert made.shape == (2, 3, 1, 16, 12)
    assert np.array_equal(made, inputs.variants(items, front, 3, Runtime(), seed=0))
    assert not np.array_equal(made, inputs.variants(items, front, 3, Runtime(), seed=1))
    plain = inputs.gathered(items, front, Runtime()).values
    material = Material(values=plain, labels=np.zeros(2), augmentation=augmentation_of("nothing"), views=200, variants=made)
    rows = np.asarray([1, 0])
    seen: dict[int, set[int]] = {0: set(), 1: set()}
    for look in material.looks(rows, np.random.default_rng(0)):
        for row, one in zip(rows, look, strict=True):
            choices = [plain[row], *made[row]]
            seen[row].add(next(at for at, choice in enumerate(choices) if np.array_equal(one, choice)))
    assert seen == {0: {0, 1, 2, 3}, 1: {0, 1, 2, 3}}
    assert np.array_equal(plain, inputs.gathered(items, front, Runtime()).values)


def test_too_many_variants_are_refused_before_any_work() -> None:
    items = [Item(id="a", modality="audio", value=wave())]
    with pytest.raises(InputError, match="1000000 variants of each"):
        inputs.variants(items, front_of("log-mel"), 1_000_000, Runtime(), seed=0)


def test_libraries_that_are_not_there_are_named_with_their_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kornia", "audiomentations"):
        monkeypatch.setitem(sys.modules, name, None)
    calls: list[Any] = [Waves, lambda: augmentation_of("pictures")(arrays("pixels"))]
    for call in calls:
        with pytest.raises(MissingError, match=r"pip install 'textanchor\[pretrain\]'"):
            call()


def test_nothing_of_them_is_imported_before_it_is_needed() -> None:
    told = "import sys, textanchor.pretraining; print([name for name in ('kornia', 'audiomentations') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_augmentation_costs_less_than_the_network() -> None:
    """Processor time of 256 pictures of 28 x 28, the least of five, against forward and backward of a thin network."""
    batch, network = 255 * torch.rand(256, 1, 28, 28), OwnNetwork(shape=(1, 28, 28), backbone="resnet(width=16)")
    change = augmentation_of("pictures(turn=15)")

    def least(work: Callable[[], object]) -> float:
        times = []
        for _ in range(5):
            begun = time.process_time()
            work()
            times.append(time.process_time() - begun)
        return min(times)

    assert least(lambda: change(batch)) < least(lambda: network(batch).sum().backward())
