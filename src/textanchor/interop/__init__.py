"""Other formats and libraries, in both directions: sentence-transformers, ONNX, the model hub, MTEB, arrays, packing."""
