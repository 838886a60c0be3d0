"""Canonical correlation analysis by name: regression under the view that turns and weights the texts' directions."""

from __future__ import annotations

from textanchor.aligners.kernel_ridge import KernelRidge
from textanchor.aligners.ridge import Ridge
from textanchor.settings import Count, Penalty, Power, Shrinkage, Width


def cca(*, alpha: Penalty | None = None, hubness: str = "auto", shrinkage: Shrinkage = 0.1, power: Power = 1.0) -> Ridge:
    """Regularised CCA: ridge regression under the `canonical` view, which has the sources.

    `alpha` penalises the items' side, `shrinkage` the texts'; `power` is that of the correlations by which
    text directions are weighed.
    """
    return Ridge(alpha=alpha, view=f"canonical(shrinkage={shrinkage}, power={power})", hubness=hubness)


def kernel_cca(
    *,
    width: Width | None = None,
    alpha: Penalty | None = None,
    hubness: str = "auto",
    shrinkage: Shrinkage = 0.1,
    power: Power = 2.0,
) -> KernelRidge:
    """CCA with a Gaussian kernel on the items' side. Source: Hardoon et al. 2004, doi:10.1162/0899766042321814."""
    return KernelRidge(width=width, alpha=alpha, view=f"canonical(shrinkage={shrinkage}, power={power})", hubness=hubness)


def csa(*, alpha: Penalty | None = None, dim: Count = 200, shrinkage: Shrinkage = 0.1, hubness: str = "none") -> Ridge:
    """Canonical similarity analysis: the `dim` strongest canonical directions, similarity weighted by their correlations.

    The paper normalises before it weights, here the weighted vectors are what is normalised: rankings of texts for an item are
    the same, rankings of items for a text may differ. Source: Li et al. 2024, arXiv:2410.07610, equation 6.
    """
    return Ridge(alpha=alpha, view=f"canonical(shrinkage={shrinkage}, power=0.0, dim={dim})", hubness=hubness)
