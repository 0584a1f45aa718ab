"""This project beside its rivals."""
