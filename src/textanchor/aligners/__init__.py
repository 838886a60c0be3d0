"""Aligners: ways of fitting a projector from pairs of latents and anchor vectors. None of them splits for itself."""

from textanchor.aligners.protocol import Aligner, Asked, Repeatable, aligner

__all__ = ["Aligner", "Asked", "Repeatable", "aligner"]
