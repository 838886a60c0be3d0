"""The studio: search, map, label and report in a browser."""
