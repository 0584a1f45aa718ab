"""The live page: an annotated picture, probabilities over time, latencies and metrics."""
