"""The records that travel between layers. They hold data and derive from it; they read no file and know no model."""

from textanchor.records.items import Clip, Item, Pair, Pairs, Series, Skipped, Waveform, first_of
from textanchor.records.latents import Latents, PairedLatents, Pooled, Ragged, Unpaired, Vectors
from textanchor.records.views import Affine, Fit, Hubness, View

__all__ = [
    "Affine", "Clip", "Fit", "Hubness", "Item", "Latents", "Pair", "PairedLatents", "Pairs", "Pooled", "Ragged", "Series",
    "Skipped", "Unpaired", "Vectors", "View", "Waveform", "first_of",
]  # fmt: skip
