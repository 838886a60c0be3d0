"""Evaluation: honest figures of a space, always with their split, floor and chance."""

from textanchor.evaluation.evaluate import evaluate
from textanchor.evaluation.evaluation import Evaluation

__all__ = ["Evaluation", "evaluate"]
