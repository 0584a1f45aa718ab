"""An NVIDIA GPU: the program's own path on it, and torch beside that for reference."""
