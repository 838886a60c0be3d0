"""Aligners for few pairs, or none, beside items without a text and texts without an item."""
