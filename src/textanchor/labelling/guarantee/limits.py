"""What a promise rests on and what it leaves open, in plain words."""

from __future__ import annotations

from textanchor.labelling.guarantee.promise import Calibration, Promise

WRONG = (
    "Wrong means: not what the people who label say. Where they err themselves, the share of truly wrong labels may exceed the "
    "level by the share of items on which they err."
)
DRAWN = "The calibration labels were drawn at random from the same items as the rest, and none was left out by choice."
GROUPS = (
    "The groups with labels were drawn at random from all groups. Items of one group may be right or wrong together; the "
    "rest's groups are like the labelled ones."
)
APART = "The scores come from a model that saw none of the calibration labels, as the proof of the promise asks."
FOLDS = (
    "The scores of calibration labels come from models that learned from the other folds, those of the rest from a model that "
    "learned from all labels. The proof of the promise asks for one model that saw none of them; measured on data with all "
    "labels known, the difference did not show."
)
RATE = (
    "Bounded is the rate of wrong ones among groups such as these; the share among these groups themselves scatters around it."
)
MEAN = "The promise is about the mean over many draws: a single project may exceed the level, and about as many stay below it."
LOOKED = "The promise is about items that nobody looked at; those that were looked at are as right as the people who looked."
BATCHES = (
    "Levels are spent over batches: the promise is about all batches that were decided from these calibration labels together."
)


def limits(calibration: Calibration, promise: Promise) -> tuple[str, ...]:
    """Sentences, each true of this promise."""
    form = promise.form.partition("(")[0].strip()
    told = [WRONG]
    if form == "audit":
        return (*told, LOOKED)
    told.append(DRAWN if calibration.groups is None else GROUPS)
    told.append(APART if calibration.scored == "held apart" else FOLDS)
    if form == "average":
        told.append(MEAN)
    if form == "confidence" and calibration.groups is not None:
        told.append(RATE)
    if promise.batch.of != 1:
        told.append(BATCHES)
    return tuple(told)
