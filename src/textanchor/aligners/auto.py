"""The default: a few cheap aligners, and the best of them on validation."""

from __future__ import annotations

from textanchor.aligners import aligner
from textanchor.errors import InputError
from textanchor.records import Fit, PairedLatents, Unpaired

CANDIDATES = ("ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)")
DIGITS = 3
REPEATED = ("bank",)  # tried where texts repeat; on captions gradient training never came near, see docs/findings.md


class Auto:
    """Fits each candidate and keeps the one with the best validation score; the report says all scores.

    Closed forms choose their view and their correction of hubness as well. The softmax over the bank of texts is tried where
    there are at least twice as many items as texts. Of equals to three digits the one is taken whose vectors are best when they
    are only centred, which is how modalities that were never paired are compared; of equals in that too the simplest.
    """

    ragged = False

    def fit(self, train: PairedLatents, val: PairedLatents | None, unpaired: Unpaired, *, seed: int, refit: bool = True) -> Fit:
        """Raises `InputError` without validation pairs: nothing may be chosen on training pairs."""
        if val is None or not len(val.items):
            raise InputError("choosing an aligner needs validation pairs; give some, or name one: --aligner ridge")
        names = CANDIDATES + (REPEATED if 2 * len(train.texts) <= len(train.items) else ())
        fits = {name: aligner(name).fit(train, val, unpaired, seed=seed, refit=refit) for name in names}
        rates = {name: float(fit.report["score"]) for name, fit in fits.items()}  # taken before any refit on validation
        plain = {name: float(fit.report.get("centred score", rates[name])) for name, fit in fits.items()}
        name = max(names, key=lambda name: (round(rates[name], DIGITS), plain[name]))
        chosen = fits[name]
        return Fit(projector=chosen.projector, view=chosen.view, report={"aligner": name, **chosen.report, "scores": rates})
