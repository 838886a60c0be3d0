"""From a pool, what people said of it and a proposer to what may be labelled without a look."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from textanchor.labelling.guarantee.deciding import decide
from textanchor.labelling.guarantee.decision import Decision
from textanchor.labelling.guarantee.examining import Asked, Examined, examined, so_few
from textanchor.labelling.guarantee.promise import Promise, Scored
from textanchor.labelling.guarantee.protocol import form_of
from textanchor.labelling.pool import Labelled, Pool, Rows
from textanchor.labelling.proposers.protocol import Proposer


@dataclass(frozen=True, kw_only=True)
class LetThrough:
    """A decision and what it was made of. `unheard` are rows of groups of which no label was drawn, where labels from other
    groups can promise nothing; they are not among `examined.rows`."""

    decision: Decision
    examined: Examined
    unheard: Rows


def let_through(
    pool: Pool, labelled: Labelled, promise: Promise, *, proposer: Proposer | None = None, scored: Scored | None = None
) -> LetThrough:
    """Which of the items without a label may be labelled without a look. `labelled` may hold classes of -1 (`Asked`).

    Where items share groups, and some of the rest are of groups of which no label was drawn, the labels stand for groups and
    not for items: what is right of one speaker says little of the next. Where that takes more groups than there are, the
    promise is made of items of the known groups alone, and the others are `unheard`. `scored`: the form's usual if None;
    `proposer`: the best of the usual ones by labels that teach if None.
    """
    form = form_of(promise)
    if form.audited and not labelled.drawn.any():  # they only say what is worth a trial
        labelled = replace(labelled, drawn=np.ones(len(labelled), dtype=bool))
    asked = Asked(pool=pool, labelled=labelled, proposer=proposer, scored=scored or form.usual)
    rest = asked.rest
    heard = np.isin(pool.groups[rest], pool.groups[labelled.rows[labelled.drawn]])
    if not pool.grouped or heard.all() or form.audited:
        return _decided(asked, promise, rest[:0])
    by_group = replace(asked, by_group=True)
    if not heard.any() or form.resolution(*so_few(by_group, promise), promise) <= 1:
        return _decided(by_group, promise, rest[:0])
    return _decided(replace(asked, rows=rest[heard]), promise, rest[~heard])


def _decided(asked: Asked, promise: Promise, unheard: Rows) -> LetThrough:
    found = examined(asked, promise)
    return LetThrough(decision=decide(found.calibration, found.rest, promise), examined=found, unheard=unheard)
