"""Who gets into the studio, and how far: an invitation, the paths that are open, the size of what is sent."""

from textanchor.studio.door.gate import Gate
from textanchor.studio.door.settings import Door

__all__ = ["Door", "Gate"]
