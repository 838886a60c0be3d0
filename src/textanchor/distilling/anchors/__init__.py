"""Students of text anchors: layers kept, static token vectors, or the teacher with a low-rank map."""

from textanchor.distilling.anchors.making import Distilled, distill_anchor, told

__all__ = ["Distilled", "distill_anchor", "told"]
