"""Proposers: which class each item of a pool has, as probabilities, from few labels."""

from textanchor.labelling.proposers.protocol import Proposer

__all__ = ["Proposer"]
