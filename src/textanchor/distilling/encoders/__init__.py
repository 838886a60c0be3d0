"""Big encoders of items into small ones of one's own, on items that nobody needs to describe."""

from textanchor.distilling.encoders.making import Lesson, distill_encoder

__all__ = ["Lesson", "distill_encoder"]
