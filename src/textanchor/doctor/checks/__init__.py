"""What the doctor looks at: one check a file, each registered by name (`registry.BUILT_IN["check"]`) in the order of the report."""
