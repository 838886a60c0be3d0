"""Moving a collection to another encoder or space while it goes on being searched."""
