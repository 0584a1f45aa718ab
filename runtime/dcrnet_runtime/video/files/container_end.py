"""Whether a recording goes on where its file ends."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dcrnet_runtime.video.files.signature import HEAD_BYTES, signature_of

_MOST_BOXES = 10_000
_SEGMENT = b"\x18\x53\x80\x67"


def is_without_index(path: Path) -> bool:
    """Whether an MP4 lacks its index, which many recorders write last.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        kinds = [kind for kind, _ in _boxes(file)]
    return b"mdat" in kinds and b"moov" not in kinds


def is_cut_off(path: Path) -> bool:
    """Whether an MP4, AVI or Matroska file states a size that it does not have.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        match signature_of(head).format:
            case "AVI":
                return int(struct.unpack_from("<I", head, 4)[0]) + 8 > size
            case "Matroska":
                return _matroska_end(head) > size
            case "MP4":
                return any(end > size for _, end in _boxes(file))
    return False


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and end of each of an MP4's outermost boxes."""
    at, length = 0, file.seek(0, os.SEEK_END)
    for _ in range(_MOST_BOXES):
        if at >= length:  # a box may state more than a file can have
            return
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        (size,) = struct.unpack_from(">I", head)
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
        if size < 8:  # up to the end, or no box
            yield head[4:8], at
            return
        at += size
        yield head[4:8], at


def _matroska_end(head: bytes) -> int:
    """Where a Matroska file's one segment ends; 0 where that is not stated."""
    found = head.find(_SEGMENT)
    at = found + len(_SEGMENT)
    if found < 0 or at >= len(head) or head[at] == 0:
        return 0
    length = 9 - head[at].bit_length()
    size = int.from_bytes(head[at : at + length], "big") & ((1 << 7 * length) - 1)
    return 0 if size == (1 << 7 * length) - 1 else at + length + size
