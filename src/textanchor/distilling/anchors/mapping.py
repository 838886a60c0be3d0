"""A linear map behind a text model: how it is solved, and how it stands in a model of `sentence-transformers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from textanchor.records import Vectors


def solved(given: Vectors, wanted: Vectors, *, penalty: float) -> Float[np.ndarray, "d k"]:
    """Ridge regression without a constant, so that directions stay; the penalty is in units of the inputs' mean square.

    Source: Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634.
    """
    gram = given.T.astype(np.float64) @ given
    gram[np.diag_indices_from(gram)] += max(penalty * np.trace(gram) / len(gram), 1e-12)
    return np.linalg.solve(gram, given.T @ wanted)


def with_map(modules: Sequence[Any], matrix: Float[np.ndarray, "k d"], *, prompt: str, device: str) -> Any:
    """The modules, the map, vectors of length 1; the prompt is the model's own."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    weight = torch.from_numpy(np.ascontiguousarray(matrix, dtype=np.float32))
    dense = Dense(weight.shape[1], weight.shape[0], bias=False, activation_function=torch.nn.Identity(), init_weight=weight)
    prompts: dict[str, Any] = {"prompts": {"anchor": prompt}, "default_prompt_name": "anchor"} if prompt else {}
    return SentenceTransformer(modules=[*modules, dense, Normalize()], device=device, **prompts)
