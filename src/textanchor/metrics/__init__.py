"""Metrics: vectors and masks in, figures out. A metric knows no file and no model."""
