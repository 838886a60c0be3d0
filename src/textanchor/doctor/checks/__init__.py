"""What the doctor looks at: one check a file, registered by name in the order of its report."""
