"""Graph to graph: what quantization needs."""
