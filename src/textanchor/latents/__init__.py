"""Latents: encoded once, kept by content."""
