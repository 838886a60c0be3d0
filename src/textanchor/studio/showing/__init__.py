"""What the studio shows of items, and nothing else of the disk: pictures, sounds, films, by keys that name an item."""
