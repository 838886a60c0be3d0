"""A labelling project: one file with items, what people decided of them, and what the machine proposes."""

from textanchor.labelling.project.entries import Wanted
from textanchor.labelling.project.project import Project
from textanchor.labelling.project.records import (
    STATUSES,
    Ask,
    Audited,
    Choice,
    Class,
    Decision,
    Entry,
    Overview,
    Progress,
    Proposed,
    Run,
    Settings,
    State,
    Synced,
)
from textanchor.labelling.project.starting import Beginning

__all__ = [
    "STATUSES",
    "Ask",
    "Audited",
    "Beginning",
    "Choice",
    "Class",
    "Decision",
    "Entry",
    "Overview",
    "Progress",
    "Project",
    "Proposed",
    "Run",
    "Settings",
    "State",
    "Synced",
    "Wanted",
]
