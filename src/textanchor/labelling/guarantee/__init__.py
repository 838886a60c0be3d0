"""What may be labelled without a look, and what is promised of it."""

from textanchor.labelling.guarantee.auditing import Audited, audited, looks_needed, stream
from textanchor.labelling.guarantee.batches import Batch
from textanchor.labelling.guarantee.certificate import About, Certificate
from textanchor.labelling.guarantee.deciding import decide
from textanchor.labelling.guarantee.decision import Decision
from textanchor.labelling.guarantee.letting import LetThrough, let_through
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest
from textanchor.labelling.guarantee.protocol import Guarantee, form_of
from textanchor.labelling.guarantee.verifying import Verified, verify

__all__ = [
    "About", "Audited", "Batch", "Calibration", "Certificate", "Decision", "Guarantee", "LetThrough", "Promise", "Rest",
    "Verified", "audited", "decide", "form_of", "let_through", "looks_needed", "stream", "verify",
]  # fmt: skip
