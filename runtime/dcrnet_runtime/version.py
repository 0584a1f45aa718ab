"""The distribution's version, the same for its four packages."""

__version__ = "0.1.0"
