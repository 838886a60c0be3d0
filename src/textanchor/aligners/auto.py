"""The default: a few cheap aligners, and the best of them on validation."""

from __future__ import annotations

from dataclasses import replace

from textanchor.aligners.protocol import aligner
from textanchor.errors import InputError
from textanchor.records import Choice, Fit, PairedLatents, Task

CANDIDATES = ("ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)")
DIGITS = 3
LARGE, BATCH, STEPS = 6000, 256, 700  # of more items `bank` takes so many steps in all, which fewer items never need


class Auto:
    """Fits each candidate on the training pairs, and the one with the best validation score on all; the choice has all scores.

    Closed forms choose their view and their correction of hubness as well. The softmax over the bank of texts is tried where
    there are at least twice as many items as texts. Of equals to three digits the one is taken whose vectors are best when they
    are only centred, which is how modalities that were never paired are compared; of equals in that too the simplest.
    """

    ragged = False

    def fit(self, task: Task) -> Fit:
        """Raises `InputError` without validation pairs: nothing may be chosen on training pairs."""
        train, val = task.train, task.val
        if val is None or not len(val.items):
            raise InputError("choosing an aligner needs validation pairs; give some, or name one: --aligner ridge")
        names = CANDIDATES + _where_texts_repeat(train)
        fits = {name: aligner(name).fit(replace(task, refit=False)) for name in names}
        winner = max(names, key=lambda name: _rank(fits[name].choice))
        scores = {name: fit.choice.score for name, fit in fits.items() if fit.choice.score is not None}
        fit = aligner(winner).again(fits[winner], task) if task.refit else fits[winner]
        return replace(fit, choice=replace(fit.choice, scores=scores))


def _where_texts_repeat(train: PairedLatents) -> tuple[str, ...]:
    """What is tried besides; on captions gradient training never came near, see docs/findings.md."""
    if 2 * len(train.texts) > len(train.items):
        return ()
    epochs = max(10, round(STEPS * BATCH / len(train.items)))
    return ("bank",) if len(train.items) <= LARGE else (f"bank(epochs={epochs})",)


def _rank(choice: Choice) -> tuple[float, float]:
    score = choice.score or 0.0
    return round(score, DIGITS), score if choice.centred_score is None else choice.centred_score
