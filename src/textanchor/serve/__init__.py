"""A space behind HTTP: embeddings as OpenAI has them, and search. Needs the extra `[serve]`."""
