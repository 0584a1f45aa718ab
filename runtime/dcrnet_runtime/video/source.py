"""Which kind of source an address is: the one place that decides."""

from __future__ import annotations

import os

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.redaction import redacted
from dcrnet_runtime.video import kinds
from dcrnet_runtime.video.kind import Source, SourceKind

SOURCE_KINDS = [
    kinds.STDIN,
    kinds.CAMERA,
    kinds.STREAM,
    kinds.FOLDER,
    kinds.PATTERN,
    kinds.IMAGE,
    kinds.ANIMATION,
    kinds.JPEGS,
    kinds.VIDEO,
]
"""In the order in which they are asked whether an address is theirs."""


def register(kind: SourceKind) -> None:
    """Add a kind of source; it is asked before all others."""
    SOURCE_KINDS.insert(0, kind)


def _can_be_named(address: str) -> bool:
    """Whether the system takes it for the name of anything."""
    try:
        return b"\0" not in os.fsencode(address)
    except UnicodeEncodeError:
        return False


def resolve(address: str) -> Source:
    """Tell what an address is.

    A number or a path below ``/dev`` that ends in a video device is a camera, ``x://`` a stream,
    ``-`` standard input, and what is no path but has ``*``, ``?`` or ``[`` in it a pattern.

    Raises:
        DcrnetError: the path is no file or folder, or its name is not UTF-8.
    """
    if _can_be_named(address):
        for kind in SOURCE_KINDS:
            if kind.claims(address):
                return Source(kind, address)
    raise DcrnetError(
        f"source {redacted(address)!r} does not exist or is no file: give a camera number, a file,"
        " a folder or a URL"
    )
