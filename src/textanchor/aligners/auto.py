"""The default: a few cheap aligners, and the best of them on validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textanchor import registry
from textanchor.aligners.closed_form import ClosedForm
from textanchor.aligners.judged import clearly_better
from textanchor.aligners.protocol import aligner
from textanchor.aligners.selection import MANY
from textanchor.aligners.unpaired.candidates import candidates
from textanchor.errors import InputError
from textanchor.latents.paired_latents import are_classes
from textanchor.records import Choice, Fit, PairedLatents, Task

CANDIDATES = ("ridge(view=auto, hubness=auto)", "kernel-ridge(view=auto, hubness=auto)")
DIGITS = 3
_KEPT = {True: ("width", "alpha"), False: ("width",)}  # of the closed form that names are put beside
LARGE, BATCH, STEPS = 6000, 256, 700  # of more items `bank` takes so many steps in all, which fewer items never need


class Auto:
    """Fits each candidate on the training pairs, and the one with the best validation score on all; the choice has all scores.

    Closed forms choose their view and their correction of hubness as well. The softmax over the bank of texts is tried where
    there are at least twice as many items as texts. Where the encoder's classifier knows names they are tried too, alone and
    beside the better closed form, and taken if they are better by more than a standard error; so are soft pairs where there are
    unpaired items and texts for them. Of equals to three digits the one
    is taken whose vectors are best when they are only centred, which is how modalities that were never paired are compared; of
    equals in that too the simplest.
    """

    ragged, by_names = False, True

    def fit(self, task: Task) -> Fit:
        """Raises `InputError` without validation pairs: nothing may be chosen on training pairs."""
        train, val = task.train, task.val
        if val is None or not len(val.items):
            raise InputError("choosing an aligner needs validation pairs; give some, or name one: --aligner ridge")
        names = CANDIDATES + _where_texts_repeat(train)
        fits = {name: aligner(name).fit(replace(task, refit=False)) for name in names}
        if task.named is not None:
            for name in _with_names(fits, many=len(train.items) > MANY):
                fits[name] = aligner(name).fit(replace(task, refit=False))
        winner = max(names, key=lambda name: _rank(fits[name].choice))
        knowing = max(fits, key=lambda name: _rank(fits[name].choice))
        if knowing != winner and clearly_better(fits[knowing], fits[winner], val):
            winner = knowing
        if candidates(task) is not None:
            soft = _with_unpaired(task, fits[winner].choice)
            fits |= {name: aligner(name).fit(replace(task, refit=False)) for name in soft}
            best = max(soft, key=lambda name: _rank(fits[name].choice))
            winner = best if clearly_better(fits[best], fits[winner], val) else winner
        scores = {name: fit.choice.score for name, fit in fits.items() if fit.choice.score is not None}
        fit = aligner(winner).again(fits[winner], task) if task.refit else fits[winner]
        return replace(fit, choice=replace(fit.choice, scores=scores))


def _with_names(fits: Mapping[str, Fit], *, many: bool) -> tuple[str, ...]:
    """Names beside the better closed form, whose penalty is chosen anew unless items are many; of few, names alone too."""
    best = max(CANDIDATES, key=lambda name: _rank(fits[name].choice))
    settings = {key: fits[best].choice.settings[key] for key in _KEPT[many] if key in fits[best].choice.settings}
    base = registry.spelled(registry.take_apart(best)[0], settings)
    beside = registry.spelled("with-names", {"base": base})
    return (beside,) if many else ("names", beside)


def _with_unpaired(task: Task, winner: Choice) -> tuple[str, ...]:
    """Soft pairs from bases of their own, and from what won on the pairs where that is a closed form."""
    closed = isinstance(registry.part("aligner", winner.fixed), ClosedForm)
    return ("soft-pairs", registry.spelled("soft-pairs", {"base": winner.fixed})) if closed else ("soft-pairs",)


def _where_texts_repeat(train: PairedLatents) -> tuple[str, ...]:
    """What is tried besides; on captions gradient training never came near, see docs/findings.md."""
    if not are_classes(train):
        return ()
    epochs = max(10, round(STEPS * BATCH / len(train.items)))
    return ("bank",) if len(train.items) <= LARGE else (f"bank(epochs={epochs})",)


def _rank(choice: Choice) -> tuple[float, float]:
    score = choice.score or 0.0
    return round(score, DIGITS), score if choice.centred_score is None else choice.centred_score
