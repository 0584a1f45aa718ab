"""What is told of a name that was given up."""

from __future__ import annotations


def renamed(old: str, new: str) -> str:
    """What to note or warn of where a thing is given by its old name."""
    return f"{old} is now {new}; the old name goes in the release after this one"
