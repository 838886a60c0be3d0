"""Shared fixtures. Shapes in annotations are checked at run time here and nowhere else."""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):  # threads that wait for each other take most of the time of small matrices
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from jaxtyping import install_import_hook  # noqa: E402

CHECKED = [f"textanchor.{layer}" for layer in ("metrics", "losses", "projectors", "aligners", "views", "records", "judging")]
install_import_hook(CHECKED, "beartype.beartype")

import csv  # noqa: E402 - the hook must come before anything of textanchor is imported
from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import soundfile  # noqa: E402
from click.testing import CliRunner, Result  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402

from textanchor.data.readers.image import ImageReader  # noqa: E402

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
CLASSES = ("circle", "square", "cross", "stripes")


@pytest.fixture(autouse=True, scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of a test reaches the user's cache, and no test reaches a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTANCHOR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("COLUMNS", "100")
        patch.setattr(ImageReader, "default_encoder", "signal")  # in this process; drawings of 24 pixels need no network
        yield


def picture(kind: str, seed: int, side: int = 24) -> Image.Image:
    """A noisy drawing of one of the four classes."""
    rng = np.random.default_rng([seed, CLASSES.index(kind)])
    image = Image.new("L", (side, side), 0)
    pen, x, y = ImageDraw.Draw(image), *(int(v) for v in rng.integers(-2, 3, size=2))
    box = (5 + x, 5 + y, side - 6 + x, side - 6 + y)
    if kind == "circle":
        pen.ellipse(box, outline=255, width=2)
    elif kind == "square":
        pen.rectangle(box, outline=255, width=2)
    elif kind == "cross":
        pen.line(box, fill=255, width=2)
        pen.line((box[0], box[3], box[2], box[1]), fill=255, width=2)
    else:
        for row in range(box[1], box[3], 4):
            pen.line((box[0], row, box[2], row), fill=255, width=2)
    noise = rng.normal(0, 12, size=(side, side))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)).convert("RGB")


def sound(kind: str, seed: int, rate: int = 8000, seconds: float = 0.3) -> np.ndarray:
    """A noisy chirp; each class begins and ends on notes of its own."""
    rng = np.random.default_rng([seed, 100 + CLASSES.index(kind)])
    start, end = ((300, 300), (1500, 1500), (300, 3000), (3000, 300))[CLASSES.index(kind)]
    time = np.linspace(0, seconds, int(rate * seconds), endpoint=False)
    phase = 2 * np.pi * np.cumsum(np.linspace(start, end, len(time)) * rng.uniform(0.95, 1.05)) / rate
    return (0.4 * np.sin(phase) + rng.normal(0, 0.01, len(time))).astype(np.float32)


def write_shapes(folder: Path, *, each: int = 12, sounds: bool = True) -> Path:
    """A folder with `pairs.csv`: drawings of four shapes, and a sound for each shape, joined by their names."""
    rows = []
    for modality in ("image", "audio") if sounds else ("image",):
        for kind in CLASSES:
            (folder / modality / kind).mkdir(parents=True)
            for seed in range(each):
                path = folder / modality / kind / f"{seed:02d}.{'png' if modality == 'image' else 'wav'}"
                if modality == "image":
                    picture(kind, seed).save(path)
                else:
                    soundfile.write(path, sound(kind, seed), 8000)
                rows.append((path.relative_to(folder).as_posix(), kind, f"{modality} {kind} {seed // 2}"))
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "text", "group"), *rows])
    return folder


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of drawings and of sounds, 12 each, in groups of two; read only."""
    return write_shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="session")
def space(shapes: Path) -> Any:
    """A space fitted on the shapes."""
    import textanchor

    return textanchor.fit(shapes, aligner="ridge")


@pytest.fixture(scope="session")
def saved(space: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same space as a folder; read only."""
    return space.save(tmp_path_factory.mktemp("saved") / "space")


@pytest.fixture
def run() -> Callable[..., Result]:
    """Call the command line; answers with `exit_code`, `stdout` and `stderr`, and lets no traceback pass."""
    from textanchor.cli import main

    def call(*arguments: object) -> Result:
        done = CliRunner().invoke(main, [str(one) for one in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return call


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A place among the shared real data and encoders, or a skip that says what is absent."""

    def place(name: str) -> Path:
        found = SHARED / name
        if not found.exists():
            pytest.skip(f"real data '{name}' is not beside this checkout")
        return found

    return place


@pytest.fixture
def toy() -> Callable[..., Any]:
    """Paired latents with a known linear map from latents to anchors: `toy(items=..., seed=...)`."""
    return make_toy


@pytest.fixture(scope="session")
def toy_named() -> Any:
    """A classifier of `toy`'s latents whose classes have the names of `toy`'s texts."""
    from textanchor.records import Head, Named

    world = make_toy(items=400, seed=77)
    prototypes = np.stack([world.items.vectors[world.first_text == text].mean(axis=0) for text in range(len(world.texts))])
    head = Head(
        names=tuple((text, f"{text} again") for text in world.texts),
        weight=prototypes / 4,
        bias=-(prototypes**2).sum(axis=1) / 8,
    )
    return Named(head=head, anchors=world.anchors, shares=np.ones(len(world.texts), np.float32))


def make_toy(
    *, items: int = 80, dim: int = 12, out: int = 8, texts: int = 10, seed: int = 0, noise: float = 0.1, per: int = 1
) -> Any:
    from textanchor.records import PairedLatents, Pooled

    world = np.random.default_rng(99)
    anchors = world.normal(size=(texts, out)) + 1.0
    back = world.normal(size=(out, dim))
    rng = np.random.default_rng(seed)
    text = np.concatenate([np.arange(texts), rng.integers(texts, size=items - texts)])
    latents = (anchors[text] - 1) @ back + noise * rng.normal(size=(items, dim)) + 3
    edges = np.array([(row, (text[row] + k) % texts) for row in range(items) for k in range(per)], dtype=np.int64)
    anchors /= np.linalg.norm(anchors, axis=1, keepdims=True)
    return PairedLatents(
        modality="image",
        items=Pooled(
            vectors=latents.astype(np.float32),
            ids=tuple(f"{seed}-{row}" for row in range(items)),
            contents=tuple(f"{seed:032d}{row:032d}" for row in range(items)),
            fingerprint="toy",
        ),
        texts=tuple(f"text {row}" for row in range(texts)),
        anchors=anchors.astype(np.float32),
        edges=edges,
        weights=np.full(len(edges), 1 / per, dtype=np.float32),
        groups=tuple(f"{seed}-{row}" for row in range(items)),
    )
