"""Pages on a labelling project: how far it is and how right, and what labelling would have cost."""

from textanchor.labelling.reporting.checking import Checked, checked
from textanchor.labelling.reporting.facts import facts_json
from textanchor.labelling.reporting.page import write_label_report
from textanchor.labelling.reporting.replaying import replayed, write_simulation

__all__ = ["Checked", "checked", "facts_json", "replayed", "write_label_report", "write_simulation"]
