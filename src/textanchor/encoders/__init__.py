"""Encoders: frozen models of one modality, named by one line such as `hub:facebook/dinov2-small@layer=-3,pool=mean`."""

from textanchor.encoders.making import make, make_single, pick_device
from textanchor.encoders.naming import canonical, parse
from textanchor.encoders.protocol import Encoder, Output, Staged, alike, batch_size, encode_staged, head_of, outputs, staged

__all__ = [
    "Encoder",
    "Output",
    "Staged",
    "alike",
    "batch_size",
    "canonical",
    "encode_staged",
    "head_of",
    "make",
    "make_single",
    "outputs",
    "parse",
    "pick_device",
    "staged",
]
