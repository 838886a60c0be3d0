"""A space as a model that MTEB evaluates: texts, and images and sounds where its tasks have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from textanchor.config import installed
from textanchor.errors import InputError, MissingError
from textanchor.records import Vectors
from textanchor.space import TEXT, Space
from textanchor.space.storage import fingerprint
from textanchor.views import unit

if TYPE_CHECKING:
    from mteb.models import ModelMeta

KINDS = (TEXT, "image", "audio")  # keys of a batch that mean items


class MtebModel:
    """What MTEB asks of an encoder (its `EncoderProtocol`): `encode`, `similarity`, `similarity_pairwise` and its facts.

    Vectors have length 1. In a task of texts and one other modality of the space all are as they are compared with that
    modality; in any other task they are raw, or as compared with `compared_with` where that is named. MTEB's instructions are
    not used: an anchor has one prompt.
    """

    def __init__(self, space: Space, meta: ModelMeta, *, compared_with: str | None = None) -> None:
        self.space, self.compared_with, self._meta = space, compared_with, meta

    @property
    def mteb_model_meta(self) -> ModelMeta:
        """Name, dimension and modalities as MTEB's results keep them."""
        return self._meta

    def encode(self, inputs: Iterable[Mapping[str, Any]], *, task_metadata: Any, **_: Any) -> Vectors:
        """Unit vectors of batches, each a dict of columns. *Shape:* [n, d].

        An item of several columns, such as a picture with words, is the direction of the sum of their unit vectors. Raises
        `InputError` for a modality that the space does not have.
        """
        view = self.compared_with or self._of_the_task(getattr(task_metadata, "modalities", ()))
        rows = [self._batch(batch, view) for batch in inputs]
        return np.concatenate(rows) if rows else np.empty((0, self.space.dim), dtype=np.float32)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Float32[np.ndarray, "n m"]:
        """Cosines. *Shape:* [n, d], [m, d] -> [n, m]."""
        left, right = (unit(np.atleast_2d(np.asarray(one, dtype=np.float32))) for one in (embeddings1, embeddings2))
        return np.asarray(left @ right.T, dtype=np.float32)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Float32[np.ndarray, " n"]:
        """Cosines row by row. *Shape:* [n, d], [n, d] -> [n]."""
        left, right = (unit(np.atleast_2d(np.asarray(one, dtype=np.float32))) for one in (embeddings1, embeddings2))
        return np.asarray((left * right).sum(axis=1), dtype=np.float32)

    def _of_the_task(self, modalities: Sequence[str]) -> str | None:
        others = [name for name in modalities if name != TEXT]
        return others[0] if len(others) == 1 and others[0] in self.space.kinds else None

    def _batch(self, batch: Mapping[str, Any], view: str | None) -> Vectors:
        kinds = [kind for kind in KINDS if kind in batch]
        if not kinds:
            raise InputError(f"a batch of {', '.join(map(str, batch))}: expected {', '.join(KINDS)}")
        parts = [unit(self._embedded(batch[kind], kind, view)) for kind in kinds]
        return parts[0] if len(parts) == 1 else unit(np.asarray(np.sum(parts, axis=0), dtype=np.float32))

    def _embedded(self, values: Sequence[Any], kind: str, view: str | None) -> Vectors:
        """Vectors of one column; an empty text has none, so its row is zero."""
        if kind != TEXT:
            return self.space.embed(list(values), modality=kind, compared_with=view)
        said = [row for row, text in enumerate(values) if str(text).strip()]
        known = self.space.embed([str(values[row]) for row in said], modality=TEXT, compared_with=view)
        vectors = np.zeros((len(values), known.shape[1]), dtype=np.float32)
        vectors[said] = known
        return vectors


def mteb_model(space: Space, *, name: str = "textanchor/space", compared_with: str | None = None) -> MtebModel:
    """A model for `mteb.evaluate(model, tasks)`. Raises `MissingError` without MTEB, `InputError` for an unknown modality."""
    if compared_with is not None and compared_with not in space.kinds:
        raise InputError(f"no modality '{compared_with}' to compare with: the space has {', '.join(space.kinds) or 'none'}")
    if installed("mteb") is None:
        raise MissingError("mteb is not installed; get it with: pip install 'textanchor[mteb]'")
    return MtebModel(space, _meta(space, name), compared_with=compared_with)


def _meta(space: Space, name: str) -> ModelMeta:
    from mteb.models import ModelMeta

    unknown = dict.fromkeys(
        (
            "loader", "release_date", "languages", "n_parameters", "memory_usage_mb", "license", "public_training_code",
            "public_training_data", "training_datasets",
        )
    )  # fmt: skip
    return ModelMeta(
        **unknown,
        name=name,
        revision=fingerprint(space)[:40],
        max_tokens=getattr(space.encoder(TEXT), "longest", None),
        embed_dim=space.dim,
        open_weights=True,
        framework=["PyTorch"],
        similarity_fn_name="cosine",
        use_instructions=False,
        modalities=[TEXT, *(kind for kind in KINDS[1:] if kind in space.kinds)],
    )
