"""What came of a promise, in a sentence for whoever asked."""

from __future__ import annotations

from textanchor.labelling.guarantee.promise import Calibration, Promise


def reason(through: int, rest: int, promise: Promise, *, audited: bool) -> str:
    """Of a list that is let through, or nothing to let through."""
    if not rest:
        return "nothing is left to label"
    if audited:
        return (
            f"{through} of {rest} are on trial: nothing is promised until a person has looked at some of them, "
            "shown in random order"
        )
    return f"{through} of {rest} may be labelled without a look: {promised(promise)}"


def promised(promise: Promise) -> str:
    """The promise itself."""
    share = f"at most {promise.level:.3g} of them wrong"
    batches = "" if promise.batch.of == 1 else f", over all batches together (this is number {promise.batch.number})"
    if promise.form.startswith("average"):
        return f"{share}, on average over many such projects{batches}"
    return f"{share}, except with a probability of {promise.delta:.3g}{batches}"


def refusal(calibration: Calibration, resolution: float, more: int | None, *, left: int) -> str:
    """Why nothing is let through, and what would help, as far as so many items that are `left` can be labelled."""
    by_group = calibration.groups is not None
    single = calibration.units == 1
    have = f"{calibration.units} {('group' if by_group else 'label') + 's' * (not single)}"
    have += " with labels" if by_group else " drawn at random"
    if more is None:
        ahead = f"no number of further {'groups' if by_group else 'labels'} in sight would do"
    elif not by_group and more >= left:
        ahead = f"{more} more labels would do (an estimate), and {left} items are left"
    else:
        what = f"label items of {more} more groups" if by_group else f"label {more} more random items"
        ahead = f"{what} (an estimate)"
    if resolution > 1:
        few = "is too few, whatever it says" if single else "are too few, whatever they say"
        return f"no promise can be made: {have} {few}; {ahead}"
    least = f"{have} can vouch for no less than {resolution:.0%} of the rest at once"
    return f"no promise can be made: {least}, and among so many the proposals are wrong too often; {ahead}"
