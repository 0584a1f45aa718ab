"""How large an image says it is, read from its header before anything is decoded."""

from __future__ import annotations

import re
import struct

# Start-of-frame markers of JPEG; the others in the range are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_PNM = re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*(\d+)\s+(?:#[^\n]*\n\s*)*(\d+)\s")
_TIFF_SIZES = {256: 0, 257: 1}
_TIFF_TYPES = {3: "H", 4: "I"}


def declared_size(content: bytes) -> tuple[int, int] | None:
    """(width, height) in px of a JPEG, PNG, WebP, BMP, TIFF or PNM; None of anything else.

    Of a damaged header as well: what is no image is found when it is decoded.
    """
    try:
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", content, 16)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
        if content.startswith(b"BM"):
            return _bmp(content)
        if content[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(content)
    except (struct.error, IndexError):
        return None
    found = _PNM.match(content)
    return None if found is None else (int(found[1]), int(found[2]))


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + int(struct.unpack_from(">H", content, at + 2)[0])
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _bmp(content: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", content, 14)
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", content, 18)
    return abs(width), abs(height)


def _tiff(content: bytes) -> tuple[int, int] | None:
    order = "<" if content.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, at)
    size: list[int | None] = [None, None]
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", content, entry)
        if tag in _TIFF_SIZES and kind in _TIFF_TYPES:
            (value,) = struct.unpack_from(f"{order}{_TIFF_TYPES[kind]}", content, entry + 8)
            size[_TIFF_SIZES[tag]] = value
    width, height = size
    return None if width is None or height is None else (width, height)
