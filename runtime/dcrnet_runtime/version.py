"""The distribution's version, the same for its four packages: pyproject.toml reads it here."""

__version__ = "0.2.0.dev0"
