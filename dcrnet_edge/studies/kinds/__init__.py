"""The studies, one a module."""
