"""What is asked of a collection: queries of several parts, filters on fields, what is shown once and why."""
