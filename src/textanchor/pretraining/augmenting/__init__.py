"""Random changes that leave an item what it is, by modality."""

from textanchor.pretraining.augmenting.protocol import Augmentation, augmentation_of

__all__ = ["Augmentation", "augmentation_of"]
