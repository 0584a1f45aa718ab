"""Hostile inputs through the public entries; ``python -m tests.fuzz --help``."""
