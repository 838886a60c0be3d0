"""What a person would do next in a labelling project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textanchor.labelling.project import Progress, Project, Run

WORTH_A_RUN = 20  # labels since the last run


def next_step(project: Project, told: Progress) -> str:
    """The command that a person would call now."""
    file, run = project.file, project.run
    if not project.classes:
        return f"name classes: textanchor label class {file} KEY=TEXT ..."
    if told.acceptable and told.otherwise:
        again = "propose {}" if told.labelled else "next {} --stream drawn --count 20"
        return f"textanchor label {again.format(file)} (labels that the last run stood on are not the same any more)"
    if told.acceptable and run is not None:
        return after_proposing(project, run)
    if not told.open:
        return f"textanchor label export {file} labels.csv"
    if told.labelled - (0 if run is None else run.labelled) >= WORTH_A_RUN:
        return f"textanchor label propose {file}"
    stream = "" if run is None or told.counting else " --stream drawn"
    return f"textanchor label next {file}{stream}, then textanchor label decide {file} ITEM=CLASS ..."


def after_proposing(project: Project, run: Run) -> str:
    """What follows on a run: to accept what it lets through, to look at what is on trial, or to label what would help."""
    file = project.file
    if not run.through:
        return f"label items that are drawn at random: textanchor label next {file} --stream drawn --count 20"
    if run.trial and project.audit().verdict != "met":
        return f"textanchor label next {file} --stream audit --count 20, decide, then textanchor label audit {file}"
    return f"textanchor label accept {file}"
