"""A training that stops goes on to the same weights, also with several processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from textanchor.errors import DamagedError
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.loop import train
from training_world import PLAN, VIT, course, learner, material, same


class Stop(Exception):
    pass


def stopping(at: int) -> Callable[[int], dict[str, float]]:
    def watch(epoch: int) -> dict[str, float]:
        if epoch == at:
            raise Stop
        return {"score": 0.1 * epoch}

    return watch


@pytest.mark.parametrize("task", ["simclr", "supervised", "triplet(mining=random)", "sigreg", "vicreg"])
def test_a_training_that_goes_on_ends_at_the_same_weights(tmp_path: Path, task: str) -> None:
    whole = learner(task)
    rows = train(whole, material(task), PLAN, course(watch=lambda epoch: {"score": 0.1 * epoch}, best=True))
    with pytest.raises(Stop):
        train(
            learner(task),
            material(task),
            PLAN,
            course(watch=stopping(3), best=True, checkpoint=Checkpoint(tmp_path / "c", "k")),
        )
    torch.manual_seed(99)  # whatever the process did before
    again = learner(task)
    told = train(
        again,
        material(task),
        PLAN,
        course(watch=lambda epoch: {"score": 0.1 * epoch}, best=True, checkpoint=Checkpoint(tmp_path / "c", "k")),
    )
    assert same(whole, again)
    assert told == rows


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from safetensors.torch import save_file
from textanchor.pretraining.augmenting import augmentation_of
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.loop import train
from training_world import PLAN, course, learner, material
kill, folder = int(sys.argv[2]), Path(sys.argv[3])
class Deadly:
    calls, real = 0, augmentation_of("pictures")
    def __call__(self, inputs):
        Deadly.calls += 1
        if Deadly.calls == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.real(inputs)
made = learner()
train(made, replace(material(), augmentation=Deadly()), PLAN, course(checkpoint=Checkpoint(folder / "checkpoint", "k")))
save_file({name: value.contiguous() for name, value in made.state_dict().items()}, folder / "weights")
"""


def test_a_training_that_is_killed_within_an_epoch_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    """3 steps an epoch, 2 views each: the 10th augmentation is in the middle of the second epoch."""
    script = tmp_path / "killed.py"
    script.write_text(KILLED)

    def started(kill: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), str(Path(__file__).parent), str(kill), str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert started(10).returncode == -signal.SIGKILL
    assert (tmp_path / "checkpoint").is_file()
    assert not (tmp_path / "weights").exists()
    done = started(-1)
    assert done.returncode == 0, done.stderr
    found, whole = load_file(tmp_path / "weights"), learner()
    train(whole, material(), PLAN, course())
    assert all(torch.equal(found[name], value) for name, value in whole.state_dict().items())


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tmp_path: Path) -> None:
    one, whole = Checkpoint(tmp_path / "c", "one"), learner()
    train(learner(), material(), replace(PLAN, epochs=1), course(checkpoint=one))
    other = learner()
    train(other, material(), PLAN, course(checkpoint=Checkpoint(tmp_path / "c", "other")))
    train(whole, material(), PLAN, course())
    assert same(other, whole)


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "no metadata", "other tensors", "other shapes"])
def test_a_damaged_checkpoint_is_said_and_not_gone_on_with(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "c"
    train(learner(), material(), replace(PLAN, epochs=1), course(checkpoint=Checkpoint(file, "k")))
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "noise":
        file.write_bytes(b"\x00" * len(whole))
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "no metadata":
        save_file({"now.a": torch.zeros(1)}, file)
    else:
        tensors = load_file(file)
        name = next(name for name in tensors if name.startswith("now.") and name.endswith("weight"))
        if damage == "other tensors":
            del tensors[name]
        else:
            tensors[name] = torch.zeros(1, 2, 3)
        save_file(tensors, file, {"standing": '{"key": "k", "epoch": 1, "rows": [{"loss": 1.0}]}'})
    with pytest.raises(DamagedError, match="remove it to begin anew"):
        train(learner(), material(), PLAN, course(checkpoint=Checkpoint(file, "k")))


def test_nothing_but_seed_and_epoch_decides(tmp_path: Path) -> None:
    first, second, third = learner(), learner(), learner()
    torch.manual_seed(1)
    train(first, material(), PLAN, course())
    torch.manual_seed(2)
    np.random.seed(5)
    train(second, material(), PLAN, course())
    train(third, material(), PLAN, course(seed=4))
    assert same(first, second)
    assert not same(first, third)


SHARED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from safetensors.torch import save_file
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.loop import train
from training_world import PLAN, VIT, course, learner, material
from textanchor.pretraining.processes import launched
folder, own = Path(sys.argv[2]), launched()
made = learner("supervised", VIT)
looks = []
told = course(watch=lambda epoch: looks.append(epoch) or {"rank": 2.0}, checkpoint=Checkpoint(folder / "checkpoint", "k"))
rows = train(made, material("supervised", "nothing", items=32), replace(PLAN, epochs=2), told)
assert own.count == 2 and looks == ([1, 2] if own.first else []) and rows[1]["rank"] == 2.0
save_file({name: value.contiguous() for name, value in made.state_dict().items()}, folder / f"weights{own.index}")
"""


def test_two_processes_train_what_one_does(tmp_path: Path) -> None:
    """As `accelerate launch` starts them: halves of every batch, averaged gradients, one that looks and writes."""
    pytest.importorskip("accelerate")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (tmp_path / "shared.py").write_text(SHARED)
    world = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(tmp_path / "shared.py"), str(Path(__file__).parent), str(tmp_path)]
    running = [
        subprocess.Popen(command, env={**world, "RANK": rank, "LOCAL_RANK": rank}, stderr=subprocess.PIPE, text=True)
        for rank in ("0", "1")
    ]
    errors = [one.communicate(timeout=120)[1] for one in running]
    assert [one.returncode for one in running] == [0, 0], errors
    alone = learner("supervised", VIT)
    train(alone, material("supervised", "nothing", items=32), replace(PLAN, epochs=2), course())
    first, second = (load_file(tmp_path / f"weights{rank}") for rank in (0, 1))
    for name, value in alone.state_dict().items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(first[name], value, atol=1e-4), name
    assert (tmp_path / "checkpoint").is_file()
