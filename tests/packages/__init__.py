"""Wheel and sdist, built and used in empty environments; ``python -m tests.packages --help``."""
