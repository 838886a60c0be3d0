"""Many items at once: those of which one class is proposed, and those that lie together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from textanchor.labelling.care import suspects
from textanchor.labelling.clusters import Cluster, clusters
from textanchor.labelling.project import STATUSES, Entry, Overview, Wanted
from textanchor.studio.sources import Labelling

SHOWN = 6  # centre items of a cluster, and as many of its edge
UNDECIDED = (STATUSES.index("open"), STATUSES.index("machine"))


@dataclass(frozen=True, kw_only=True)
class Together:
    """Items to be labelled at once: all of them as `ids`, and those that a person looks at.

    `number` of `count` clusters; `suggested` is the class that most of them are proposed as.
    """

    number: int
    count: int
    ids: tuple[str, ...]
    numbers: tuple[int, ...]
    centre: tuple[str, ...]
    edge: tuple[str, ...]
    suggested: str


class Clustered:
    """A project's undecided items in clusters. They are made once, and made anew on request; what was decided since is left
    out."""

    def __init__(self, source: Labelling) -> None:
        self._source, self._turn = source, Lock()
        self._held: tuple[Cluster, ...] | None = None
        self._size = 0

    def cluster(self, number: int, *, anew: bool = False) -> Together | None:
        """The cluster of that number, counted around; None where nothing is left."""
        project = self._source.project
        with self._turn:
            seen = project.overview()
            undecided = np.isin(seen.statuses, UNDECIDED)
            if anew or self._held is None or self._size != len(seen.ids):
                self._held, self._size = clusters(project.pool(), np.flatnonzero(undecided)), len(seen.ids)
            left = [rows for one in self._held if len(rows := one.rows[undecided[one.rows]])]
        if not left:
            return None
        number %= len(left)
        return self._together(seen, Cluster(rows=left[number], density=1.0), number, len(left))

    def _together(self, seen: Overview, cluster: Cluster, number: int, count: int) -> Together:
        names = [one.key for one in self._source.project.classes]
        proposed = Counter(names[place] for place in seen.proposal[cluster.rows] if place >= 0)

        def ids(rows: np.ndarray) -> tuple[str, ...]:
            return tuple(seen.ids[row] for row in rows)

        return Together(
            number=number,
            count=count,
            ids=ids(cluster.rows),
            numbers=tuple(int(one) for one in seen.numbers[cluster.rows]),
            centre=ids(cluster.centre(SHOWN)),
            edge=ids(cluster.edge(SHOWN)),
            suggested=proposed.most_common(1)[0][0] if proposed else "",
        )


def suspected(source: Labelling, count: int) -> list[Entry]:
    """Labelled items whose label a proposer that has not seen it believes least; none before the machine has proposed."""
    project = source.project
    probabilities, labelled = project.probabilities(), project.labelled()
    if probabilities is None or not len(labelled):
        return []
    rows = suspects(probabilities[labelled.rows], labelled).rows[:count]  # which are out of fold, of labelled ones
    ids = project.overview().ids
    wanted = [ids[row] for row in rows]
    found = {one.id: one for one in project.entries(ids=wanted)}
    return [found[name] for name in wanted if name in found]


def proposed_as(source: Labelling, key: str, *, surest: bool, count: int) -> Sequence[Entry]:
    """Undecided items that are proposed as a class, the surest or the least sure first; any class where none is named."""
    wanted = Wanted(status="open", proposed=key or None, order="surest" if surest else "least-sure", limit=count)
    return source.project.entries(wanted)
