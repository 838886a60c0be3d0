"""Image features that need no weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from textanchor.encoders.protocol import Output, encode_staged
from textanchor.files import digest
from textanchor.records import Vectors
from textanchor.runtime import Runtime

SIDE, KEPT, CELLS, ANGLES, COLOUR = 32, 8, 8, 9, 4


class SignalImage:
    """Coarse shape, edges and colour of an image squeezed to 32 x 32 pixels.

    The 8 x 8 lowest coefficients of the luminance's cosine transform (Ahmed et al. 1974, doi:10.1109/T-C.1974.223784);
    histograms of 9 gradient orientations in 8 x 8 cells, square-rooted and of unit length (Dalal and Triggs 2005,
    doi:10.1109/CVPR.2005.177, with one global block); and the two opponent colours averaged over 4 x 4 cells.
    """

    modality = "image"
    name = "signal"
    dim = KEPT**2 + CELLS**2 * ANGLES + 2 * COLOUR**2
    fingerprint = digest("signal-image", "1", f"{SIDE} {KEPT} {CELLS} {ANGLES} {COLOUR}")

    outputs = (Output(name="", dim=dim, fingerprint=fingerprint),)

    def encode(self, batch: Sequence[Image.Image]) -> Vectors:
        """*Shape:* [n, 672]."""
        return encode_staged(self, batch)

    def prepare(self, value: Image.Image) -> np.ndarray:
        """The features of one item."""
        return _features(value)

    def forward(self, inputs: Sequence[np.ndarray]) -> list[Vectors]:
        """Stacked."""
        return [np.stack(inputs)]


def _features(image: Image.Image) -> np.ndarray:
    from scipy.fft import dctn  # half a second that a search among cached images need not pay

    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    grey = pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    shape = dctn(grey, norm="ortho")[:KEPT, :KEPT].ravel() / SIDE * 4
    opponent = np.stack([pixels[..., 0] - pixels[..., 1], pixels[..., 2] - pixels[..., :2].mean(-1)], axis=-1)
    colour = _cells(opponent, COLOUR).ravel()
    return np.concatenate([shape, _gradients(grey), colour]).astype(np.float32)


def _gradients(grey: np.ndarray) -> np.ndarray:
    """Unsigned orientations, each pixel voting into its two nearest bins by its gradient's length."""
    down, right = np.gradient(grey)
    place = (np.arctan2(down, right) % np.pi) / np.pi * ANGLES
    low = np.floor(place).astype(int)
    share = place - low
    votes = np.zeros((SIDE, SIDE, ANGLES), dtype=np.float32)
    rows, columns = np.indices((SIDE, SIDE))
    strength = np.hypot(down, right)
    votes[rows, columns, low % ANGLES] += strength * (1 - share)
    votes[rows, columns, (low + 1) % ANGLES] += strength * share
    edges = np.sqrt(_cells(votes, CELLS).ravel())
    return np.asarray(edges / max(float(np.linalg.norm(edges)), 1e-6))


def _cells(values: np.ndarray, count: int) -> np.ndarray:
    side = SIDE // count
    return np.asarray(values.reshape(count, side, count, side, -1).mean(axis=(1, 3)))


def make(argument: str, *, modality: str, runtime: Runtime) -> SignalImage:
    """`signal`."""
    return SignalImage()
