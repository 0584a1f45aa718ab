"""The page's own files, shipped beside this one."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def asset(name: str) -> Path:
    """Where a file of the page lies."""
    return _FOLDER / name
