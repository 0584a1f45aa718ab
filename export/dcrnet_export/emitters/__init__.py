"""From the intermediate graph to ONNX and TFLite."""
