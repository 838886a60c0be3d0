"""Pretext tasks: what a network is asked so that its activations become a representation."""

from textanchor.pretraining.objectives.protocol import Facts, Learner, Pretext, Seen, pretext

__all__ = ["Facts", "Learner", "Pretext", "Seen", "pretext"]
