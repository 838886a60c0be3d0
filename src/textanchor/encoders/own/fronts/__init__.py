"""From a decoded item to numbers of one shape, which a network takes: pixels, spectrograms, curves."""

from textanchor.encoders.own.fronts.protocol import Front, front_of

__all__ = ["Front", "front_of"]
