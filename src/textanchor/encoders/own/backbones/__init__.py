"""Networks from pictures, spectrograms and curves to what every layer makes of them."""

from textanchor.encoders.own.backbones.protocol import Backbone

__all__ = ["Backbone"]
