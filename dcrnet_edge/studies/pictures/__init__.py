"""Graded corruptions of pictures."""
