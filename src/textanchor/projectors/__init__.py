"""Projectors: small maps from latents into the anchor's space, as plain `nn.Module`s that can be saved and rebuilt.

A projector has `settings`, the keyword arguments that build it anew; its numbers are its `state_dict`.
"""

from textanchor.projectors.applying import build, project, tensors
from textanchor.projectors.kept import Kept
from textanchor.projectors.protocol import Projector

__all__ = ["Kept", "Projector", "build", "project", "tensors"]
