"""Addresses and paths in a file or on standard input."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError

STANDARD_INPUT = "-"


def read_addresses(place: str, *, is_nul_separated: bool = False) -> list[str]:
    """The addresses and paths of a list, in order; empty ones are left out.

    Args:
        place: file, or ``-`` for standard input.
        is_nul_separated: whether they end with a zero byte, as ``find -print0`` writes them,
            rather than with a line's end, which a path may hold.

    Raises:
        DcrnetError: it cannot be read, or holds none.
    """
    name = "standard input" if place == STANDARD_INPUT else place
    try:
        content = sys.stdin.buffer.read() if place == STANDARD_INPUT else Path(place).read_bytes()
    except OSError as error:
        raise DcrnetError(f"the list {name} cannot be read: {error.strerror}") from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not is_nul_separated and b"\0" in content:
        raise DcrnetError(f"the list {name} holds zero bytes: -0 reads what find -print0 wrote")
    parts = content.split(b"\0" if is_nul_separated else b"\n")
    ends = b"" if is_nul_separated else b"\r"
    addresses = [os.fsdecode(part.removesuffix(ends)) for part in parts if part.strip()]
    if not addresses:
        raise DcrnetError(f"the list {name} holds no address and no path, one a line: add some")
    return addresses
