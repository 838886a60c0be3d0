"""Labelling: let a person label few items and the space the rest, with a stated error."""
