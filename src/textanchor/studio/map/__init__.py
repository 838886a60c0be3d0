"""The map: items as points, laid flat in the background and kept, and what they may be coloured by."""
