"""Encoders of one's own from raw items: pretext tasks, augmentations, the training loop, and the verdict."""

from textanchor.pretraining.making import Pretrained, pretrain
from textanchor.pretraining.plan import Plan
from textanchor.pretraining.pretraining import Recipe

__all__ = ["Plan", "Pretrained", "Recipe", "pretrain"]
