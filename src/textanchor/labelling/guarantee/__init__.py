"""What may be labelled without a look, and what is promised of it."""

from textanchor.labelling.guarantee.deciding import decide
from textanchor.labelling.guarantee.decision import Decision
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest
from textanchor.labelling.guarantee.protocol import Guarantee

__all__ = ["Calibration", "Decision", "Guarantee", "Promise", "Rest", "decide"]
