"""The default: a few cheap aligners, and the best of them on validation."""

from __future__ import annotations

from textanchor.aligners import aligner
from textanchor.aligners.selection import best
from textanchor.errors import InputError
from textanchor.records import Fit, PairedLatents, Unpaired

CANDIDATES = ("ridge", "kernel-ridge", "bank")


class Auto:
    """Fits each candidate and keeps the one with the best validation score; the report says all scores."""

    ragged = False

    def __init__(self, *, candidates: tuple[str, ...] = CANDIDATES) -> None:
        self.candidates = candidates

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int) -> Fit:
        """Raises `InputError` without validation pairs: nothing may be chosen on training pairs."""
        if val is None or not len(val.items):
            raise InputError("choosing an aligner needs validation pairs; give some, or name one: --aligner ridge")
        fits = {name: aligner(name).fit(train, val, unpaired, seed=seed) for name in self.candidates}
        rates = {name: float(fit.report["score"]) for name, fit in fits.items()}  # taken before any refit on validation
        name, _ = best(self.candidates, lambda name: rates[name])
        chosen = fits[name]
        return Fit(projector=chosen.projector, view=chosen.view, report={"aligner": name, **chosen.report, "scores": rates})
