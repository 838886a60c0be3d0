"""A student that keeps some of its teacher's layers and is trained to its teacher's vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional

from textanchor.aligners.loop import seeded
from textanchor.distilling.anchors.mapping import solved, with_map
from textanchor.distilling.anchors.protocol import Teacher, agreement
from textanchor.distilling.anchors.texts import Taught
from textanchor.distilling.anchors.vocabulary import smaller
from textanchor.encoders._hf import quiet
from textanchor.encoders.bert import HEAD
from textanchor.errors import InputError
from textanchor.files import digest, read_json, write_bytes, write_json
from textanchor.pretraining.augmenting import augmentation_of
from textanchor.pretraining.checkpoints import Checkpoint
from textanchor.pretraining.loop import Course, Material, train
from textanchor.pretraining.objectives import Seen
from textanchor.pretraining.plan import Plan
from textanchor.settings import Count, Positive, Whole

SOLVED = 10_000  # texts that the map behind the pool is solved on
PENALTY = 1e-2


class Layers:
    """`keep` layers, the first, the last and such that lie evenly between; a linear map from their pool to the teacher's
    vectors, by ridge regression; then all of it trained by one minus the cosine to those vectors, `epochs` times.

    `vocabulary` pieces are kept, those of the texts first; 0 keeps all. With `half` numbers are stored in 16 bits, which halves
    the files; they are computed with in 32.
    Sources: Sanh et al. 2019, arXiv:1910.01108, section 3 (every second layer as a start); Reimers and Gurevych 2020,
    arXiv:2004.09813, equation 1 (the teacher's sentence vectors as targets).
    """

    kind = "layers"

    def __init__(
        self, *, keep: Count = 3, vocabulary: Whole = 0, epochs: Whole = 3, rate: Positive = 2e-4, batch: Count = 64,
        half: bool = True, seed: int = 0,
    ) -> None:  # fmt: skip
        self.keep, self.vocabulary, self.half, self.seed = keep, vocabulary, half, seed
        self.epochs, self.rate, self.batch = epochs, rate, batch

    def make(self, teacher: Teacher, teach: Taught, held: Taught, folder: Path, *, standing: Path) -> tuple[str, ...]:
        """Raises `InputError` for a teacher with fewer layers, or whose vectors come by other modules than a pool."""
        device = teacher.runtime.device if teacher.runtime.device != "auto" else "cpu"
        with quiet(), seeded(self.seed, device):
            model = _loaded(teacher.folder, device)
            kept = cut(_network(model), self.keep)
            pieces = _fewer_pieces(model, teach.texts.texts, self.vocabulary) if self.vocabulary else None
            student = _with_map(model, teacher.prompt, teach, device)
            before = agreement(_encoded(student, teacher.prompt, held.texts.texts), held.vectors)
            rows = self._trained(student, teacher, teach, held, standing) if self.epochs else []
            _saved(student, folder, half=self.half)
        after = rows[-1]["score"] if rows else before
        size = f", {pieces} pieces" if pieces else ""
        return (
            f"layers {', '.join(str(one + 1) for one in kept)} of the teacher's{size}",
            f"cosine to the teacher on texts held back: {before:.3f} before training, {after:.3f} after {len(rows)} epochs",
        )

    def _trained(self, student: Any, teacher: Teacher, teach: Taught, held: Taught, standing: Path) -> list[Any]:
        plan = Plan(epochs=self.epochs, batch=self.batch, rate=self.rate, decay=0.01, warmup=0.1)
        key = digest(repr(plan), str(vars(self)), teacher.encoder.fingerprint, *teach.texts.texts)
        course = Course(
            device=str(student.device),
            seed=self.seed,
            watch=lambda epoch: {"score": agreement(_encoded(student, teacher.prompt, held.texts.texts), held.vectors)},
            progress=teacher.runtime.progress,
            checkpoint=Checkpoint(standing, key),
            what="distil",
        )
        material = Material(
            values=np.arange(len(teach))[:, None, None, None],
            labels=np.full(len(teach), -1),
            augmentation=augmentation_of("nothing"),
            views=1,
        )
        rows = train(Imitating(student, teacher.prompt, teach), material, plan, course)
        standing.unlink(missing_ok=True)
        return list(rows)


class Imitating(nn.Module):
    """One minus the cosine to the teacher's vectors; batches hold the numbers of texts."""

    def __init__(self, student: Any, prompt: str, taught: Taught) -> None:
        super().__init__()
        for one in student.modules():
            if isinstance(one, nn.Dropout):
                one.p = 0.0  # targets are exact, and a student is too small to learn them by heart
        self.student, self._texts = student, [prompt + text for text in taught.texts.texts]
        self._wanted = torch.from_numpy(np.ascontiguousarray(taught.vectors))

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """0 to 2."""
        rows = seen.views[0].reshape(-1).long().cpu()
        features = self.student.preprocess([self._texts[row] for row in rows.tolist()])
        features = {
            name: value.to(self.student.device) if isinstance(value, Tensor) else value for name, value in features.items()
        }
        found = self.student(features)["sentence_embedding"]
        return 1 - functional.cosine_similarity(found, self._wanted[rows].to(found.device)).mean()


def cut(network: nn.Module, keep: int) -> list[int]:
    """Leave `keep` of the network's layers, in place; which, by number. Raises `InputError`."""
    total = int(network.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]
    if keep >= total:
        raise InputError(f"keep={keep}: the teacher has {total} layers; expected 1 to {total - 1}")
    stacks = [(name, one) for name, one in network.named_modules() if isinstance(one, nn.ModuleList) and len(one) == total]
    if not stacks:
        raise InputError(
            f"the teacher, a {type(network).__name__}, has no list of its {total} layers, so that none can be left out"
        )
    name, stack = stacks[0]
    kept = chosen(total, keep)
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, nn.ModuleList([stack[one] for one in kept]))
    network.config.num_hidden_layers = keep  # type: ignore[union-attr]
    return kept


def chosen(total: int, keep: int) -> list[int]:
    """The last, the first if there are two, and such between them, as evenly as can be."""
    if keep == 1:
        return [total - 1]
    return [int(place * (total - 1) / (keep - 1) + 0.5) for place in range(keep)]


def _loaded(folder: Path, device: str) -> Any:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device=device)
    kinds = [type(one).__name__ for one in model]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise InputError(
            f"the teacher's modules are {', '.join(kinds)}; expected a transformer and a pool (a static student will do)"
        )
    return model


def _network(model: Any) -> nn.Module:
    found: nn.Module = model[0].auto_model
    return found


def _fewer_pieces(model: Any, texts: Sequence[str], count: int) -> int:
    network, tokenizer = model[0].auto_model, model.tokenizer
    tokens, former = smaller(tokenizer.backend_tokenizer, texts, count)
    words = network.get_input_embeddings().weight.data[former].clone()
    pad = tokens.token_to_id(tokenizer.pad_token)
    network.set_input_embeddings(nn.Embedding(len(former), words.shape[1], padding_idx=pad, _weight=words))
    network.config.vocab_size, network.config.pad_token_id = len(former), pad
    tokenizer._tokenizer = tokens
    return len(former)


def _with_map(model: Any, prompt: str, teach: Taught, device: str) -> Any:
    """Transformer, pool, a linear map without a constant, vectors of length 1."""
    from sentence_transformers import SentenceTransformer

    some = teach.take(np.random.default_rng(0).permutation(len(teach))[:SOLVED])
    pooled = _encoded(SentenceTransformer(modules=[model[0], model[1]], device=device), prompt, some.texts.texts)
    matrix = solved(pooled, some.vectors, penalty=PENALTY).T
    return with_map([model[0], model[1]], matrix, prompt=prompt, device=device)


def _encoded(model: Any, prompt: str, texts: Sequence[str]) -> np.ndarray:
    found = model.encode([*texts], prompt=prompt, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(found, dtype=np.float32)


def _saved(student: Any, folder: Path, *, half: bool) -> None:
    student.eval().save(str(folder), create_model_card=False)
    assert (folder / HEAD).is_dir()
    if not half:
        return
    for file in folder.rglob("*.safetensors"):
        numbers = load_file(file)
        less = {name: one.half() if one.is_floating_point() else one for name, one in numbers.items()}
        write_bytes(file, save(less, {"format": "pt"}))
    settings = read_json(folder / "config.json")
    write_json(folder / "config.json", {**settings, "dtype": "float32"})
