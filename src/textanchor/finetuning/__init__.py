"""Encoders that are there already, trained on through a projector into the anchor's space, and whether it was worth it."""

from textanchor.finetuning.making import Finetuned, finetune
from textanchor.finetuning.recipe import Recipe

__all__ = ["Finetuned", "Recipe", "finetune"]
