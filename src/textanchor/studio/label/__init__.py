"""Labelling in the studio: what is asked of a project, and how its items are told to the page."""
