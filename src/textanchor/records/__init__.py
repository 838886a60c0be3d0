"""The records that travel between layers. They hold data and derive from it; they read no file and know no model."""

from textanchor.records.alignment import Choice, Fit, Naming, Setting, Task, Unpaired, Unseen
from textanchor.records.heads import Head, Named
from textanchor.records.hits import Hit, Hits
from textanchor.records.items import Clip, Item, Pair, Pairs, Series, Single, Skipped, Waveform, first_of
from textanchor.records.latents import Latents, PairedLatents, Pooled, Ragged, Vectors
from textanchor.records.views import Affine, Bent, Hubness, Map, View, alike

__all__ = [
    "Affine", "Bent", "Choice", "Clip", "Fit", "Head", "Hit", "Hits", "Hubness", "Item", "Latents", "Map", "Named",
    "Naming", "Pair", "PairedLatents", "Pairs", "Pooled", "Ragged", "Series", "Setting", "Single", "Skipped", "Task",
    "Unpaired", "Unseen", "Vectors", "View", "Waveform", "alike", "first_of",
]  # fmt: skip
