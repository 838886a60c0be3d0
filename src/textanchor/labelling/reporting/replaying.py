"""What labelling a project's items would have cost: its labels are given once more, by several strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from textanchor.errors import InputError
from textanchor.files import located, new_file
from textanchor.labelling.curves import Simulation
from textanchor.labelling.project import Project
from textanchor.labelling.simulating import Replay, simulate
from textanchor.pages import rendered
from textanchor.progress import Progress

FEWEST = 50  # labelled items
FINE = 1 / 3  # groups an item, below which groups are too coarse to be left out as a whole


def replayed(
    project: Project,
    strategies: Sequence[str] = (),
    proposers: Sequence[str] = (),
    *,
    seeds: int = 5,
    drawn: float = 0.0,
    progress: Progress | None = None,
) -> Simulation:
    """Cost curves on the items that people labelled, as if none were; groups are left out as a whole where they are many.

    Raises `InputError` for fewer than 50, and for a project of several classes an item.
    """
    if project.settings.multi:
        raise InputError(f"items of {project.file.name} have several classes each, and a replay knows one an item")
    labelled = project.labelled()
    if len(labelled) < FEWEST:
        raise InputError(
            f"{project.file.name} has {len(labelled)} items with labels by people, and a replay needs {FEWEST}; "
            "begin a project of a labelled set: textanchor label start --labels COLUMN"
        )
    pool = project.pool().taken(labelled.rows)
    if len(np.unique(pool.groups)) < FINE * len(pool):  # a few labels would hold them all, and nothing be left to judge
        pool = replace(pool, groups=np.arange(len(pool)))
    names = tuple(strategies) or (project.settings.strategy,)
    replay = Replay(seeds=seeds, drawn=drawn, proposers=tuple(proposers))
    return simulate(pool, labelled.classes, names, replay=replay, progress=progress)


def write_simulation(found: Simulation, file: str | Path, *, overwrite: bool = False) -> Path:
    """The curves and their table as a page. Raises `InputError` if it exists, unless `overwrite`."""
    place = located(file)
    html = rendered(
        "textanchor.labelling.reporting", "simulation.html.jinja", found=found, plot=Markup(found.picture()), rows=found.rows()
    )
    with new_file(place, overwrite=overwrite) as temporary:
        temporary.write_bytes(html)
    return place
