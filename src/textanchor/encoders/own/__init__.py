"""Encoders that were made here: a front, a backbone cut at a layer, and a folder that holds both."""

from textanchor.encoders.own.encoder import OwnEncoder, make
from textanchor.encoders.own.folder import Description, read_folder, write_folder
from textanchor.encoders.own.fronts import Front, front_of
from textanchor.encoders.own.network import OwnNetwork, pooled

__all__ = ["Description", "Front", "OwnEncoder", "OwnNetwork", "front_of", "make", "pooled", "read_folder", "write_folder"]
