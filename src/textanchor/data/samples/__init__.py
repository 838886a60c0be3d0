"""Sample sets: folders with `pairs.csv` and `about.json`, to try things on and to test with."""

from textanchor.data.samples.writing import write_sample

__all__ = ["write_sample"]
