"""Multiplications and time by operator."""
