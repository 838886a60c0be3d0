"""Principal components of the input itself: the plain representation that others must beat."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from textanchor.settings import Count


class PCA(nn.Module):
    """Coordinates on the `dim` first principal components. Source: Pearson 1901, doi:10.1080/14786440109462720."""

    name = "pca"
    mean: Tensor
    components: Tensor

    def __init__(self, *, shape: tuple[int, int, int], dim: Count = 64) -> None:
        super().__init__()
        self.settings = {"dim": dim}
        self.register_buffer("mean", torch.zeros(int(np.prod(shape))))
        self.register_buffer("components", torch.zeros(int(np.prod(shape)), dim))
        self.widths = (dim,)

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """*Shape:* one layer of one place, [b, 1, dim]."""
        return [((inputs.flatten(1) - self.mean) @ self.components)[:, None]]

    def fitted(self, inputs: np.ndarray, *, seed: int = 0) -> PCA:
        """Its components from inputs [n, c, h, w], themselves; at most as many as there are inputs and numbers."""
        from sklearn.decomposition import PCA as Fitted

        flat = np.asarray(inputs, dtype=np.float32).reshape(len(inputs), -1)
        found = Fitted(min(self.widths[0], *flat.shape), random_state=seed).fit(flat)
        self.mean.copy_(torch.from_numpy(found.mean_))
        self.components[:, : len(found.components_)] = torch.from_numpy(found.components_.T.copy())
        return self
