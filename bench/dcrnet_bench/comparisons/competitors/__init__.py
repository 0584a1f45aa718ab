"""One file a way to read expressions from a video."""
