"""Twenty ways of fitting 6000 pairs: `python benchmarks/fit.py DATA MODELS [--subset 128] [--combinations 20]`.

Ours: raw photos and captions are encoded once, into an empty cache, then every combination is fitted on cached latents.
Against it as many combinations by a sentence-transformers `Router` and its trainer from raw items: frozen towers, the same
MLP, epochs and batch. That takes days, so one epoch is measured on a subset and multiplied, which flatters it, since
validation is left out. The fair rows are the library's own losses on cached tensors: there nothing is gained but the choice
of epochs on validation and the second fit on both sides. Needs `pip install "sentence-transformers[train]"`. Ratios of one
run on one machine; its noise is about a quarter.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch
from losses import flickr8k
from PIL import Image
from tqdm import tqdm

import textanchor
from textanchor.aligners import aligner
from textanchor.records import PairedLatents, Task
from textanchor.runtime import Runtime, Splitting
from textanchor.space.preparing import Encoding, prepare

LOSSES = ("mse", "cosine", "info-nce", "bank", "siglip", "triplet(mining=hard)", "supcon", "sum(a=mse, b=relational)")
CLOSED = ("ridge", "cca(alpha=0.1)", "procrustes", "csa(alpha=0.1)")
PROJECTORS = ("mlp(dropout=0.3)", "linear")
FAIR = {
    "cosine": "CosineSimilarityLoss",
    "info-nce": "MultipleNegativesRankingLoss",
    "triplet(mining=hard)": "BatchHardTripletLoss",
}
EPOCHS, BATCH = 20, 256


def main() -> None:
    """Print seconds and ratios."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("data", type=Path)
    told.add_argument("models", type=Path)
    told.add_argument("--subset", type=int, default=128)
    told.add_argument("--combinations", type=int, default=20)
    asked = told.parse_args()
    specs = [*CLOSED, *(
        f"gradient(loss={loss}, projector={projector}, epochs={EPOCHS}, batch={BATCH})"
        for projector, loss in product(PROJECTORS, LOSSES)
    )][: asked.combinations]  # fmt: skip
    model = asked.models / "mobilenet_v1_0.75_224"
    with tempfile.TemporaryDirectory() as work:
        pairs = textanchor.read_pairs(flickr8k(asked.data, Path(work)))
        start = time.perf_counter()
        runtime = Runtime(cache=Path(work) / "cache")
        ready = prepare(pairs, Encoding(encoders={"image": f"hub:{model}"}), Splitting(), runtime)
        sides = ready.sides("image")
        assert sides is not None
        encoding = time.perf_counter() - start
        seconds = {spec: fitted(spec, sides.task(device="cpu", seed=0)) for spec in tqdm(specs, "fits")}
        ours = encoding + sum(seconds.values())
        rows = pairs.rows[:: len(pairs.rows) // asked.subset][: asked.subset]
        each = trainer([(str(pair.item.path), pair.text) for pair in rows], model) / len(rows)
        items = len(sides.train.items)
        theirs = each * items * EPOCHS * len(specs)
        fair = {loss: cached(sides.train, name) for loss, name in FAIR.items()}
    gradient = [value for spec, value in seconds.items() if spec.startswith("gradient")]
    print("| what | seconds |\n|---|---|")
    both = len(sides.train.items) + len(sides.val.items)
    print(f"| encoding {both} photos and their captions once | {encoding:.0f} |")
    for spec in (spec for spec in specs if not spec.startswith("gradient")):
        print(f"| `{spec}` | {seconds[spec]:.2f} |")
    if gradient:
        print(f"| a gradient fit with validation and refit, smallest to largest | {min(gradient):.1f} to {max(gradient):.1f} |")
    print(f"| **all {len(specs)}, encoding counted** | **{ours:.0f}** |")
    print(f"| Router and trainer from raw items, {len(specs)} times {EPOCHS} epochs, from {len(rows)} pairs | {theirs:.0f} |")
    print(f"| **ratio** | **{theirs / ours:.0f}** |")
    print(
        f"\n| loss, MLP, {EPOCHS} epochs on cached tensors | the library's, trained once | ours, trained twice and validated |"
    )
    print("|---|---|---|")
    for loss, once in fair.items():
        mine = seconds.get(f"gradient(loss={loss}, projector={PROJECTORS[0]}, epochs={EPOCHS}, batch={BATCH})", float("nan"))
        print(f"| {loss} | {once:.1f} | {mine:.1f} |")


def fitted(spec: str, task: Task) -> float:
    """Seconds of a fit, choosing on validation and fitting again included."""
    start = time.perf_counter()
    aligner(spec).fit(task)
    return time.perf_counter() - start


def trainer(rows: list[tuple[str, str]], model: Path) -> float:
    """Seconds of one epoch of the library's trainer from raw items."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.base.modules import InputModule
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.modules import Router
    from transformers import AutoImageProcessor, AutoModel

    from textanchor.config import DEFAULT_ANCHOR
    from textanchor.encoders import make
    from textanchor.runtime import Runtime

    class Photos(InputModule):  # type: ignore[misc]
        """Paths in, pooled and projected vectors out; the tower is frozen."""

        def __init__(self) -> None:
            super().__init__()
            self.tower = AutoModel.from_pretrained(model).eval().requires_grad_(False)
            self.processor = AutoImageProcessor.from_pretrained(model, use_fast=False)
            self.head = mlp(768)

        def preprocess(self, inputs: list[str], *_: Any, **__: Any) -> dict[str, torch.Tensor]:
            images = [Image.open(path).convert("RGB") for path in inputs]
            return {"pixel_values": self.processor(images, return_tensors="pt")["pixel_values"]}

        tokenize = preprocess

        def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
            with torch.no_grad():
                hidden = self.tower(pixel_values=features["pixel_values"]).last_hidden_state
            return {**features, "sentence_embedding": self.head(hidden.mean(dim=(2, 3)))}

        def get_embedding_dimension(self) -> int:
            return 384

        def save(self, *_: Any, **__: Any) -> None:
            """Nothing is kept."""

    texts: Any = make(DEFAULT_ANCHOR, "text", Runtime(device="cpu"))._model.requires_grad_(False)  # type: ignore[attr-defined]
    both = SentenceTransformer(
        modules=[Router.for_query_document(query_modules=[Photos()], document_modules=list(texts.children()))], device="cpu"
    )
    data = Dataset.from_dict({"photo": [path for path, _ in rows], "caption": [text for _, text in rows]})
    with tempfile.TemporaryDirectory() as work:
        settings = SentenceTransformerTrainingArguments(
            output_dir=work, num_train_epochs=1, per_device_train_batch_size=min(BATCH, len(rows)), learning_rate=1e-3,
            router_mapping={"photo": "query", "caption": "document"}, save_strategy="no", report_to="none", use_cpu=True,
            disable_tqdm=True, logging_strategy="no",
        )  # fmt: skip
        made = SentenceTransformerTrainer(
            model=both, args=settings, train_dataset=data, loss=MultipleNegativesRankingLoss(both)
        )
        start = time.perf_counter()
        made.train()
        return time.perf_counter() - start


def cached(train: PairedLatents, name: str) -> float:
    """Seconds of training our MLP with a loss of the library on cached tensors, without validation."""
    from sentence_transformers.sentence_transformer import losses

    loss = getattr(losses, name)(model=torch.nn.Identity())
    head, latents, anchors = mlp(train.pooled.shape[1]), torch.from_numpy(train.pooled), torch.from_numpy(train.anchors)
    optimiser = torch.optim.AdamW(head.parameters(), 1e-3)
    text = torch.from_numpy(train.first_text)
    start = time.perf_counter()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(latents)).split(BATCH):
            both = [head(latents[rows]), anchors[text[rows]]]
            if name == "BatchHardTripletLoss":
                value = loss.compute_loss_from_embeddings([torch.cat(both)], text[rows].repeat(2))
            else:
                value = loss.compute_loss_from_embeddings(both, torch.ones(len(rows)))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
    return time.perf_counter() - start


def mlp(wide: int) -> torch.nn.Module:
    """One hidden layer of 512."""
    return torch.nn.Sequential(torch.nn.Linear(wide, 512), torch.nn.GELU(), torch.nn.Dropout(0.3), torch.nn.Linear(512, 384))


if __name__ == "__main__":
    main()
