"""Other formats and libraries, in both directions: sentence-transformers, ONNX, the model hub, MTEB, arrays, packing."""

from textanchor.interop.mteb import MtebModel, mteb_model

__all__ = ["MtebModel", "mteb_model"]
