"""Losses: tensors in, one number out. A loss knows no model and no file.

Every loss is called with a `Batch` and uses what it needs of it. One that classifies among all training texts says
`whole_bank = True`; the others get a bank of the batch's own texts, which is quicker.
"""

from textanchor.losses.batch import Batch, share

__all__ = ["Batch", "share"]
