"""How many pairs to buy, and which: quality by number of pairs, and the unpaired items whose text would help most."""

from textanchor.budgeting.choosing import Proposal, next_pairs
from textanchor.budgeting.measuring import budget
from textanchor.budgeting.result import Budget

__all__ = ["Budget", "Proposal", "budget", "next_pairs"]
