"""Answers read back from files, and what can be seen in them."""
