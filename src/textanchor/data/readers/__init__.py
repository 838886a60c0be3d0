"""Readers: one file format family each, from bytes to a decoded value. A reader knows no encoder."""

from textanchor.data.readers.protocol import AbsentPart, PartReader, Reader, guess_modality, part_reader, reader

__all__ = ["AbsentPart", "PartReader", "Reader", "guess_modality", "part_reader", "reader"]
