"""Exported files: what they are, what they say, how they are written."""
