"""Care for the labels: wrong ones, items that fit no class, new classes, several classes, agreement, and class texts."""

from textanchor.labelling.care.agreement import Agreement, Couple, Measured, agreement, repeated
from textanchor.labelling.care.discovering import NewClass, Vocabulary, discover
from textanchor.labelling.care.lint import Remark, lint_classes
from textanchor.labelling.care.several import ManyLabelled, Several, several
from textanchor.labelling.care.unknown import Unknowns, unknowns
from textanchor.labelling.care.wrong import Suspects, suspects

__all__ = [
    "Agreement", "Couple", "ManyLabelled", "Measured", "NewClass", "Remark", "Several", "Suspects", "Unknowns", "Vocabulary",
    "agreement", "discover", "lint_classes", "repeated", "several", "suspects", "unknowns",
]  # fmt: skip
