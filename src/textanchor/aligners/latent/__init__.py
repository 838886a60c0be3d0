"""Latent-space systems: encoders and decoders of items and texts around one latent space, trained by objectives in stages."""

from textanchor.aligners.latent.rows import adversarial, cycle, jwae, vec2vec, vse

__all__ = ["adversarial", "cycle", "jwae", "vec2vec", "vse"]
